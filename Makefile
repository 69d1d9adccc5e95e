.DEFAULT_GOAL := help
.PHONY: help setup demo test lint type bench build clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup:  ## install what is missing: system, Python and npm packages, the service's account
	@scripts/setup

demo: setup  ## start everything, do a round trip through the ECC queue, stay up until Ctrl-C (ONCE=1: end after it; BRIDGE=poller)
	@.venv/bin/python -m emulator.demo $(if $(filter 1,$(ONCE)),--once) $(if $(BRIDGE),--bridge $(BRIDGE))

test: setup  ## check style and types, run all tests (ARGS="-k resume": arguments for pytest)
	@scripts/test $(ARGS)

lint: setup  ## check style and formatting
	@scripts/lint

type: setup  ## check types
	@scripts/types

bench: setup  ## measure, in about 18 minutes (FULL=1: all of it, some hours; ARGS="api": parts and options)
	@.venv/bin/python -m benchmarks $(if $(filter 1,$(FULL)),--full) $(ARGS)

build: setup  ## make the wheel, the ServiceNow update set and its fix scripts in dist/
	@.venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .
	@rm -rf build/lib build/bdist.* && ls dist/*.whl
	@.venv/bin/python -m sidecar.cli app build --output dist

clean:  ## remove what these verbs made: .venv, node_modules, builds, caches
	@rm -rf .demo .venv node_modules build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name .git -prune -o -type d -name __pycache__ -exec rm -rf {} +
