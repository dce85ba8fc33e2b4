# What a user types. `make run` and `make test` do their own set-up, once; `make help` lists the rest.
# PYTHON=python3.12 make run: another interpreter. ARGS="--configfile config/reproduce.yaml" make run: another study.

SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && { echo $$name; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
ARGS ?=
PARALLEL := -n $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) --dist loadfile --no-loadscope-reorder

.PHONY: help run plan test test-long lint format docs clean-venv

help:  ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

run: $(VENV)/.run-installed  ## set up, run the study, say where the report is
	@$(BIN)/snakemake --cores all $(ARGS)
	@for report in results/*/report.html; do echo "The report: $(CURDIR)/$$report"; done

plan: $(VENV)/.run-installed  ## what a run would do and why, and what it would cost
	@$(BIN)/snakemake -n $(ARGS)

test: $(VENV)/.dev-installed  ## set up, then the tests of daily work, one worker a core
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

test-long: $(VENV)/.dev-installed  ## set up, then kills, Slurm, browser, simulations and whole studies
	@$(BIN)/python -m pytest $(PARALLEL) $(or $(ARGS),tests/long)

lint: $(VENV)/.dev-installed  ## style, types, spelling and workflow
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/typos
	@$(BIN)/snakefmt --check Snakefile workflow && $(BIN)/snakemake --lint

format: $(VENV)/.dev-installed  ## bring Python and Snakemake files into shape
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format . && $(BIN)/snakefmt Snakefile workflow

docs: $(VENV)/.run-installed  ## make schemas, config/README.md and docs/formats.md anew from the classes
	@$(BIN)/python -m unfaithful_cot.config.documentation

clean-venv:  ## remove the environment; results stay
	rm -rf $(VENV)

# An environment without pip, because making it was interrupted, is made anew.
$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer with venv was found. Install one (Debian: \
	apt-get install python3 python3-venv), or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.run-installed: requirements.lock pyproject.toml | $(VENV)/.made
	@echo "Installing the pinned requirements into $(VENV); once, some minutes."
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

$(VENV)/.dev-installed: requirements-dev.lock $(VENV)/.run-installed
	$(BIN)/python -m pip install --quiet -r requirements-dev.lock
	@touch $@
