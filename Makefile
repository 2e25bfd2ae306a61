# Everything works from a fresh clone: each target sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help app test check lint format bench clean

help: ## What can be done here
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

app: $(VENV)/installed ## Set up a virtual environment and open the page (ARGS="--port 8000 --model plain20.cifar10")
	$(BIN)/python app.py --open $(ARGS)

test: lint ## Set up, then run every test, the types' and the browser's too (ARGS="-m 'not browser'" leaves those out)
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: lint ## Lint, formatting and types, without changing anything
	$(BIN)/pyright --pythonpath $(BIN)/python

lint: $(VENV)/test-installed ## Lint and formatting alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/oxlint --deny-warnings resnet_demo

format: $(VENV)/test-installed ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/oxlint --fix resnet_demo

bench: $(VENV)/bench-installed ## Measure everything beside what people would use instead (15 minutes)
	$(BIN)/python -m benchmarks

clean: ## Remove the virtual environment
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or later is needed: make app PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian or Ubuntu: sudo apt install python3-venv"; exit 1; }

$(VENV)/installed: requirements.txt | $(BIN)/python
	@echo "Installing PyTorch and Gradio: some minutes, and 6 GB on Linux"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/test-installed: pyproject.toml $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@

$(VENV)/bench-installed: pyproject.toml $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	touch $@
