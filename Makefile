# The commands of the project. Each installs what it needs first (scripts/setup) and is quick the second time.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test build coverage

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Compile and run real models, show what was done to them, and check the numbers
	@scripts/setup demo
	@. scripts/env.sh && scripts/demo

test: ## Run everything that CI runs; ends with one line of totals (PARTS="lit docs" runs only those)
	@scripts/setup test
	@scripts/test $(PARTS)

build: ## Build the optimised binaries into target/release
	@scripts/setup demo
	@. scripts/env.sh && cargo build --release --bins

coverage: ## Print the line coverage of compiler and runtime
	@scripts/setup coverage
	@scripts/coverage
