# Needs python3 (3.11 or newer, with venv), git and make. All else goes into .venv; a second run reuses it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PINS := pyproject.toml constraints.txt

.PHONY: help demo test soak lint warm bench clean
.DELETE_ON_ERROR:

help:
	@echo "make demo    backtest a short straddle on simulated sessions, with a report in demo/"
	@echo "make test    everything that must pass: lint, types, layers, tests"
	@echo "make soak    the long searches over random input, minutes to hours"
	@echo "make lint    ruff, mypy, import layers, notebooks without outputs"
	@echo "make bench   measure speed and memory into benchmarks/results.md"
	@echo "make clean   remove .venv, demo/ and caches of this folder"

demo: $(VENV)/.base
	@echo "== algo backtest: 25 simulated sessions of NIFTY"
	@$(BIN)/algo backtest straddle --underlying NIFTY --simulate 25 --start 2024-01-01 --seed 11 \
		--report demo/report.html --save demo/result
	@echo "Open $(CURDIR)/demo/report.html in a browser."

test: lint warm
	@echo "== pytest"
	@$(BIN)/pytest -n 2 --dist loadfile
	@echo "== pytest without compilation (finds reads out of bounds)"
	@NUMBA_DISABLE_JIT=1 $(BIN)/pytest --quiet -n 2 tests/unit/strategy tests/unit/execution tests/unit/performance

soak: warm
	@$(BIN)/pytest -m soak
	@$(BIN)/pytest tests/laws --hypothesis-profile=search

lint: $(VENV)/.dev
	@echo "== ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== mypy"
	@$(BIN)/mypy
	@echo "== import layers"
	@$(BIN)/lint-imports --no-logo
	@echo "== notebooks"
	@$(BIN)/nbstripout --verify notebooks/*.ipynb

# What pytest's workers share is compiled before they start; the two heavy parts have little in common and run side by side.
warm: $(VENV)/.dev
	@echo "== compiling kernels"
	@$(BIN)/algo backtest straddle --underlying NIFTY --simulate 1 --json > /dev/null
	@$(BIN)/algo warmup --only features --json > /dev/null & features=$$!; \
		$(BIN)/algo warmup --only backtests --json > /dev/null && wait $$features

bench: $(VENV)/.bench
	@$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks

$(VENV)/.base: $(PINS) | $(BIN)/python
	@echo "== installing algomaster into $(VENV) (about a minute the first time)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(PINS) | $(BIN)/python
	@echo "== installing algomaster and what its tests need into $(VENV) (a minute or two the first time)"
	@$(PIP) --editable ".[dev]"
	@touch $(VENV)/.base $@

$(VENV)/.bench: $(PINS) | $(VENV)/.dev
	@echo "== installing the peers that are measured beside algomaster into $(VENV)"
	@$(PIP) --editable ".[dev,bench]"
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else 0'
	@echo "== creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)
