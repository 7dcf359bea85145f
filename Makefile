# Every target does its own set-up in .venv; a second call starts at once.
#   make run | test | slow-test | browser-test | fire | lint
# TORCH_INDEX=URL   take torch from that package index (a GPU build, a mirror)
# PYTHON=...        the Python to build the environment with, 3.11 to 3.14
# ARGS=...          options of `inlay serve` for make run
# JOBS=N            processes that run the tests (auto: one a core, at most four; each takes 3 GB)

# The first that answers and fits; 3.11 before the others, because Chordino ends there. Asked by running
# it: a version manager's shim is on the path of Pythons that are not installed, too.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	    if $$p -c '$(FITS)' 2>/dev/null; then command -v $$p; break; fi; done)
JOBS ?= auto
TORCH := 2.13.0
TORCH_INDEX ?=
CPU_INDEX := https://download.pytorch.org/whl/cpu
BIN := .venv/bin
# Modules are compiled as they are imported: all of them would take pip longer than their download.
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q --no-compile
READY := .venv/ready
SCRIPTS = $(shell find assets tests -name '*.*js' -not -path '*/vendor/*' 2>/dev/null)
SCRIPT_TESTS = $(wildcard tests/js/*.js tests/js/*.mjs)
# By itself node leaves a core free, which on two is one file after the other; node 18 knows no other way.
NODE_JOBS = $(shell node --help 2>/dev/null | grep -q -e --test-concurrency && echo --test-concurrency=2)
# Debian packages of the browsers that are missing.
BROWSERS = $(shell command -v chromium >/dev/null || command -v chromium-browser >/dev/null || echo chromium; \
	    command -v firefox-esr >/dev/null || command -v firefox >/dev/null || echo firefox-esr)

.PHONY: run test slow-test browser-test fire lint browsers clean

run: $(READY)
	$(BIN)/python app.py $(ARGS)

# Compiled modules are kept, whatever the environment says: without them a start takes ten seconds more.
export PYTHONDONTWRITEBYTECODE :=

# One thread each: two processes of two threads on two cores wait for each other.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q \
	-n $(JOBS) --maxprocesses 4 --dist worksteal --durations=10

test: $(READY)
	$(PYTEST) -m "not browser and not slow"
	@if command -v node >/dev/null; then \
	  if [ -n "$(SCRIPT_TESTS)" ]; then node --test $(NODE_JOBS) $(SCRIPT_TESTS); fi; \
	else echo "no node: the JavaScript tests did not run (apt-get install nodejs)"; fi

slow-test: $(READY)
	$(PYTEST) -m "slow and not browser"

browser-test: $(READY) browsers
	@# Each process has a server and a Chromium of its own. What fails beside others has to pass alone.
	$(PYTEST) --maxprocesses 2 -m browser tests/browser || { echo "These once more, one after the other:"; \
	  $(PYTEST) -n 0 -m browser tests/browser -v --last-failed --last-failed-no-failures none; }

# The scripts under fire as they are meant, one line each (tests/fire/README.md): 45 minutes.
FIRE = hostile kills full_disk tabs beside crowd foreign users
fire: $(READY) browsers
	@status=0; for script in $(FIRE); do \
	  OMP_NUM_THREADS=1 GOMP_SPINCOUNT=100 $(BIN)/python -m tests.fire.$$script \
	    || status=1; done; exit $$status

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/mypy
	@if ! command -v node >/dev/null; then echo "no node: the JavaScript was not checked (apt-get install nodejs)"; \
	elif [ -d node_modules/typescript ] || npm ci --silent --no-audit --no-fund >/dev/null 2>&1; then npm run --silent lint; \
	else echo "no eslint and tsc (npm ci does not work here): the JavaScript's syntax alone is checked"; \
	  for f in $(SCRIPTS); do node --check "$$f" || exit 1; done; fi

# Torch first and pinned, so that nothing later pulls another build; then numpy, which vamp's set-up
# imports, and what builds vamp and Inlay; then vamp without isolation; then the rest. tinysoundfont, which
# renders the study's scores, comes without its dependency on an audio device's driver.
# Last, librosa's loops are compiled and kept, by one process: two that do so at once crash (numba #10128).
define COMPILE
import librosa, numpy as np
y = np.sin(np.arange(32_000.0) ** 1.5 / 900).astype("f4")
librosa.onset.onset_detect(y=y, sr=32_000)
librosa.cqt(y, sr=32_000)
librosa.effects.pitch_shift(y, sr=32_000, n_steps=1)
endef
export COMPILE
$(READY): pyproject.toml
	@$(if $(PYTHON),$(PYTHON),false) -c '$(FITS)' || { \
	  echo "Inlay needs Python 3.11, 3.12, 3.13 or 3.14; found: $(if $(PYTHON),$(PYTHON),none of them)."; \
	  echo "Install one (Debian: apt-get install python3-venv) or run: make $(MAKECMDGOALS) PYTHON=/path/to/python"; \
	  exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { rm -rf .venv; $(PYTHON) -m venv .venv; }
	@echo "Installing into .venv; the first time takes a few minutes."
	@if $(BIN)/python -c 'import torch; raise SystemExit(not torch.__version__.startswith("$(TORCH)"))' 2>/dev/null; then :; \
	elif [ -n "$(TORCH_INDEX)" ]; then $(PIP) torch==$(TORCH) --index-url "$(TORCH_INDEX)"; \
	elif [ "$$(uname -s)" = Linux ] && ! nvidia-smi >/dev/null 2>&1; then \
	  $(PIP) torch==$(TORCH)+cpu 2>/dev/null || \
	  $(PIP) torch==$(TORCH)+cpu --extra-index-url $(CPU_INDEX) || $(PIP) torch==$(TORCH); \
	else $(PIP) torch==$(TORCH); fi
	$(PIP) 'numpy>=2.0,<3' setuptools wheel 'hatchling>=1.27,<2'
	@$(PIP) --no-build-isolation 'vamp>=1.1,<2; python_version < "3.12"' && \
	  $(PIP) --no-build-isolation -e '.[dev,study,chordino]' || \
	  { echo "Chordino could not be installed (it needs a C++ compiler and Python.h, python3-dev): Inlay runs without it."; \
	    $(PIP) --no-build-isolation -e '.[dev,study]'; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 12))' || \
	  echo "Chordino ends at Python 3.11: Inlay runs without it."
	@$(PIP) --no-deps 'tinysoundfont>=0.3.7,<0.4' || \
	  echo "tinysoundfont could not be installed: study.data.render will not run, everything else does."
	@$(BIN)/python -W ignore -c "$$COMPILE" || echo "librosa was not compiled ahead: the first measurement takes longer."
	@touch $@

browsers:
	@if [ -n "$(BROWSERS)" ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -q && apt-get install -y -q --no-install-recommends $(BROWSERS); \
	  else echo "A browser is missing; run: sudo apt-get install $(BROWSERS)"; exit 1; fi; fi

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache
