# Run `make` to list the targets. Each one, except `help` and `clean`, first sets up this folder if its dependencies changed.

PYTHON ?= python3
# From the command line only: an exported variable of another program must not confirm or select anything.
PORT :=
YES :=
STACKS :=
SEED :=
MINUTES := 10
UPGRADE :=
PHOTOS := 200

# Recipes find the Python, Node.js, and CDK CLI of this folder before any others. GNU Make 3.81, which macOS ships, applies
# the exported PATH to simple recipe lines only if SHELL is set.
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)
# In a locale without UTF-8, Python could not print ✓.
export PYTHONUTF8 := 1

# Settings on the command line, such as `make deploy name=annas`, override those in cdk.json.
SETTINGS := name allowed_cidr time_zone alert_email monthly_budget_usd thumbnails_on expires_at
quoted = '$(subst ','\'',$(value $(1)))'
CONTEXT = $(foreach setting,$(filter $(SETTINGS) expires_after_hours,$(GIVEN)),-c $(setting)=$(call quoted,$(setting)))
# Numbers of `make cost`, which passes each as an option: PAGE_VIEWS as --page-views.
USAGE := PHOTOS ALBUMS ALBUM_PHOTOS PAGE_VIEWS DELETIONS MEGAPIXELS BYTES UPLOAD
USAGE_OPTIONS = $(foreach variable,$(filter $(USAGE),$(GIVEN)),--$(shell echo $(variable) | tr A-Z_ a-z-) $(call quoted,$(variable)))
OPERATION = python -m operations $(CONTEXT)

# Reject variables that a target does not use: `make destroy nmae=annas` would destroy the deployment with the default
# name, and `make destroy STACKS=Cron` all stacks.
GIVEN := $(foreach variable,$(.VARIABLES),$(if $(filter command,$(origin $(variable))),$(variable)))
USED_BY_local := $(SETTINGS) PORT
USED_BY_demo := $(SETTINGS) PORT
USED_BY_preflight := $(SETTINGS) STACKS
USED_BY_deploy := $(SETTINGS) expires_after_hours STACKS YES
USED_BY_destroy := $(SETTINGS) YES
USED_BY_cost := $(SETTINGS) expires_after_hours $(USAGE)
USED_BY_key := $(SETTINGS)
USED_BY_logs := $(SETTINGS) MINUTES
USED_BY_redrive := $(SETTINGS)
USED_BY_remake := $(SETTINGS)
USED_BY_compare := $(filter-out thumbnails_on,$(SETTINGS)) PHOTOS YES
USED_BY_synth := $(SETTINGS)
USED_BY_soak := SEED thumbnails_on
USED_BY_fuzz := MINUTES
USED_BY_lock := UPGRADE
define check_variable
ifeq ($(filter $(1),PYTHON $(USED_BY_$(2))),)
$$(error make $(2) does not use the variable $(1). It uses: $(USED_BY_$(2)) PYTHON)
endif
endef
$(foreach goal,$(or $(MAKECMDGOALS),help),$(foreach variable,$(GIVEN),$(eval $(call check_variable,$(variable),$(goal)))))

# An unset variable of a script (`STACKS=$UNSET`) must not deploy all stacks, and YES=no must not confirm.
ifneq ($(filter STACKS,$(GIVEN)),)
ifeq ($(strip $(STACKS)),)
$(error STACKS is empty. Name stacks, or omit it to deploy all)
endif
endif
ifneq ($(filter-out 1,$(YES)),)
$(error YES must be 1 or empty, but it is '$(YES)')
endif

# Example values for the settings that open the service and send alerts. cdk.json sets neither.
OPENED = -c target=aws -c allowed_cidr=203.0.113.0/24 -c alert_email=someone@example.com

# Three workers on two cores, because tests with a sandbox often wait. tests/conftest.py defines what shares a worker.
ALL_TESTS = pytest --numprocesses=3 --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup local demo synth preflight deploy destroy cost key logs redrive remake compare test test-fast soak fuzz permissions reports check bench screenshot lock clean

help:  ## List the targets
	@[ ! -t 1 ] || columns=$$(stty size 2> /dev/null < /dev/tty | cut -d ' ' -f 2); \
	sed -n -e 's/^##@ \(.*\)/\1/p' -e 's/^\([a-z-]*\):.*##  *\(.*\)/\1	\2/p' $(MAKEFILE_LIST) | \
		awk -F '\t' -v columns="$$columns" ' \
			NF == 1 { line = "\n"; indent = "" } \
			NF == 2 { line = sprintf("make %-12s ", $$1); indent = sprintf("%18s", "") } \
			{ \
				count = split($$NF, words, " "); \
				for (i = 1; i <= count; i++) { \
					if (columns && length(line words[i]) >= columns) { print line; line = indent } \
					line = line words[i] " " \
				} \
				print line \
			}'

setup: .venv/ready  ## Set up this folder: virtual environment, Node.js, CDK CLI
.venv/ready: tools/setup.py requirements.txt package.json package-lock.json lambda_src/*/requirements.txt
	@command -v $(PYTHON) > /dev/null || { echo "$(PYTHON) not found. Install Python 3.11 or newer, or set PYTHON to its path." >&2; exit 1; }
	@$(PYTHON) tools/setup.py

##@ Run it on this machine, without an account

local: setup  ## Deploy everything to an emulator on this machine and run until Ctrl-C (PORT=…, thumbnails_on=…)
	@python -m local $(CONTEXT) up $(if $(PORT),--port $(PORT))

demo: setup  ## Send real photos through every service in the emulator, then destroy it (PORT=…, thumbnails_on=…)
	@python -m local $(CONTEXT) demo $(if $(PORT),--port $(PORT))

synth: setup  ## Write the templates of all stacks to cdk.out/, without credentials
	@$(OPERATION) synth

##@ Operate a deployment in an account, or with the exports of `make local` in the sandbox

preflight: setup  ## Check an account for known causes of a failed first deployment (STACKS=…, name=…)
	@$(OPERATION) preflight $(STACKS)

deploy: setup  ## Deploy to a sandbox account, open to your public address only (STACKS=…, name=…, expires_after_hours=8, YES=1)
	@$(OPERATION) deploy $(STACKS) $(if $(YES),--yes)

destroy: setup  ## Delete the deployment from the account (name=…, YES=1)
	@$(OPERATION) destroy $(if $(YES),--yes)

cost: setup  ## Print the idle cost per hour, or the bill of a month with PHOTOS=1000000 (UPLOAD=s3, thumbnails_on=…, expires_after_hours=8)
	@$(OPERATION) cost $(USAGE_OPTIONS)

key: setup  ## Print the API key, which write requests need
	@$(OPERATION) key

logs: setup  ## Print the output of functions, containers, and jobs of the last MINUTES=10, and follow it until Ctrl-C
	@$(OPERATION) logs --follow --minutes $(call quoted,MINUTES)

redrive: setup  ## Reprocess the messages in the dead-letter queues
	@$(OPERATION) redrive

remake: setup  ## Regenerate the thumbnails of all photos with a Batch array job
	@$(OPERATION) remake

compare: setup  ## Send the same photos through every compute option, and price each one (PHOTOS=200, YES=1)
	@$(OPERATION) compare --photos $(call quoted,PHOTOS) $(if $(YES),--yes)

##@ Change and maintain the project

test: setup  ## Run all tests: no account, no Docker, no internet
	@$(ALL_TESTS)

test-fast: setup  ## Run the tests that need neither a sandbox nor a browser, except the slow ones
	@pytest --numprocesses=2 -m "not slow" --ignore=tests/e2e

soak: setup  ## Inject faults while 1,000 photos are processed, and verify every result (thumbnails_on=…; SEED=… repeats a run)
	@python -m tests.soak $(if $(SEED),--seed $(SEED)) $(if $(filter thumbnails_on,$(GIVEN)),--thumbnails-on $(call quoted,thumbnails_on))

fuzz: setup  ## Decode images with changed parts, counts, and offsets for MINUTES=10
	@FUZZ_MINUTES=$(MINUTES) pytest tests/lambda_src/photos/test_imaging_fuzz.py

permissions: setup  ## Remove each permission in turn, verify that a call fails, and write docs/reports/permissions.md
	@python -m tests.permissions

reports: setup  ## Generate docs/reports/: run the tests of each guarantee, and the permission trials
	@$(ALL_TESTS) -m guarantee --junitxml=.cache/guarantees.xml
	@python -m tests.permissions
	@python -m tools.guarantees

check: setup  ## Check format, lint, types, templates, secrets, and known vulnerabilities
	ruff format --check
	ruff check
	mypy
	cdk synth --quiet --strict -c target=aws
	cfn-lint cdk.out/*.template.json
	@for compute in lambda-image fargate ec2; do \
		echo "Templates with thumbnails_on=$$compute and the service opened"; \
		cdk synth --quiet --strict $(OPENED) -c thumbnails_on=$$compute --output .cache/opened/$$compute && \
			cfn-lint .cache/opened/$$compute/*.template.json || exit 1; \
	done
	pytest -q tests/compliance tests/tools/test_private_names.py
	@python -m tools.audit

bench: setup  ## Benchmark the thumbnailer (speed, memory, cold start), the billed time of a photo, and everyday commands
	@python -m tools.benchmark
	@python -m tools.benchmark.commands

screenshot: setup  ## Record the README's animation of the gallery page in use (needs Chromium)
	@python -m tools.screenshot

lock: setup  ## Pin the dependencies that the requirements.in files name (UPGRADE="PACKAGE …" to their newest allowed releases)
	@constraint=; \
	for file in requirements.in lambda_src/*/requirements.in containers/*/requirements.in; do \
		echo "$$file"; \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--only-binary :all: --emit-build-options --no-annotate --no-header \
			$(addprefix --upgrade-package ,$(UPGRADE)) $$constraint "$$file" -o "$${file%.in}.txt" || exit 1; \
		constraint="--constraint requirements.txt"; \
	done

clean:  ## Delete everything that setup and runs created in this folder
	rm -rf .venv .cache node_modules cdk.out
