# The two commands of this project; both make .venv when it is not there or its requirements have changed.
#   make simulate   runs the whole cell on the bundled recording
#   make test       runs every check

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Where a wrong turn could pass a defect: every branch must be tested.
EVERY_BRANCH := station/core/algorithm1.py,station/flow/decide.py,station/flow/sort.py,station/packml.py,station/core/errors.py,drivers/register*.py

.PHONY: simulate test lint unit environment clean

simulate: environment
	$(BIN)/station --simulate

test: lint unit

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: environment
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered --durations=20 -m "not slow"
	$(BIN)/coverage report --include='$(EVERY_BRANCH)' --show-missing --fail-under=100

environment: $(READY)

$(READY): pyproject.toml constraints.txt setup.py $(wildcard sim/gentl/*.c sim/gentl/*.h sim/gentl/*.xml)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info sim/gentl/*.cti
