# The commands of this project; each makes .venv when it is not there or its requirements have changed.
#   make simulate        runs the whole cell on the bundled recording
#   make test            runs every check but those that need the training packages
#   make test-training   adds these packages, some gigabytes, to .venv and runs the checks that need them

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TRAINING_READY := $(VENV)/.ready-training

# Tests that run side by side; the computer needs as many cores.
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal --durations=20

# Where a wrong turn could pass a defect: every branch must be tested.
EVERY_BRANCH := station/core/algorithm1.py,station/flow/decide.py,station/flow/sort.py,station/packml.py,station/core/errors.py,drivers/register*.py

.PHONY: simulate test test-training lint unit environment clean

simulate: environment
	$(BIN)/station --simulate

test: lint unit

test-training: $(TRAINING_READY)
	$(PYTEST) -m "training and not slow"

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: environment
	$(PYTEST) --cov --cov-report=term:skip-covered -m "not slow and not training"
	$(BIN)/coverage report --include='$(EVERY_BRANCH)' --show-missing --fail-under=100

environment: $(READY)

$(READY): pyproject.toml constraints.txt setup.py $(wildcard sim/gentl/*.c sim/gentl/*.h sim/gentl/*.xml station/flow/pixels/*.c)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

$(TRAINING_READY): $(READY) constraints-train.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--constraint constraints-train.txt --editable '.[dev,train]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info sim/gentl/*.cti station/flow/pixels/*.so
