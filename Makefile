# The commands of this project; each makes .venv when it is not there or its requirements have changed.
#   make simulate        runs the whole cell on the bundled recording
#   make test            runs every check but those of the next four
#   make test-page       runs the operator page in a browser, which must be there as `chromium`, and looks at it with
#                        a package of npm's in tests/page, where that is installed
#   make test-plant      runs the exported programs of PLC and robot against the station, with some packages more; the
#                        station with a line PLC, an OPC UA client and an MQTT host of another language, which need node
#                        and packages of npm's; and with mosquitto, Prometheus and PostgreSQL, which need their
#                        programs, and a store for scans, which gets an environment of its own
#   make test-cluster    adds the packages of the extra `cluster` to .venv, some hundred megabytes, and runs the checks
#                        of archives that are judged again, on one computer, on a cluster of two on this one, and out of
#                        a store, which gets an environment of its own
#   make test-training   adds these packages, some gigabytes, to .venv and runs the checks that need them
#   make year            takes 100,000 parts through the cell in virtual time, whatever befalls it, and goes on where it
#                        was left (tests/year); YEAR='--step 2 --first 2' for every other seed
#   make soak            takes 20,000 parts through a whole cell in real time, goes on where it was left, and tells what
#                        is left of each thousand (tests/soak); SOAK='--parts 5000' for fewer
#   make wheelhouse      gathers in dist/wheelhouse all that an installation without a network needs, for this kind of
#                        computer and this Python; FOR='--python-version 3.12' for another one
#   make notice          writes NOTICE anew from what the packages say of themselves
#   make pages           writes the generated chapters of the pages anew: register maps and faults
#   make lock            writes requirements/ anew: which versions, which hashes; UPGRADE='--upgrade-package NAME' or
#                        UPGRADE=--upgrade takes newer ones

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TRAINING_READY := $(VENV)/.ready-training
BROWSER_READY := $(VENV)/.ready-browser
PLANT_READY := $(VENV)/.ready-plant
STORE := .venv-store
STORE_READY := $(STORE)/.ready
CLUSTER_READY := $(VENV)/.ready-cluster

WHEELHOUSE := dist/wheelhouse

# Tests that run side by side; the computer needs as many cores.
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal --durations=20

# Every file that pip takes must have one of the hashes in requirements/, which name all there is to install.
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := $(PIP) install --quiet --no-deps --require-hashes
ITSELF := $(PIP) install --quiet --no-deps --no-build-isolation

# Where a wrong turn could pass a defect (pyproject.toml says where), these tests take every branch. Only they are run
# with branches counted, which doubles a test's time.
OF_EVERY_BRANCH := $(addprefix tests/unit/test_,algorithm1.py probabilities.py most_severe.py cost.py looks.py decide.py sorting.py telling.py \
	packml.py errors.py registers.py map_profiles.py register_listing.py) tests/cell/test_deadlines.py tests/cell/test_states_and_faults.py \
	tests/wire/test_robot_driver.py

.PHONY: simulate test test-page test-plant test-cluster test-training year soak lint unit branches environment lock notice pages wheelhouse clean

simulate: environment
	$(BIN)/station --simulate

test: lint unit branches

test-page: $(BROWSER_READY)
	$(PYTEST) -m page tests/page

test-plant: $(PLANT_READY) $(STORE_READY)
	$(PYTEST) -m "plant and not slow" tests/plant

# One after the other: each starts workers of its own.
test-cluster: $(CLUSTER_READY) $(STORE_READY)
	$(BIN)/python -m pytest --durations=20 -m "cluster and not slow" tests/cell

test-training: $(TRAINING_READY)
	$(BIN)/mypy
	$(PYTEST) -m "training and not slow"

year: environment
	$(BIN)/python -m tests.year --folder build/year $(YEAR)

soak: environment
	$(BIN)/python -m tests.soak --folder build/soak $(SOAK)

lint: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: environment
	$(PYTEST) -m "not slow and not training and not plant and not page and not cluster"

branches: environment
	$(PYTEST) --cov --cov-report=term $(OF_EVERY_BRANCH)

environment: $(READY)

