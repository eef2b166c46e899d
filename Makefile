# A newcomer's commands: `make model`, `make book`, `make test`. `make help` lists the others.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

RUN ?= demo
PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3 2>/dev/null))
BIN := .venv/bin
STAMP := .venv/stamp
# What pip check may say: the metadata of msclap lags behind; the classes used of it do not.
KNOWN := '^No broken' -e '^msclap 1\.3\.4 has requirement \(librosa\|numpy\|pandas\|transformers\)<'
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Packages are installed uncompiled; each is compiled once, when first imported.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help model book people test mutants lint format pairs lab env clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  RUN=<name> takes params/<name>.yaml (default: demo)"

model: $(STAMP)  ## a small model in minutes, for `paraclap score my.wav --candidates happy,sad,angry`
	@$(BIN)/paraclap book params/quick.yaml --only 01-04 --no-html
	@echo "Ask it: $(BIN)/paraclap score my.wav --candidates happy,sad,angry"

book: $(STAMP)  ## run the notebooks with params/$(RUN).yaml, build the book, print its first page
	@$(BIN)/paraclap book params/$(RUN).yaml

# Clips come from packages of Debian; G722 decodes some of them.
people: $(STAMP)  ## chapters 1 to 5 on real speech of 42 people, fetched from packages of Debian
	@$(BIN)/python -m pip install --quiet "G722>=1.2.8"
	@$(BIN)/paraclap book params/people.yaml --only 01-05 --no-html

# OpenMP waits without spinning: processes of the suite share the cores.
test: lint  ## all checks: style, types, pairs, tests, doctests, the book in small
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(BIN)/pytest --numprocesses auto --dist loadfile

lint: $(STAMP)  ## style, format, types, direction of imports, notebooks in sync with their pairs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/paraclap pairs --check

mutants: $(STAMP)  ## would the tests notice a change? small ones, by mutmut (hours)
	$(BIN)/python -m pip install --quiet "mutmut>=3.3"
	$(BIN)/mutmut run && $(BIN)/mutmut results

format: $(STAMP)  ## put style and format right, as far as ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

pairs: $(STAMP)  ## write each book/*.ipynb anew from the .py beside it, without outputs
	@$(BIN)/paraclap pairs

# .jupyter/ says that a double click on a .py of the book opens it as the notebook it is.
lab: $(STAMP)  ## open the notebooks in JupyterLab
	JUPYTER_CONFIG_PATH="$(CURDIR)/.jupyter" $(BIN)/jupyter lab book

env: $(STAMP)  ## the environment alone

# hashes.txt lists every package of constraints.txt, so nothing is left to resolve, and three parts of it
# are installed at once; but for torch: what its build for this machine needs besides (CUDA libraries or
# none) it says itself. The stamp is written last: an installation that broke off is done again.
$(STAMP): pyproject.toml constraints.txt hashes.txt
	@test -n "$(PYTHON)" || { echo "No python3 found: install Python 3.11, or make PYTHON=/path/to/it" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { echo "$(PYTHON) is not Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing the environment into .venv (one to three minutes, 2.4 GB; once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@: > .venv/check.out
	@awk '/^[^ #]/ { n++ } n { print > ".venv/part" n % 3 ".txt" }' hashes.txt
	@{ ls .venv/part?.txt | xargs -P 3 -n 1 $(BIN)/python -m pip install --no-deps --no-compile --require-hashes -r 2> .venv/install.err \
	  && $(BIN)/python -m pip install --no-compile -c constraints.txt torch 2>> .venv/install.err; } \
	  | while read -r line; do case "$$line" in \
	      Collecting*|Processing*) n=$$(( $${n:-0} + 1 )); (( n % 25 )) || echo "    fetch packages: $$n of $(words $(shell grep '^[A-Za-z]' constraints.txt))";; \
	      "Installing collected"*) echo "    unpack a part of them";; \
	    esac; done \
	  && $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e . 2>> .venv/install.err \
	  && { $(BIN)/python -m pip check 2>&1 || true; } | { grep -v -e $(KNOWN) || true; } > .venv/check.out \
	  && test ! -s .venv/check.out \
	  || { cat .venv/install.err .venv/check.out >&2; echo "The installation failed, see above." >&2; exit 1; }
	@touch $@

clean:  ## remove the built book and what the tools left; runs/ and .venv stay
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find paraclap tests -name __pycache__ -type d -prune -exec rm -rf {} +
