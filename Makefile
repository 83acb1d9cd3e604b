SUITE ?= quick##            the suite to run or report: a name in suites/ or a path to a .toml
GPUS ?=##                   run at 1, 2, 4, … up to this many GPUs (default: what the machine has)
PYTHON ?= python3.11##      the Python 3.11 to build .venv with
TORCH ?= $(or $(file < .venv/.torch),cpu)##  the build of torch, cpu or cuda (default: the one in .venv, else cpu)
CONTAINER ?=##              the image that bench and report run in (default: none, they run in .venv)
ONLY ?=##                   of make contracts: pytest's expression of names (default: all)
KILLS ?= 21##               how often make test-kill kills each of its seven suites
BASE ?=##                   what make container starts from: docker, debootstrap or an image's file

VENV := .venv/bin
BENCH := $(if $(CONTAINER),BENCH_IMAGE='$(CONTAINER)' slurm/bench,$(VENV)/bench)
LOCKS := requirements/lock.txt requirements/torch-$(TORCH).txt requirements/uv.txt pyproject.toml requirements/setup.sh
STAMP := .venv/.lock-$(shell { cat $(LOCKS); pwd; } 2>/dev/null | sha256sum | cut -c1-16)-$(TORCH)
SYNE_TUNE := .venv/syne-tune/bin/.locked
FILE := $(firstword $(wildcard suites/$(SUITE).toml) $(SUITE))
CELLS := $(SUITE) $(if $(GPUS),--gpus $(GPUS))

.DEFAULT_GOAL := help
.PHONY: help setup data bench report container test contracts test-kill test-cluster lint format \
  microbench reference lock clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s%s\n", $$1, $$2 }' Makefile
	@echo; echo "variables, e.g. make bench SUITE=quick GPUS=2"
	@awk -F ' [?]=.*## +' '/^[A-Z]+ [?]=/ { printf "  %-17s%s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## build .venv from the locks (does nothing when it is up to date)

$(STAMP):
	@requirements/setup.sh "$(PYTHON)" "$(TORCH)" "$@"

data: setup ## fetch MNIST into data/ (or $BENCH_DATA), unless it is there
	@$(VENV)/bench data mnist

bench: $(if $(CONTAINER),,setup) ## run what is not finished of SUITE, then draw its report
	@if grep -qs mnist $(FILE) && ! grep -q '^engines = \["virtual"\]' $(FILE); then \
	  $(BENCH) data mnist; fi
	@$(BENCH) run $(CELLS); ran=$$?; [ $$ran -le 1 ] || exit $$ran; \
	  $(BENCH) report $(CELLS) && exit $$ran # 1: a cell failed; the report says which

report: $(if $(CONTAINER),,setup) ## draw the report of SUITE from its journals, running nothing
	@$(BENCH) report $(CELLS)

container: ## build containers/bench.sif, of this commit and its locks, for TORCH
	@containers/build.sh '$(TORCH)' '$(BASE)'

test: setup ## run the tests, two files at a time
	@$(VENV)/python -m pytest -n 2 --dist loadfile --benchmark-disable

contracts: setup ## run the tests that take minutes: slow algorithms, several GPUs a trial, real against virtual
	@$(VENV)/python -m pytest -n 2 --dist loadgroup --benchmark-disable -m minutes --timeout=0 $(if $(ONLY),-k '$(ONLY)')

test-kill: setup ## kill runs at random moments, over a hundred times, and see that nothing is lost
	@KILLS=$(KILLS) $(VENV)/python -m pytest -n 2 --benchmark-disable -m kill --timeout=0

test-cluster: setup ## run the tests that need SLURM and the image, where these can be had; root
	@tests/cluster/run.sh

lint: setup ## check style, form and types
	@$(VENV)/ruff check
	@$(VENV)/ruff format --check
	@$(VENV)/mypy
	@$(VENV)/shellcheck -x .ci/run requirements/*.sh containers/*.sh tests/cluster/*.sh \
	  slurm/bench slurm/exec slurm/*.sh slurm/*.sbatch results/reference/*.sh

format: setup ## put the code in form, mend what can be mended
	@$(VENV)/ruff check --fix
	@$(VENV)/ruff format

$(SYNE_TUNE): requirements/syne-tune.txt # beside which the virtual clock's speed is measured
	@$(VENV)/uv --quiet venv --clear --python $(VENV)/python $(@D)/..
	@$(if $(PIP_INDEX_URL),UV_DEFAULT_INDEX='$(PIP_INDEX_URL)') \
	  $(VENV)/uv --quiet pip sync --require-hashes --python $(@D)/python $<
	@touch $@

microbench: setup data $(SYNE_TUNE) ## measure engines, training, journal, start-up and suggestions: over an hour
	@$(VENV)/python -m pytest -o addopts= -rs --timeout=0 --benchmark-only --benchmark-group-by=group \
	  --benchmark-columns=min,median,max,rounds tests/benchmarks
	@$(VENV)/python tests/benchmarks/plot_suggestion_latency.py

reference: setup data ## run the published suites and put their reports into results/reference: an hour
	@results/reference/publish.sh

lock: setup ## compile the locks again from requirements/bench.in, keeping the pins that fit
	@requirements/lock.sh "$(CURDIR)/$(VENV)/uv"

clean: ## remove .venv and caches; data/ and results/ stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks build *.egg-info
	@find bench tests -name __pycache__ -prune -exec rm -rf {} +
