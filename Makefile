# The front door. `make help` lists what there is; every target sets up what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
# As long as this file is newer than the lock, the environment is that of the lock.
ENVIRONMENT := .venv/installed
UV := $(BIN)/uv pip
INSTALL := apt-get install -y -qq --no-install-recommends
# Files are read and written alike in every locale. Paths in the environment are read by that of LC_ALL alone.
export PYTHONUTF8 := 1
export LC_ALL := C.UTF-8
# Without what Python keeps of modules that it has read, each command would take two seconds more.
unexport PYTHONDONTWRITEBYTECODE
# A machine that trusts certificates of its own keeps them where the system does.
export UV_SYSTEM_CERTS := 1

# The tests wait for browsers and files too: one process more than there are cores keeps all of them at work.
WORKERS = $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.PHONY: help book watch test test-all check style lab data fetch-trade local expected bench pdf edition site compare lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

book: $(ENVIRONMENT) ## build the book into _build/html/index.html
	@$(BIN)/python -m companion book

watch: $(ENVIRONMENT) ## build the book on each change, and reload its pages in the browser
	$(BIN)/python -m companion watch

test: TESTS := -m "not slow"
test: ready ## check style, types, tables, every output of every chapter, and the built book
	$(BIN)/python -m pytest -n $(WORKERS) $(TESTS)

test-all: TESTS :=
test-all: ready ## all that `make test` does, and the slow tests: clean builds compared, editions verified
	$(BIN)/python -m pytest -n $(WORKERS) $(TESTS)

# At the same time, as the browser comes from the network, and types are checked by one processor. Where one of them
# fails, they are made in turn, and its message is in the last lines.
.PHONY: ready
ready: $(ENVIRONMENT)
	@$(MAKE) --no-print-directory --jobs book browser style || $(MAKE) --no-print-directory book browser style

check: $(ENVIRONMENT) style ## the author's loop: style, types, every output, and what the change since the last commit affects
	$(BIN)/python tests/check.py

lab: $(ENVIRONMENT) ## open the chapters in JupyterLab
	$(BIN)/jupytext-config --settings-file .venv/etc/jupyter/labconfig/default_setting_overrides.json \
	  set-default-viewer markdown myst
	$(BIN)/jupyter lab --notebook-dir=. --LabApp.default_url=/lab/tree/chapters/uas/exporters.md \
	  $$([ "$$(id -u)" != 0 ] || echo --allow-root)

data: $(ENVIRONMENT) ## rebuild data/ from upstream files: make data SOURCES=DIR [REPLACE="TABLE TABLE@STATE"], or ACCEPT="TABLE TABLE"
	@test -n "$(SOURCES)$(ACCEPT)" || { echo "Say where the upstream files are: make data SOURCES=DIR" >&2; exit 2; }
	$(BIN)/python -m companion data $(if $(ACCEPT),--accept $(ACCEPT),"$(SOURCES)" $(if $(REPLACE),--replace $(REPLACE)))

fetch-trade: $(ENVIRONMENT) ## get trade by product code into data/local/: FROM=census (key in CENSUS_API_KEY) or FROM=mirrors (exports to Japan)
	$(BIN)/python -m companion fetch-trade --from "$(or $(FROM),census)"

local: $(ENVIRONMENT) ## say what your own files in data/local/ are used for
	$(BIN)/python -m companion local

bench: $(ENVIRONMENT) ## measure builds beside plain Jupyter Book’s, chapters, pages, and how time and memory grow
	$(BIN)/python tests/bench.py

expected: $(ENVIRONMENT) ## run every chapter and record its outputs in tests/expected/
	$(BIN)/python -m companion expected

pdf: $(ENVIRONMENT) browser ## print the whole book into _build/pdf/
	$(BIN)/python -m companion pdf

edition: $(ENVIRONMENT) browser ## freeze the committed state as an edition in _site/<version>/, beside the earlier ones
	$(BIN)/python -m companion edition

site: $(ENVIRONMENT) ## compose _site/ from the archives of editions: make site ARCHIVES=DIR
	@test -n "$(ARCHIVES)" || { echo "Say where the archives are: make site ARCHIVES=DIR" >&2; exit 2; }
	$(BIN)/python -m companion site "$(ARCHIVES)"

compare: $(ENVIRONMENT) ## say which numbers changed: make compare FROM=A TO=B, versions, archives, folders, or revisions in Git
	@test -n "$(FROM)" || { echo "Say what to compare: make compare FROM=A TO=B" >&2; exit 2; }
	@$(BIN)/python -m companion compare "$(FROM)" "$(or $(TO),HEAD)"

lock: $(ENVIRONMENT) ## resolve pyproject.toml anew into requirements.txt
	printf '%s\n' '-e .[book,check,data,edition,lab,test]' | $(UV) compile --quiet --universal --upgrade --python-version 3.11 \
	  --no-header --no-annotate --output-file requirements.txt -

clean: ## remove everything that was built
	rm -rf _build .venv

# Ruff knows notebooks: each chapter is handed over as one, and what Ruff says of it must go to the standard error.
CODE_STYLE := $(BIN)/ruff check -q \"\$$0\" >&2 && $(BIN)/ruff format -q --diff \"\$$0\" >&2
style: $(ENVIRONMENT)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/jupytext --quiet --pipe-fmt ipynb --check "sh -c '$(CODE_STYLE)' {}" $$(grep -rl '^kernelspec:' chapters)
	@$(BIN)/mypy

$(ENVIRONMENT): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "The book needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep "^uv==" requirements.txt)"
	$(UV) sync --quiet --python .venv requirements.txt
	touch $@

# What the environment cannot hold. On a machine without apt-get, a message says what to install.
.PHONY: browser
browser: $(ENVIRONMENT) # the tests look at the book in Chromium, which also prints it, best in its shell without windows
	@command -v chromium-headless-shell >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing Chromium’s shell without windows" \
	    && apt-get update -qq && $(INSTALL) chromium-headless-shell >/dev/null; } \
	  || $(BIN)/python -c "import sys; from companion.editions.printed import find_browser; sys.exit(not find_browser())" \
	  || { echo "Installing Chromium"; apt-get update -qq && $(INSTALL) chromium >/dev/null; } \
	  || { echo "Install Chromium, Chrome or Edge, then run make again." >&2; exit 1; }
