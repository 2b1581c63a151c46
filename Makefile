# Two commands matter: `make demo` and `make test`. Both need only Python >= 3.11, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt
DEMO := runs/demo

.PHONY: help demo test lint types tests robustness docs benchmark study figures format clean chromium
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/installed-demo  ## install, train a small network on bundled photographs under the clock, print the path of the report
	$(BIN)/eigenclock run --data natural16 --out $(DEMO) --overwrite

test: lint types tests docs  ## install, then lint, types, all tests (in a browser too) and the documentation

lint: $(VENV)/installed-dev  ## ruff: style and formatting; import-linter: the floors of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: $(VENV)/installed-dev  ## mypy, strict
	$(BIN)/mypy

tests: $(VENV)/installed-dev chromium  ## pytest
	$(BIN)/pytest -n 2 -q

robustness: $(VENV)/installed-dev  ## all inputs that machines try on the library (an hour), and their counts in docs/robustness.md
	EIGENCLOCK_EXAMPLES=400 $(BIN)/pytest -q tests/robustness/test_predict.py
	$(BIN)/python tests/robustness/machines.py --page docs/robustness.md --examples 400

docs: $(VENV)/installed-dev  ## the documentation, built strictly into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

benchmark: $(VENV)/installed-dev  ## the ratios of benchmarks/, printed
	$(BIN)/python -m benchmarks

study: $(VENV)/installed-dev  ## every study on a CPU, and its page in docs/ (DATA=file of labelled images for the study of classes)
	set -e; for study in $$($(BIN)/python -c "from eigenclock.jobs.studies import study_names; print(*study_names())"); do \
	  data=; [ "$$study" = class_imbalance ] && [ -n "$(DATA)" ] && data="--data $(DATA)"; \
	  $(BIN)/eigenclock study $$study --preset cpu --out runs/$$study $$data; done
	$(BIN)/python -m examples.study_pages

figures: $(VENV)/installed-dev  ## the figures and tables of docs/, made again
	$(BIN)/python -m examples.docs_figures

format: $(VENV)/installed-dev  ## format the code in place
	$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

clean:  ## remove the virtual environment and what was built
	rm -rf $(VENV) site runs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null; \
	else echo "no Chromium found: browser tests will be skipped (install it, e.g. 'sudo apt-get install chromium')"; fi

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "eigenclock needs Python >= 3.11, found " + sys.version)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-demo: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[data,train]'
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[data,train,cluster,dev]'
	@touch $@
