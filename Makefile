# The commands of the platform. State lives under .local/ and target/; `make help` lists what there is.

SHELL := /bin/bash
LOCAL := target/debug/wathiq-local

.PHONY: release-contracts help demo test up status down clean lint fmt bench install build

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 20

# The names go to the program as they were written: neither make nor a shell looks into them.
override PDF := $(value PDF)
export PDF

demo: build ## install, build and start everything, play a legalisation and an order, and check them (PDF="a.pdf b\ c.pdf folder/" plays your files)
	@if [ -n "$$PDF" ]; then $(LOCAL) demo --named "$$PDF"; else $(LOCAL) demo; fi

test: build ## run every test on a stack of its own, beside a running demo
	@$(LOCAL) test -- cargo test --workspace

up: build ## start what does not run yet
	@$(LOCAL) up

# What has been started can be ended also after the build folder has gone; where nothing was, nothing is built.
command = if [ -x $(LOCAL) ] || { [ -e .local/run ] && $(MAKE) --no-print-directory build; }; then $(LOCAL) $(1); else echo "nothing was started here"; $(2); fi

status: ## one line a process
	@$(call command,status,exit 1)

down: ## end everything
	@$(call command,down,true)

clean: ## end everything and remove all state, keys and certificates
	@$(call command,clean,true)

lint: install ## rustfmt, clippy without warnings, buf lint and breaking
	@deploy/lint.sh

release-contracts: install ## take the contracts as they stand for the released ones, which later changes may not break
	@deploy/buf.sh build proto -o proto/wathiq.binpb

fmt: install ## format the sources
	@cargo fmt --all

bench: install ## measure, in a release build, into target/bench.json (BENCH="flow --seconds 60" for some of it)
	@cargo build --release --workspace --bins
	@WATHIQ_BIN=$(CURDIR)/target/release target/release/wathiq-local bench $(BENCH)

install:
	@deploy/install.sh

build: install
	@cargo build --workspace --bins
