# `make run` and `make test` need only Python 3.11 or newer, make and the package registries.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run install test lint types clean

run: $(VENV)/installed
	$(BIN)/reflex run

install: $(VENV)/installed

test: $(VENV)/installed-tests
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/pytest

lint: $(VENV)/installed-tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/installed-tests
	$(BIN)/mypy

clean:
	rm -rf .web .states .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/installed-tests: $(VENV)/installed tests/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@
