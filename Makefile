# The commands of the platform. State lives under .local/ and target/; `make help` lists what there is.

SHELL := /bin/bash
LOCAL := target/debug/wathiq-local

.PHONY: help demo test up status down clean lint fmt bench install build

help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

demo: build ## install, build and start everything, play a legalisation and check it (PDF="a.pdf folder/" plays your files)
	@$(LOCAL) demo $(PDF)

test: build ## run every test on a stack of its own, beside a running demo
	@$(LOCAL) test -- cargo test --workspace

up: build ## start what does not run yet
	@$(LOCAL) up

status: ## one line a process
	@if [ -x $(LOCAL) ]; then $(LOCAL) status; else echo "nothing is built yet: make up"; exit 1; fi

down: ## end everything
	@if [ -x $(LOCAL) ]; then $(LOCAL) down; fi

clean: ## end everything and remove all state, keys and certificates
	@if [ -x $(LOCAL) ]; then $(LOCAL) clean; fi

lint: install ## rustfmt, clippy without warnings, buf lint and breaking
	@deploy/lint.sh

fmt: install ## format the sources
	@cargo fmt --all

bench: build ## measure, in a release build, into target/bench.json
	@cargo build --release --workspace --bins
	@WATHIQ_BIN=$(CURDIR)/target/release $(LOCAL) bench

install:
	@deploy/install.sh

build: install
	@cargo build --workspace --bins
