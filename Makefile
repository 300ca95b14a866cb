# dynarc's chores. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup build lint unit integration test sanitize fuzz bench bench-short bench-parts demo clean
.NOTPARALLEL:
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec

PYTHON := .venv/bin/python
DYNARC := .build/release/dynarc
# With Swift's runtime inside, a program starts in half the time and runs where there is no Swift.
RELEASE := swift build -c release --static-swift-stdlib
heading = @printf '\n==> %s\n' "$(1)"

help: ## List what can be made.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## Install or check everything the build, the tests and the demo need.
	$(call heading,set-up)
	@scripts/setup

build: setup ## Build the release binary, .build/release/dynarc.
	$(call heading,release build)
	@$(RELEASE) --product dynarc

lint: ## Check the formatting of every Swift file.
	$(call heading,lint)
	@swift format lint --strict --recursive Package.swift Sources Tests Fuzz Benchmarks docs
	@echo "lint: clean"

# One after the other: some tests hold locks, others start processes, and a process that is just being
# started holds its parent's locks for a moment.
unit: setup ## Run the Swift unit tests.
	$(call heading,unit tests)
	@# A line for each start of each case would bury the rest; grep without a match is no failure.
	@swift test --disable-xctest --no-parallel 2>&1 | { grep -v '^◇' || true; }

integration: build ## Run the integration tests: the real binary against real local servers.
	$(call heading,integration tests)
	@scripts/setup-browser
	@scripts/setup-actionlint
	@$(RELEASE) --product library-example
	@# Two at a time, since most of them wait; what measures time comes afterwards.
	@DYNARC=$(DYNARC) $(PYTHON) -m pytest -q -n 2 --dist loadfile -m 'not alone' --durations=5
	@DYNARC=$(DYNARC) $(PYTHON) -m pytest -q -m alone

# A warning is an error here, and only here: a newer compiler must not fail a user's build.
test: export DYNARC_STRICT := 1
test: lint setup build unit integration fuzz bench-short ## Everything: lint, set-up, build, tests, half a minute of fuzzing for each target, short benchmarks.
	$(call heading,all tests passed)

# Each sanitizer has a build of its own, since one cannot be linked with the other.
sanitize: setup ## Run the unit tests under the address and the thread sanitizer.
	$(call heading,address sanitizer)
	@swift test --disable-xctest --no-parallel --sanitize=address --scratch-path .build/asan 2>&1 \
	  | { grep -v '^◇' || true; }
	$(call heading,thread sanitizer)
	@TSAN_OPTIONS="suppressions=$(CURDIR)/scripts/tsan.suppressions" \
	  swift test --disable-xctest --no-parallel --sanitize=thread --scratch-path .build/tsan 2>&1 \
	  | { grep -v '^◇' || true; }

SECONDS_EACH := $(or $(SECONDS),$(FUZZ_SECONDS),30)
fuzz: setup ## Build the fuzz targets and run each for SECONDS (30).
	@FUZZ_SECONDS=$(SECONDS_EACH) scripts/fuzz

bench: build ## Measure speed, memory and bytes beside curl, zstd and other tools; 13 minutes.
	$(call heading,benchmarks)
	@scripts/setup-bench
	@scripts/setup-peers
	@$(PYTHON) Benchmarks/bench.py full $(DYNARC)

bench-short: build ## Measure on small data; fail where a ratio is far from its goal.
	$(call heading,short benchmarks)
	@scripts/setup-bench
	@$(PYTHON) Benchmarks/bench.py short $(DYNARC)

bench-parts: setup ## Measure the parts, each by itself: GB a second, or time a call.
	$(call heading,benchmarks of the parts)
	@$(RELEASE) --product bench-parts
	@$(PYTHON) Benchmarks/bench.py parts .build/release/bench-parts

demo: build ## See it work: dump, verify, inspect and load a table, local servers only.
	@$(PYTHON) scripts/demo

clean: ## Remove what was built and fetched.
	rm -rf .build .venv .cache
