# Thin lines over the scripts of package.json: who has Node.js >= 22.22 and pnpm 11 needs no make.
# `make` brings its own toolchain where the machine's does not fit (scripts/toolchain.sh).

export PATH := $(CURDIR)/.tools/node_modules/.bin:$(CURDIR)/node_modules/.bin:$(PATH)
# Networks with a certificate authority of their own.
export NODE_USE_SYSTEM_CA := 1
# npm's and pnpm's news about themselves.
export NO_UPDATE_NOTIFIER := 1
# By the environment, so that no shell reads what they hold.
export NAME VERSION

.DEFAULT_GOAL := help
.PHONY: help deps dev dev-oidc test test-short test-images check build build-migrate generate format bench bench-audit clean \
	migrate-up migrate-down migrate-down-all migrate-version migrate-create migrate-force

# `exec` in every recipe: signals reach the program itself, and GNU make 3.81 looks it up on the PATH above.

help: ## This list
	@exec awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-34s %s\n", $$1 ($$1 == "migrate-create" ? " NAME=add_team_table" : $$1 == "migrate-force" ? " VERSION=3" : ""), $$2 }' Makefile

deps: # Toolchain and dependencies, only what is missing
	@exec ./scripts/deps.sh

dev: deps ## PostgreSQL, migrations, sample data and the server on :8090 (ADDR, DATABASE_URL)
	@exec pnpm --silent dev

dev-oidc: deps ## The same with authentication on: a local provider, and a token for every role
	@exec pnpm --silent dev:oidc

test: deps ## Everything checked, every test run (TEST_DATABASE_URL, TEST_POSTGRES, TEST_POSTGRES_IMAGE)
	@exec pnpm --silent test

test-short: deps ## The tests that need no PostgreSQL
	@exec pnpm --silent test:short

test-images: deps ## The container images, really built and run (needs Docker)
	@exec pnpm --silent test:images

check: deps ## Format, lint, types, dead code, generated files, packages
	@exec pnpm --silent check

build: deps ## Compile everything that ships
	@exec pnpm --silent build

build-migrate: deps ## Compile the migrator alone
	@exec pnpm --silent build:migrate

migrate-up: deps ## Apply all pending migrations (DATABASE_URL, or the database of a running `make dev`)
	@exec pnpm --silent migrate up

migrate-down: deps ## Roll back the most recent migration
	@exec pnpm --silent migrate down

migrate-down-all: deps ## Roll back everything: the schema is gone, and its data
	@exec pnpm --silent migrate down --all

migrate-version: deps ## The version of the schema
	@exec pnpm --silent migrate version

migrate-create: deps ## A new pair of empty migration files
	@exec pnpm --silent migrate create -- "$$NAME"

migrate-force: deps ## Record a version without running anything, after a repair by hand
	@exec pnpm --silent migrate force -- "$$VERSION"

generate: deps ## Make all generated files anew
	@exec pnpm --silent generate

format: deps ## Format all files
	@exec pnpm --silent format

bench: deps ## Measure
	@exec pnpm --silent bench

bench-audit: deps ## Measure the audit log with up to ten million events (30 GB)
	@exec pnpm --silent bench:audit

clean: ## Remove what is built; the dev database and the dependencies stay
	@exec rm -rf packages/*/dist apps/*/dist coverage node_modules/.deps-stamp
