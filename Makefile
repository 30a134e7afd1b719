# make demo    install into .venv and enlarge a sample picture
# make test    install with development extras and run every check
# make setup   only prepare .venv
# make bench-guard   measure beside other programs, and tell which ratios moved since the last release
# Python 3.11 or later is all that is needed; PYTHON=python3.12 chooses another one.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml $(shell find src -type f -not -name '*.pyc')

.PHONY: setup demo test lint types bench-guard clean

setup: $(VENV)/.development

demo: $(VENV)/.product
	$(BIN)/python examples/demo.py

test: lint
	$(BIN)/python -m pytest

lint: $(VENV)/.development
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.development
	$(BIN)/pyright

# PEERS='--calibrate photos/' measures models in 8 bits too; on a busy machine add --clock processor --threads 1.
bench-guard: $(VENV)/.development
	mkdir -p build
	$(BIN)/python benchmarks/peers.py $(PEERS) --json build/peers.json
	$(BIN)/python benchmarks/guard.py build/peers.json

clean:
	rm -rf $(VENV) demo-output build dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.development: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing everything for development into $(VENV), which takes some minutes"
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@

# What a user gets from `pip install .`; a development installation has it already.
$(VENV)/.product: $(SOURCES) | $(BIN)/python
ifeq ($(wildcard $(VENV)/.development),)
	@echo "installing relume into $(VENV)"
	$(BIN)/python -m pip install --quiet .
endif
	touch $@
