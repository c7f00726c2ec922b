# What a developer needs daily. `make demo` and `make test` set everything up by themselves.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
WEB := gateway/web
MODULES := $(WEB)/node_modules/.ready
PAGE := gateway/static/index.html
PAGE_SOURCES := $(shell find $(WEB) -name node_modules -prune -o -type f -print)
# Node comes from a wheel, so that everybody has the same, and nobody has to have one.
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix $(WEB)
ARGS ?=
# The tests wait for one another's processes more than for the machine: two at a time on any.
WORKERS ?= 2
# Debian has parts of Python, and the broker and the browser that the tests need, in packages of their own.
APT := sudo=$$(test "$$(id -u)" = 0 || echo sudo); $$sudo apt-get update -qq && \
    $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint types imports unit page web bench soak lock clean mosquitto chromium certutil systemd faketime gcc

help: ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1@/p' $(MAKEFILE_LIST) | column -t -s @

demo: $(READY) $(PAGE) ## a whole site on this machine; ARGS="--seconds 20 --json"
	@$(BIN)/blockpost demo $(ARGS)

test: check web $(PAGE) mosquitto chromium certutil systemd faketime gcc ## everything: format, lint, types, imports, all tests
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

check: $(READY) $(MODULES) ## everything but the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(NPM) run --silent check

format: $(READY) $(MODULES) ## format the code, and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@$(NPM) run --silent format

lint: $(READY) ## the linter
	$(BIN)/ruff check .

types: $(READY) ## the type checker
	$(BIN)/mypy

imports: $(READY) ## who may know whom
	$(BIN)/lint-imports

unit: $(READY) ## the quick tests
	$(BIN)/pytest tests/unit tests/property $(ARGS)

page: $(PAGE) ## build the page of the browser

web: $(MODULES) ## the page's own quick tests
	@$(NPM) run --silent test

bench: $(READY) $(PAGE) ## measure; ARGS="commit --json"
	@$(BIN)/blockpost bench $(ARGS)

soak: $(READY) $(PAGE) mosquitto chromium faketime gcc ## an hour with everything in it; ARGS="--minutes 60 --seed 1 --report soak.md"
	@$(BIN)/python -m tests.soak $(ARGS)

lock: $(READY) ## choose versions anew
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --extra all --group dev \
	    --generate-hashes --no-emit-index-url --no-header --upgrade --quiet --output-file requirements.lock

clean: ## forget the environment and everything that was built
	rm -rf .venv build dist *.egg-info $(WEB)/node_modules gateway/static .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(MODULES): $(WEB)/package-lock.json $(WEB)/package.json $(READY)
	@$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGE): $(MODULES) $(PAGE_SOURCES)
	@$(NPM) run --silent build
	@touch $@

# The tests run on the real Mosquitto besides the embedded broker, and in a real browser.
mosquitto:
	@PATH="$$PATH:/usr/sbin" command -v mosquitto > /dev/null || { $(APT) mosquitto; }

chromium:
	@command -v chromium > /dev/null || { $(APT) chromium; }

# It puts a gateway's root into the browser's store, as a clinician does.
certutil:
	@command -v certutil > /dev/null || { $(APT) libnss3-tools; }

# It judges the units that are written.
systemd:
	@command -v systemd-analyze > /dev/null || { $(APT) systemd; }

# It is what makes a gateway's clock leap, and nobody else's.
faketime:
	@ls /usr/lib/*/faketime/libfaketimeMT.so.1 > /dev/null 2>&1 || { $(APT) libfaketime; }

# It compiles the disk that fails on purpose.
gcc:
	@command -v gcc > /dev/null && echo '#include <stdio.h>' | gcc -E - > /dev/null 2>&1 || { $(APT) gcc libc6-dev; }

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Blockpost needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { $(APT) python3-venv; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
