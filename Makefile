# make book and make test set up .venv by themselves; make help lists the rest.
PYTHON ?= python3.11
SCALE  ?= book
SEED   ?= 0
JOBS   ?=
TORCH  ?=

# A mistyped variable would otherwise be ignored, and the default taken for what was asked.
KNOWN := PYTHON SCALE SEED JOBS TORCH
UNKNOWN := $(filter-out $(addsuffix =%,$(KNOWN)) $(addsuffix :=%,$(KNOWN)),$(filter-out -%,$(MAKEOVERRIDES)))
ifneq ($(UNKNOWN),)
$(error unknown variable: $(UNKNOWN). There are $(KNOWN))
endif
ifneq ($(filter-out cpu,$(TORCH)),)
$(error TORCH is "$(TORCH)": leave it out, or give TORCH=cpu for the build without CUDA)
endif

# Relative paths throughout: the project may lie in a folder whose name has spaces.
# Always .venv: its rules empty the folder, which must not be one of the user's.
override VENV := .venv
RUN := $(VENV)/bin/python
TORCH_INDEX := $(if $(TORCH),--extra-index-url https://download.pytorch.org/whl/cpu)
EXTRAS := book,test,data,cluster
# Held back by hand: Binder installs the same version from conda-forge, which comes later.
TORCH_VERSION := 2.13.0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book pdf execute paper test lint format bench derived lock clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1  \t\2/p' Makefile
	@echo "Variables: SCALE=smoke|book|paper  SEED=0  JOBS=2  PYTHON=python3.11  TORCH=cpu"

# The marks come last: after an interruption the step begins anew (pip keeps what it downloaded).
$(VENV)/.packages: requirements.lock
	@command -v "$(PYTHON)" >/dev/null || { echo "error: no $(PYTHON) found: install Python 3.11, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "error: $(PYTHON) is not Python 3.11: name one, make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up $(VENV): a few minutes, once"
	"$(PYTHON)" -m venv --clear $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check $(TORCH_INDEX) -r requirements.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.packages pyproject.toml
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(RUN) -m pip check --disable-pip-version-check
	@touch $@

book: $(VENV)/.installed  ## execute the chapters that changed and build the site: _build/html/index.html
	$(RUN) book/_pipeline build --scale "$(SCALE)" --seed "$(SEED)" $(if $(JOBS),--jobs "$(JOBS)")

pdf: book  ## the whole book as one PDF, printed by Chromium: _build/low-tensor-rank-learning.pdf
	$(RUN) book/_pipeline pdf

execute: $(VENV)/.installed  ## execute the chapters that changed, without the site
	$(RUN) book/_pipeline execute --scale "$(SCALE)" --seed "$(SEED)" $(if $(JOBS),--jobs "$(JOBS)")

# Hours; interrupted, it goes on where it was. SCALE has no meaning here.
paper: $(VENV)/.installed  ## the chapters with published values, at the papers' sizes: results/, to commit
	$(RUN) book/_pipeline execute --published --scale paper --seed "$(SEED)" $(if $(JOBS),--jobs "$(JOBS)")

test: $(VENV)/.installed  ## all tests, the chapters at smoke scale and the site in a browser included
	$(RUN) -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed  ## ruff and mypy
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

format: $(VENV)/.installed  ## let ruff mend what it can
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

bench: $(VENV)/.installed  ## time decomposition, ltrRNN and learning side by side: _build/benchmarks.json
	OMP_NUM_THREADS=1 $(RUN) benchmarks/run.py --output _build/benchmarks.json

derived: $(VENV)/.installed  ## README's table and address, CITATION.cff, .zenodo.json, environment.yml
	$(RUN) book/_pipeline derived

# Without the CUDA packages (torch names their versions itself) and the mark of torch's CPU build.
lock:  ## resolve the newest versions anew and write requirements.lock
	"$(PYTHON)" -m venv --clear _build/lock
	_build/lock/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH_INDEX) -e ".[$(EXTRAS)]" "setuptools>=77" "torch==$(TORCH_VERSION)"
	_build/lock/bin/python -m pip freeze --disable-pip-version-check --all --exclude-editable --exclude pip > _build/lock/freeze.txt
	{ echo "# Exact versions of everything, written by make lock."; sed -E -e '/^(nvidia|cuda|triton|pytorch-triton)[-=]/d' -e 's/\+[a-z0-9.]+$$//' _build/lock/freeze.txt; } > _build/lock/requirements.lock
	mv _build/lock/requirements.lock requirements.lock
	rm -rf _build/lock
	@echo "Now: make derived test"

clean:  ## remove all that was built; the environment .venv stays
	rm -rf _build .pytest_cache .ruff_cache .mypy_cache .hypothesis