$(READY): pyproject.toml requirements/run.txt requirements/page.txt requirements/fleet.txt requirements/opcua.txt requirements/sparkplug.txt \
		requirements/central.txt requirements/dev.txt requirements/build.txt \
		requirements/compiler.txt setup.py \
		$(wildcard sim/gentl/*.h sim/gentl/*/*.c sim/gentl/*/*.h sim/gentl/descriptions/*.xml) \
		$(wildcard station/flow/pixels/*.c station/flow/pixels/*.h)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(LOCKED) -r requirements/run.txt -r requirements/page.txt -r requirements/fleet.txt -r requirements/opcua.txt -r requirements/sparkplug.txt \
		-r requirements/central.txt -r requirements/dev.txt -r requirements/build.txt
	$(BIN)/python -m station.core.compiler || $(LOCKED) -r requirements/compiler.txt
	$(ITSELF) --editable .
	$(PIP) check
	touch $@

$(TRAINING_READY): $(READY) requirements/train.txt
	$(LOCKED) -r requirements/run.txt -r requirements/dev.txt -r requirements/train.txt
	touch $@

$(BROWSER_READY): $(READY) requirements/browser.txt
	$(LOCKED) -r requirements/browser.txt
	touch $@

# One of these comes as source alone; it is built with what is locked, and not with what is newest.
$(PLANT_READY): $(READY) requirements/plant.txt
	$(LOCKED) --no-build-isolation -r requirements/plant.txt
	touch $@

# A store for scans that speaks as Amazon's S3 does; it does not resolve beside what the station needs.
$(STORE_READY): requirements/store.txt
	test -x $(STORE)/bin/python || $(PYTHON) -m venv $(STORE)
	$(STORE)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes -r requirements/store.txt
	touch $@

$(CLUSTER_READY): $(READY) requirements/cluster.txt
	$(LOCKED) -r requirements/cluster.txt
	touch $@

# What is for the page, for development or for training alone lies beside what runs the station, in the same versions.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --custom-compile-command 'make lock' $(UPGRADE)
BESIDE = sed -n 's/^\([A-Za-z0-9._-]*\)==.*/--no-emit-package \1/p'

lock: environment
	$(COMPILE) pyproject.toml --output-file requirements/run.txt
	$(COMPILE) --group build --output-file requirements/build.txt
	$(COMPILE) --group compiler --output-file requirements/compiler.txt
	$(COMPILE) --group store --output-file requirements/store.txt
	$(COMPILE) pyproject.toml --extra page --constraint requirements/run.txt $$($(BESIDE) requirements/run.txt) \
		--output-file requirements/page.txt
	$(COMPILE) pyproject.toml --extra fleet --constraint requirements/run.txt --constraint requirements/page.txt \
		$$($(BESIDE) requirements/run.txt) --output-file requirements/fleet.txt
	$(COMPILE) pyproject.toml --extra opcua --constraint requirements/run.txt --constraint requirements/page.txt \
		$$($(BESIDE) requirements/run.txt) --output-file requirements/opcua.txt
	$(COMPILE) pyproject.toml --extra sparkplug --constraint requirements/run.txt --constraint requirements/page.txt \
		--constraint requirements/opcua.txt $$($(BESIDE) requirements/run.txt) --output-file requirements/sparkplug.txt
	$(COMPILE) pyproject.toml --extra central --constraint requirements/run.txt $$($(BESIDE) requirements/run.txt) \
		--output-file requirements/central.txt
	$(COMPILE) pyproject.toml --extra dev --constraint requirements/run.txt --constraint requirements/page.txt \
		$$($(BESIDE) requirements/run.txt) --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --extra browser --constraint requirements/run.txt --constraint requirements/page.txt \
		--constraint requirements/dev.txt $$($(BESIDE) requirements/run.txt) --output-file requirements/browser.txt
	$(COMPILE) pyproject.toml --extra plant --constraint requirements/run.txt --constraint requirements/page.txt \
		--constraint requirements/dev.txt $$($(BESIDE) requirements/run.txt) --output-file requirements/plant.txt
	$(COMPILE) pyproject.toml --extra train --constraint requirements/run.txt --constraint requirements/page.txt \
		--constraint requirements/dev.txt --constraint requirements/build.txt $$($(BESIDE) requirements/run.txt) \
		--output-file requirements/train.txt
	$(COMPILE) pyproject.toml --extra cluster --constraint requirements/run.txt --constraint requirements/page.txt \
		--constraint requirements/dev.txt --constraint requirements/train.txt $$($(BESIDE) requirements/run.txt) \
		--output-file requirements/cluster.txt
	# Python and the system are the package's to refuse: a marker would leave a package out without a word.
	sed -i -E "s/ ; python_full_version < '3.15' (and implementation_name != 'pypy' )?and sys_platform == 'linux'//" requirements/*.txt

notice: environment
	mkdir -p build
	$(foreach lock,run page fleet opcua sparkplug central cluster train,$(PIP) install --quiet --no-deps --require-hashes --dry-run --ignore-installed \
		--report build/$(lock).json -r requirements/$(lock).txt && ) true
	$(BIN)/python -m station.offline.upkeep.notice NOTICE build

# A wheelhouse carries the pages with their pictures, as a shop floor has no network.
PAGES = $(shell find README.md config models station -name '*.md')
PICTURES = models/pictures station/bench/bench.png station/page/pictures

pages: environment
	$(BIN)/python -m station.offline.upkeep.reference $(PAGES)

# Its requirements are those of the station and the station itself, whose hash is known only now.
wheelhouse: environment
	rm -rf $(WHEELHOUSE) build/lib build/bdist.*
	$(PIP) download --quiet --no-deps --require-hashes --only-binary :all: $(FOR) --dest $(WHEELHOUSE) \
		-r requirements/run.txt -r requirements/page.txt -r requirements/fleet.txt -r requirements/opcua.txt -r requirements/sparkplug.txt \
		-r requirements/central.txt
	$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir $(WHEELHOUSE) .
	cp requirements/run.txt $(WHEELHOUSE)/requirements.txt
	cd $(WHEELHOUSE) && sha256sum inspection_station-*.whl | \
		sed -E 's/^(\w+)  inspection_station-([^-]+)-.*/inspection-station==\2 --hash=sha256:\1/' >> requirements.txt
	cp LICENSE NOTICE config/station.toml requirements/page.txt requirements/fleet.txt requirements/opcua.txt requirements/sparkplug.txt \
		requirements/central.txt $(WHEELHOUSE)
	cp --recursive --parents $(PAGES) $(PICTURES) $(WHEELHOUSE)
	$(BIN)/station sbom --wheels $(WHEELHOUSE) --out $(WHEELHOUSE)/sbom.cdx.json

clean:
	rm -rf $(VENV) $(STORE) build dist *.egg-info sim/gentl/*.cti station/flow/pixels/*.so
