# `make demo` and `make test` set up what is missing by themselves.

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PYTHON ?= python3.11

# Stages and tests start dozens of processes, each of which would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup hooks demo test test-full check up clean lock deps

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: hooks ## the environment in .venv, from requirements.lock, and ruff before each commit

# Not in an export, which may lie in another repository; and never over a hook that is there.
hooks: $(STAMP) ## ruff before each commit, where git has no pre-commit hook yet
	@if hook=$$(git rev-parse --git-path hooks/pre-commit 2>/dev/null) && test -z "$$(git rev-parse --show-prefix)" \
	  && ! test -e "$$hook" && ! git config core.hooksPath >/dev/null; then $(BIN)/pre-commit install; fi

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --compile-bytecode --python $(BIN)/python --editable .
	touch $@

demo: $(STAMP) ## everything once on sample data: train, register, batch-score
	$(BIN)/unmask demo

# A file's tests stay with one worker, so that what they share is made once.
test: $(STAMP) ## all tests that this machine can run
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-full: $(STAMP) ## the long trainings that `make test` leaves out
	$(BIN)/python -m pytest -n 2 --dist load -m full --timeout 3600

check: $(STAMP) ## lint, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

up: $(STAMP) ## Prefect's and MLflow's UIs, the API and the page on 127.0.0.1
	$(BIN)/unmask up

lock: $(STAMP) ## requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --extra dev \
	  --python-version 3.11 --python-platform x86_64-manylinux_2_28 pyproject.toml -o requirements.lock

deps: $(STAMP) ## the code that stages import, into dvc.yaml, and every setting into params.resolved.yaml
	$(BIN)/python tools/code_deps.py
	$(BIN)/python -m components resolve || $(BIN)/python -m components resolve

clean: ## remove what commands made, but not data/, DVC's cache and what is yours to commit
	rm -rf artifacts reports/validation reports/figures reports/training/*/curves.png reports/tune/*/*.png reports/dataset/figures reports/dataset/contact_sheet.png reports/report.html scores dvc_plots .unmask mlflow.db mlartifacts
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache *.egg-info
