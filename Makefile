# SPDX-License-Identifier: Apache-2.0
# The commands of developers. Each installs what it needs (Debian packages, by apt) and says so.

.PHONY: help demo check test lint vm-check bench schema man install clean

help:           ## What there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 16

demo:           ## See Nipart configure a network, in a namespace of its own
	@scripts/demo

check:          ## Everything that must pass: lints, all tests, in a VM what needs one
	@scripts/check

test:           ## All tests that run on this machine, without lints and VM
	@scripts/check test

lint:           ## Formatting and lints
	@scripts/check lint

vm-check:       ## The tests of all link kinds, in a VM
	@scripts/check vm

bench:          ## Figures, as ratios against iproute2 in the same run
	@scripts/bench

schema:         ## Generate schemas/nipart.schema.json and docs/properties.md anew
	cargo run --quiet --package xtask -- schema

man:            ## Generate man pages and completions under target/man
	cargo run --quiet --package xtask -- man

install:        ## Install into $(DESTDIR)$(PREFIX), default /usr/local
	@scripts/install

clean:          ## Remove what was built
	cargo clean
	rm -rf .cache
