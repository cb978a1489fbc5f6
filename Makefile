# `make` lists the targets. Everything happens in .venv, which `make clean` does not touch.
# PYTHON=/path/to/python3.12 chooses the interpreter; WORKERS=4 the number of test processes.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
WORKERS ?= 2
ARGS ?=
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet
export PYTHON

.PHONY: help
help: ## list the targets
	@echo "make TARGET, where TARGET is one of"
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | \
		while IFS=$$'\t' read -r name text; do printf '  %-9s %s\n' "$$name" "$$text"; done

# --- set-up: one stamp a lock file, so that a second run starts at once ---

$(STAMPS)/setup: requirements/setup.txt tools/setup.sh
	@tools/setup.sh venv
	@tools/setup.sh install requirements/setup.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: $(STAMPS)/setup requirements/run.txt pyproject.toml
	@tools/setup.sh install requirements/run.txt
	@tools/setup.sh package
	@touch $@

$(STAMPS)/dev: $(STAMPS)/setup requirements/dev.txt pyproject.toml
	@tools/setup.sh install requirements/dev.txt
	@tools/setup.sh package
	@touch $@ $(STAMPS)/run

# --- what a user does ---

.PHONY: demo
demo: $(STAMPS)/run ## set up and run the packaged launch: book, briefing, pictures
	@$(BIN)/driveaway demo $(ARGS)

.PHONY: test
test: lint types imports ## set up and run every check and every test, coverage shown
	@command -v java >/dev/null || \
		echo "no Java here: the tests on Spark are passed over (apt install openjdk-17-jre-headless)" >&2
	@$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report=term $(ARGS)

# --- what a contributor does ---

.PHONY: lint
lint: $(STAMPS)/dev ## style and likely mistakes (ruff)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run 'make fmt'" >&2; exit 1; }

.PHONY: types
types: $(STAMPS)/dev ## types (mypy, strict)
	@$(BIN)/mypy

.PHONY: imports
imports: $(STAMPS)/dev ## what may import what (import-linter)
	@$(BIN)/lint-imports --no-logo

.PHONY: fmt
fmt: $(STAMPS)/dev ## format the code and mend what can be mended (ruff)
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

.PHONY: docs
docs: $(STAMPS)/dev ## write the reference pages from the code and build the site into site/
	@$(BIN)/python -m tools.reference
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

.PHONY: bench
bench: $(STAMPS)/dev ## measure beside peers and print the ratios
	@$(BIN)/python -m bench.run $(ARGS)

.PHONY: nightly
nightly: $(STAMPS)/dev ## the long tests that 'make test' takes a sample of
	@$(BIN)/python -m pytest -n $(WORKERS) -m nightly --timeout 3600 $(ARGS)

.PHONY: lock
lock: $(STAMPS)/setup ## renew the lock files in requirements/ from pyproject.toml
	@$(BIN)/uv pip compile $(LOCK) --upgrade pyproject.toml --extra postgres --extra delivery --extra updates --extra fleet --extra spark --group dev -o requirements/dev.txt
	@$(BIN)/uv pip compile $(LOCK) pyproject.toml --extra delivery --extra updates --extra fleet -c requirements/dev.txt -o requirements/run.txt
	@$(BIN)/uv pip compile $(LOCK) --group setup -c requirements/dev.txt -o requirements/setup.txt

.PHONY: wheel
wheel: $(STAMPS)/setup ## build the wheel into dist/
	@$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist
	@ls -l dist

.PHONY: clean
clean: ## remove what was built; not .venv and not launches/
	@rm -rf build dist site htmlcov .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis .import_linter_cache
	@find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
