# `make publish` and `make test` set everything up by themselves; `make help` lists the rest.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ON_ALL_CORES := -n auto --dist loadgroup --no-loadscope-reorder -p tests.scheduling

.DEFAULT_GOAL := help
.PHONY: help setup publish test fast fuzz coverage lint check regenerate validate build score evaluate site serve bench \
  lock sbom audit clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(READY) ## make the virtual environment from the hashed lock file

$(READY): requirements.lock pyproject.toml measure/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "DeepEn needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --no-deps \
	  -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	  --editable . --editable measure
	$(BIN)/python -m pip check --quiet --disable-pip-version-check
	@touch $@

publish: setup ## validate, evaluate the predictors, build the datasets, score the devices, build the site
	$(BIN)/deepen publish --evaluate

test: setup ## run every test
	$(BIN)/python -m pytest $(ON_ALL_CORES)

fast: setup ## run the tests of the rooms that changed since main, failed ones first, until one fails
	$(BIN)/python -m tests.changed

FUZZ ?= --minutes 60
fuzz: setup ## damage the input of every reader for an hour, or as FUZZ="--seed 1 --minutes 5" says; finds are below dist/fuzz/
	$(BIN)/python -m tests.fuzz $(FUZZ)

coverage: setup ## run every test and report the lines that none runs; HTML below dist/coverage/html/
	@mkdir -p dist/coverage
	$(BIN)/python -m pytest $(ON_ALL_CORES) --cov --cov-report=term --cov-report=html

lint: setup ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test validate ## what a pull request is checked for: lint, types, tests, submissions

regenerate: setup ## write the committed files that are made from others; read the difference before you commit it
	$(BIN)/python -m harness.regenerate
	$(BIN)/python -m tests.generated
	$(BIN)/python -m pytest -q --update-golden tests/validation/test_golden.py tests/validation/test_hostile.py \
	  tests/traces/formats/test_all.py tests/test_walkthroughs.py

validate build score evaluate site serve: setup ## one step of publish on its own
	$(BIN)/deepen $@

bench: setup ## measure validation, traces, graphs, predictors and start-up beside named alternatives
	$(BIN)/python -m tests.bench

lock: setup ## refresh the exact versions in requirements.lock
	$(BIN)/uv --no-config pip compile --quiet --universal --python-version 3.11 --extra dev --extra simulate --upgrade \
	  --generate-hashes --no-header --no-annotate --output-file requirements.lock pyproject.toml

sbom: setup ## write dist/sbom.cdx.json: every package of the lock file, as CycloneDX
	$(BIN)/python -m harness.supply bom

audit: setup ## list the packages of the lock file that have a known vulnerability; asks osv.dev, and says if it cannot
	$(BIN)/python -m harness.supply audit

clean: ## remove what was built (not the virtual environment)
	rm -rf dist .mypy_cache .pytest_cache .ruff_cache
