# Every target does its own set-up: it needs Python 3.11 or newer, pip and make, and nothing else.
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 1

.PHONY: setup demo test test-fast check format docs figures bench clean
.DELETE_ON_ERROR:

# The library and its command: what the demo needs.
.venv/core.stamp: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	touch $@

# Everything that the tests need. torch goes first: its CPU build satisfies what comes after.
.venv/dev.stamp: .venv/core.stamp
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev,train,eval,cluster]'
	touch $@

setup: .venv/dev.stamp

demo: .venv/core.stamp
	$(BIN)/t2 demo -o out/demo

test: .venv/dev.stamp
	$(BIN)/python -m pytest -n auto --dist worksteal

test-fast: .venv/dev.stamp
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

check: .venv/dev.stamp
	$(BIN)/ruff check src tests benchmarks examples scripts
	$(BIN)/ruff format --check src tests benchmarks examples scripts
	$(BIN)/mypy

format: .venv/dev.stamp
	$(BIN)/ruff check --fix src tests benchmarks examples scripts
	$(BIN)/ruff format src tests benchmarks examples scripts

# The command reference is generated; a test holds it to the program.
docs: .venv/dev.stamp
	$(BIN)/python -m t2scaling.cli.reference docs/cli.md

# Every figure and table of the paper for the suites that ship, into docs/figures.
figures: .venv/core.stamp
	$(BIN)/python scripts/paper_figures.py

bench: .venv/dev.stamp
	$(BIN)/python benchmarks/run_all.py

clean:
	rm -rf .venv out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
