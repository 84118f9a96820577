# `make demo` shows what Adjoint does and `make test` checks it; each sets up what it needs in .venv.
# What is installed there is recorded by empty files, so that a second run starts at once.

PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
JAX ?= jax==0.10.2
PYTEST_FLAGS ?= --numprocesses=auto --maxprocesses=8
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# One process a core is parallel enough: a BLAS with threads of its own would only get in the way.
PYTEST := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help demo test lint format typecheck docs generated package parity fuzz fuzz-compiled
.PHONY: bench bench-compiled clean

help:
	@echo 'make demo    see what Adjoint does'
	@echo 'make test    run the tests'
	@echo 'CONTRIBUTING.md has the others: lint format typecheck docs generated package parity fuzz fuzz-compiled bench bench-compiled clean'

demo: $(VENV)/.has-tour
	$(BIN)/adjoint tour

test: $(VENV)/.has-tour $(VENV)/.has-test
	$(PYTEST) $(PYTEST_FLAGS)

lint: $(VENV)/.has-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.has-lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(VENV)/.has-lint $(VENV)/.has-tour
	$(BIN)/mypy

# The variable spares readers an advertisement by the theme; warnings still stop the build.
docs: $(VENV)/.has-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

generated: $(VENV)/.has-tour
	@for script in $(wildcard tools/generate_*.py); do \
		echo "$$script --check"; $(BIN)/python "$$script" --check || exit 1; \
	done

package: $(VENV)/.made
	rm -rf dist
	$(PIP) wheel --no-deps --wheel-dir dist .
	$(BIN)/python -I tools/check_wheel.py dist/*.whl

parity: $(VENV)/.has-tour $(VENV)/.has-test $(VENV)/.has-torch
	$(PYTEST) $(PYTEST_FLAGS) tests/parity

# Random programs against PyTorch: `make fuzz COUNT=100000 SEED=1000` for others and more.
COUNT ?= 10000
SEED ?= 0
fuzz: $(VENV)/.has-tour $(VENV)/.has-test $(VENV)/.has-torch
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m tests.parity.programs --count $(COUNT) --seed $(SEED)

# Random programs compiled, against the same ones eager.
fuzz-compiled: COUNT = 5000
fuzz-compiled: $(VENV)/.has-tour $(VENV)/.has-test $(VENV)/.has-torch
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.parity.programs --compiled --count $(COUNT) --seed $(SEED)

bench: $(VENV)/.has-tour $(VENV)/.has-torch
	$(BIN)/python -m benchmarks

bench-compiled: $(VENV)/.has-tour $(VENV)/.has-torch $(VENV)/.has-jax
	$(BIN)/python -m benchmarks.compiled

clean:
	rm -rf $(VENV) build dist site adjoint-tour .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Adjoint needs Python 3.11 or later; name one with: make PYTHON=python3.12'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.has-torch: $(VENV)/.made
	$(PIP) install '$(TORCH)'
	@touch $@

$(VENV)/.has-jax: $(VENV)/.made
	$(PIP) install '$(JAX)'
	@touch $@

# The package itself is installed in place, so that only a change of its metadata installs it again.
$(VENV)/.has-%: pyproject.toml adjoint/version.py | $(VENV)/.made
	$(PIP) install --editable '.[$*]'
	@touch $@
