# `make` alone lists the targets. PYTHON=... names the interpreter to install with.

BIN := .venv/bin
SERVICES := $(BIN)/python -m tests.services
# One RabbitMQ and one PostgreSQL serve all of them.
WORKERS := --numprocesses=logical --maxprocesses=4
PYTEST := $(BIN)/python -m pytest $(WORKERS)
FAST := tests/unit tests/property
SLOW := tests/contract tests/integration

export PYTHON

.DEFAULT_GOAL := help
.PHONY: help install run test check bench soak stories load screenshots
.PHONY: format format-check lint types unit test-contract test-integration test-e2e tiers
.PHONY: dev lock clean

help: ## List the targets
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name does; do printf '%-18s %s\n' "$$name" "$$does"; done

install: ## Put the locked versions and the calendar-sync command into .venv
	@deploy/install.sh run

run: install ## Start the demo; ARGS="--port-base 9080 --fresh" are passed on
	@exec $(BIN)/calendar-sync demo $(ARGS)

test: dev format-check lint types ## Run every test on the services and tools it provides
	@$(SERVICES) -- $(MAKE) --no-print-directory tiers

check: dev format-check lint types unit ## Format, lint, imports, types, unit and property tests: no services

bench: dev ## Run the benchmarks; ARGS are passed on
	@$(SERVICES) rabbitmq postgresql -- $(BIN)/python -m tests.benchmarks $(ARGS)

soak: stories load ## Both of the long runs, one after the other

# 60 stories make a chapter.
stories: dev ## Tell more than 2,000 stories of workers and simulators, for half an hour or so
	STORY_CHAPTERS=34 $(PYTEST) tests/property/test_simulators_converge.py

load: dev ## Run everything for an hour under load and faults; ARGS are passed on
	@$(SERVICES) rabbitmq postgresql -- $(BIN)/python -m tests.soak $(ARGS)

screenshots: dev ## Photograph every page into var/screenshots; ARGS are passed on
	@$(SERVICES) chromium -- $(BIN)/python -m tests.screenshots $(ARGS)

format: dev ## Rewrite the code in the one form
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

format-check: dev
	$(BIN)/ruff format --check

lint: dev ## Check style and the arrows between the packages
	$(BIN)/ruff check
	$(BIN)/lint-imports

types: dev ## Check the types
	$(BIN)/mypy

unit: dev ## Run the unit and property tests
	$(PYTEST) $(FAST)

test-contract: dev ## Run the tests of the simulators
	$(PYTEST) tests/contract

test-integration: dev ## Run the tests on real services
	@$(SERVICES) rabbitmq postgresql tools -- $(PYTEST) tests/integration

test-e2e: dev ## Run the tests of all processes together, in a browser too
	@$(SERVICES) -- $(BIN)/python -m pytest tests/e2e

# The processes of the e2e tests run at their own speed, unmeasured; they come last.
tiers:
	$(BIN)/coverage erase
	STORY_CHAPTERS=4 $(BIN)/coverage run -m pytest $(WORKERS) $(FAST) $(SLOW)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include='shared/domain/*' --fail-under=100
	$(BIN)/coverage report --omit='shared/domain/*' --fail-under=90
	$(BIN)/python -m pytest tests/e2e

dev:
	@deploy/install.sh dev

# What is locked already stays unless UPGRADE=--upgrade.
lock: dev ## Write the lock files anew from setup.cfg; UPGRADE=--upgrade takes newer versions
	$(BIN)/python -m venv var/lock
	var/lock/bin/pip install --quiet uv
	for kind in "" -dev; do \
		var/lock/bin/uv pip compile setup.cfg --extra build --extra demo \
			$${kind:+--extra dev} $(UPGRADE) --universal --generate-hashes \
			--system-certs --no-header --quiet \
			--output-file requirements$$kind.lock || exit 1; \
	done

clean: ## Remove what the other targets made; data in var/ stays
	rm -rf .venv var/lock build *.egg-info .coverage .coverage.* .*_cache .hypothesis
