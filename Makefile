# `make run` and `make test` need only Python 3.11 or newer, make and the package registries.

# The system's own Python where it will do: distributions build theirs with profile-guided
# optimization, which version managers leave out, and then everything takes a quarter longer.
WILL_DO := import ensurepip, sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell /usr/bin/python3 -c '$(WILL_DO)' 2>/dev/null && echo /usr/bin/python3 || echo python3)
VENV := .venv
BIN := $(VENV)/bin
# uv installs in seconds what takes pip a minute; where it finds no registry (a mirror that only
# pip is told of), pip does it.
UV := uv==0.13.9
IMAGE_LOCK := deploy/requirements.lock
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
install-from = $(BIN)/python -m uv pip install --quiet --compile-bytecode \
		--python $(BIN)/python -r $(1) -c constraints.txt \
	|| $(PIP) install -r $(1) -c constraints.txt

# Every command and every server a test starts would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run install test lint types lock clean

run: $(VENV)/installed
	$(BIN)/reflex run

install: $(VENV)/installed

test: $(VENV)/installed-tests
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m tests.browser.engines.install
	$(BIN)/python -m tests.browser.proxies.install
	$(BIN)/pytest

lint: $(VENV)/installed-tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/oxlint assets/live
	$(BIN)/hadolint Dockerfile

types: $(VENV)/installed-tests
	$(BIN)/mypy

# After a change of the requirements: what they need in turn, with exact versions, and for the image
# with hashes.
lock: $(BIN)/python
	{ sed '/^[^#]/,$$d' constraints.txt; $(BIN)/python -m uv pip compile --quiet --universal \
		--python-version 3.11 --no-header --no-annotate requirements.txt tests/requirements.txt; \
	} > constraints.new
	mv constraints.new constraints.txt
	{ sed '/^[^#]/,$$d' $(IMAGE_LOCK); $(BIN)/python -m uv pip compile --quiet --universal \
		--python-version 3.11 --no-header --no-annotate --generate-hashes -c constraints.txt \
		requirements.txt; \
	} > $(IMAGE_LOCK).new
	mv $(IMAGE_LOCK).new $(IMAGE_LOCK)

clean:
	rm -rf .web .states .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	-$(PIP) install $(UV)

$(VENV)/installed: requirements.txt constraints.txt | $(BIN)/python
	$(call install-from,requirements.txt)
	touch $@

$(VENV)/installed-tests: $(VENV)/installed tests/requirements.txt
	$(call install-from,tests/requirements.txt)
	touch $@
