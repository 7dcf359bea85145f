# Every target does its own set-up in .venv; a second call starts at once.
#   make run | test | slow-test | browser-test | lint
# TORCH_INDEX=URL   take torch from that package index (a GPU build, a mirror)
# PYTHON=...        the Python 3.11 to build the environment with

PYTHON ?= $(shell command -v python3.11 || command -v python3)
TORCH := 2.13.0
TORCH_INDEX ?=
CPU_INDEX := https://download.pytorch.org/whl/cpu
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q
READY := .venv/ready
SCRIPTS = $(shell find assets tests -name '*.*js' -not -path '*/vendor/*' 2>/dev/null)
SCRIPT_TESTS = $(wildcard tests/js/*.js tests/js/*.mjs)
CHROMIUM = $(shell command -v chromium || command -v chromium-browser)

.PHONY: run test slow-test browser-test lint chromium clean

run: $(READY)
	$(BIN)/python app.py

test: $(READY)
	$(BIN)/python -m pytest -q -m "not browser and not slow" --durations=10
	@if command -v node >/dev/null; then \
	  if [ -n "$(SCRIPT_TESTS)" ]; then node --test $(SCRIPT_TESTS); fi; \
	else echo "no node: the JavaScript tests did not run (apt-get install nodejs)"; fi

slow-test: $(READY)
	$(BIN)/python -m pytest -q -m "slow and not browser"

browser-test: $(READY) chromium
	$(BIN)/python -m pytest -q -m browser tests/browser

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/mypy
	@if command -v node >/dev/null; then for f in $(SCRIPTS); do node --check "$$f" || exit 1; done; \
	else echo "no node: the JavaScript was not checked (apt-get install nodejs)"; fi

# Torch first and pinned, so that nothing later pulls another build; then numpy, which vamp's
# set-up imports; then vamp without isolation; then the rest. tinysoundfont, which renders the
# study's scores, comes without its dependency on an audio device's driver.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Python 3.11 is needed, $(PYTHON) is another; run: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf .venv; $(PYTHON) -m venv .venv; }
	@echo "Installing into .venv; the first time takes a few minutes."
	@if $(BIN)/python -c 'import torch; raise SystemExit(not torch.__version__.startswith("$(TORCH)"))' 2>/dev/null; then :; \
	elif [ -n "$(TORCH_INDEX)" ]; then $(PIP) torch==$(TORCH) --index-url "$(TORCH_INDEX)"; \
	elif [ "$$(uname -s)" = Linux ] && ! nvidia-smi >/dev/null 2>&1; then \
	  $(PIP) torch==$(TORCH)+cpu 2>/dev/null || \
	  $(PIP) torch==$(TORCH)+cpu --extra-index-url $(CPU_INDEX) || $(PIP) torch==$(TORCH); \
	else $(PIP) torch==$(TORCH); fi
	$(PIP) 'numpy>=2.0,<3' 'setuptools>=77,<81' wheel
	@$(PIP) --no-build-isolation 'vamp>=1.1,<2' && $(PIP) --no-build-isolation -e '.[dev,study,chordino]' || \
	  { echo "Chordino could not be installed (it needs a C++ compiler and Python.h, python3-dev): Inlay runs without it."; \
	    $(PIP) --no-build-isolation -e '.[dev,study]'; }
	@$(PIP) --no-deps 'tinysoundfont>=0.3.7,<0.4' || \
	  echo "tinysoundfont could not be installed: study.data.render will not run, everything else does."
	@touch $@

chromium:
	@if [ -z "$(CHROMIUM)" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -q && apt-get install -y -q --no-install-recommends chromium; \
	  else echo "Chromium is missing; run: sudo apt-get install chromium"; exit 1; fi; fi

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache
