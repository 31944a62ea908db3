# Everything a person or a machine does with this repository. `make` alone lists it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first interpreter that is new enough; or name one: make demo PYTHON=/path/to/python
ifndef PYTHON
PYTHON := $(firstword $(foreach name,python3.11 python3 python3.12 python3.13,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $(name))) python3)
endif

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The embedded Postgres keeps a lock file here; in /tmp, two users of one machine would be in each other's way.
export XDG_RUNTIME_DIR := $(CURDIR)/$(VENV)/run
UV ?= $(or $(wildcard $(BIN)/uv),uv)
# Tests run in this many processes.
WORKERS ?= 2
# How long `make soak` goes on.
MINUTES ?= 10
# More words for pytest: make test ARGS="tests/queue -k retry"
ARGS ?=

.PHONY: help setup lock demo test check format bench soak clean

help: ## List the targets
	@echo "zohosync: make <target>"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile
	@echo "Interpreter: $(PYTHON). Everything is installed into $(VENV)/ and nowhere else."

setup: $(READY) ## Install zohosync and its tools into .venv (quick the second time)

# --without-pip where Debian has left ensurepip out: then the pip that came with the interpreter installs.
$(READY): requirements/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "zohosync needs Python 3.11 or newer, and $(PYTHON) is not: install it, or name one with PYTHON=/path/to/python." >&2; \
		exit 1; }
	@echo "Installing into $(VENV) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) 2>/dev/null || $(PYTHON) -m venv --clear --without-pip $(VENV)
	@set -e; \
	if $(BIN)/python -m pip --version >/dev/null 2>&1; then pip="$(BIN)/python -m pip"; \
	else pip="$(PYTHON) -m pip --python $(BIN)/python"; fi; \
	$$pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements/lock.txt; \
	$$pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation --editable .
	@mkdir -p $(XDG_RUNTIME_DIR)/python_PostgresServer && chmod 700 $(XDG_RUNTIME_DIR) $(XDG_RUNTIME_DIR)/python_PostgresServer
	@touch $(READY)

PIN := pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

lock: ## Pin all dependencies anew (needs uv)
	$(UV) $(PIN) --extra demo --group dev pyproject.toml -o requirements/lock.txt
	$(UV) $(PIN) pyproject.toml -o requirements/run.lock.txt
	$(UV) $(PIN) --group build -o requirements/build.lock.txt

demo: $(READY) ## Run it all here and play the story; CHECK=1 judges and exits; ARGS="--port 8800 --json"
	@$(BIN)/zohosync demo $(if $(CHECK),--check) $(ARGS)

test: check ## Check, then run every test this machine can run, with coverage; ARGS are pytest's
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cov $(if $(ARGS),--cov-report=term $(ARGS),--cov-report= --ignore tests/storm)
	@$(if $(ARGS),:,$(BIN)/python -m pytest tests/storm --cov --cov-append --cov-report=term)

check: $(READY) ## Format, lint, types, import rules
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY) ## Format the code and mend what lint can mend
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: $(READY) ## Measure it; SMOKE=1 for a short run that only proves that it still runs
	@$(BIN)/python -m bench $(if $(SMOKE),--smoke) $(ARGS)

soak: $(READY) ## Repeat the storm with new random seeds for MINUTES=10
	@end=$$(( $$(date +%s) + 60 * $(MINUTES) )); \
	while seed=$$(date +%s); [ $$seed -lt $$end ]; do \
		echo "STORM_SEED=$$seed"; STORM_SEED=$$seed $(BIN)/python -m pytest -q tests/storm $(ARGS) || exit 1; \
	done

clean: ## Remove what make has made, .venv included
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.* htmlcov build dist
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
