# make        the environment .venv, with outlearn and what its tests need
# make test   lint, types, layers and the tests of every day: some minutes
# make test-long  the studies that take minutes each, for once a week
# make cover  all tests, a good deal slower, with the lines that none of them runs
# make demo   the main job on a bundled data set; writes demo/report.html
# make demo-serve  a service that watches generated payments, and what ten verdicts are worth there
# make clean  remove what the others made

VENV = .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check
STAMP = $(VENV)/.outlearn-installed

# The build of torch that needs no graphics card. A plain `pip install torch` on Linux may fetch gigabytes of CUDA.
TORCH = torch==2.13.0+cpu

# Byte code is kept, whatever the shell says: else each process that a test starts compiles all of the package anew.
export PYTHONDONTWRITEBYTECODE =

.PHONY: env test test-long cover demo demo-serve clean
.DEFAULT_GOAL := env

env: $(STAMP)

$(VENV)/bin/python:
	@for python in python3.13 python3.12 python3.11 python3 python; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "making $(VENV) with $$($$python --version)"; exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo 'outlearn needs Python 3.11 or later, and none was found' >&2; exit 1

# First the CPU build by its version, if a configured index has it; then the index that the user names in
# OUTLEARN_TORCH_INDEX; then whatever the default index gives.
$(STAMP): pyproject.toml | $(VENV)/bin/python
	@set -e; \
	if $(BIN)/python -c 'import torch' 2>/dev/null; then :; \
	elif $(PIP) install -q '$(TORCH)' 2>/dev/null; then :; \
	elif [ -n "$$OUTLEARN_TORCH_INDEX" ]; then $(PIP) install -q torch --index-url "$$OUTLEARN_TORCH_INDEX"; \
	else \
	  echo 'no CPU build of torch in the configured index; to avoid CUDA name one in OUTLEARN_TORCH_INDEX'; \
	  $(PIP) install -q torch; \
	fi
	$(PIP) install -q -e '.[dev]'
	@touch $@

test: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	@# Beside mypy, which uses one core, the tests are compiled: else each worker would do it for itself.
	$(BIN)/python -m pytest --collect-only -qq >/dev/null 2>&1 & $(BIN)/mypy; types=$$?; wait; exit $$types
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal -m 'not long'

test-long: env
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal -m long

cover: env
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --cov --cov-report=term-missing:skip-covered

demo: env
	@mkdir -p demo
	$(BIN)/outlearn detect dataset:breast_cancer --report demo/report.html --out demo/scored.parquet --top 10
	@echo "Open the report: $$(pwd)/demo/report.html"

demo-serve: env
	$(BIN)/python tools/demo_serve.py --stay

clean:
	rm -rf $(VENV) demo build dist src/*.egg-info .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
