# What can be done here: "make help".  The work itself is done by the scripts.

.DEFAULT_GOAL := all
SHELL := /bin/bash

# DENO=PATH       another deno than scripts/toolchain.sh would take
# MINUTES=N       how long a soak lasts; 5 if left out
# SEED=N          the cases of a soak, to have them once more
# FILTER=TEXT     only tests, or mutants, with this in their names
# PEER=PATH       other daemons, one or a folder of them, for the bench to compare with
# SECTION=NAME    a part of the bench
# PANEL=1         the demo goes on, with a page that shows its devices
# QEMU=VERSIONS   of 7, 10 and 11, for qemu-guest
# PAGES=SIZE      of memory, 16k or 4k: test-arm64 emulates a machine with such a kernel
# PATIENCE=N      how many seconds tests wait for something; 10 if left out, 60 or more with arm64
export DENO FILTER PAGES PANEL PATIENCE PEER SECTION MINUTES SEED
# Trust the machine's certificate authorities, too: registries are often mirrored.
export DENO_TLS_CA_STORE ?= mozilla,system
export DENO_NO_UPDATE_CHECK := 1

run_deno = deno=$$(scripts/toolchain.sh) && "$$deno"

include packaging/rules.mk

.PHONY: help
help: ## show this list
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
	@echo
	@sed -nE 's/^# ([A-Z_]+=[^ ]+) +(.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: demo
demo: guest ## show the daemons at work with a guest
	@scripts/demo.sh

.PHONY: test
test: guest guest-tools arm64 all package-tools browser ## everything that is tested, but for smoke and smoke-xen
	@scripts/test.sh fmt lint check unit integration fuzz guest panel compiled package arm64

.PHONY: test-arm64
test-arm64: arm64 ## the tests unit and integration on an emulated arm64 machine
	@scripts/test.sh $(if $(PAGES),arm64-machine,arm64-all)

.PHONY: lint check unit integration fuzz guest-test
lint: ## only what deno lint finds
check: ## only the types
unit: ## only the tests within a process
integration: ## only the tests of the daemons with a front-end of our own
fuzz: ## only the tests with random messages and rings
lint check unit integration fuzz:
	@scripts/test.sh $@
guest-test: guest guest-tools ## only the tests with real Linux drivers in front
	@scripts/test.sh guest

.PHONY: guest-tools
guest-tools:
	@scripts/packages.sh sigrok-cli=sigrok-cli vcd2fst=gtkwave

.PHONY: panel-test browser
panel-test: guest browser ## only the tests of the panel, with a browser in front
	@scripts/test.sh panel
browser:
	@scripts/packages.sh chromium-headless-shell

.PHONY: soak
soak: ## hostile front-ends on all daemons at once, for MINUTES=5
	@$(run_deno) run --allow-all tests/soak/main.ts

.PHONY: fmt
fmt: ## format all files
	@$(run_deno) fmt

.PHONY: bench
bench: all ## measure how fast everything is, and draw it
	@$(run_deno) run --allow-all tests/bench/main.ts

.PHONY: mutants
mutants: ## make small changes to the sources, and see whether the tests notice
	@$(run_deno) run --allow-all tests/mutants/main.ts

.PHONY: toolchain
toolchain: ## fetch deno unless there is one; its path is the last line
	@scripts/toolchain.sh

.PHONY: packages
packages: ## install the Debian packages that building a guest takes
	@tests/guest/uml/build.sh packages

.PHONY: guest
guest: ## build the User-Mode Linux guest, unless it is there
	@tests/guest/uml/build.sh

.PHONY: arm64
arm64: ## fetch what emulates an arm64 machine, unless it is there
	@tests/arm64/build.sh
	@[ -z "$(PAGES)" ] || tests/arm64/machine/build.sh $(PAGES)

.PHONY: qemu-guest
qemu-guest: ## build the QEMU guest and fetch QEMU 10 and 11, or QEMU="7 10"
	@tests/guest/qemu/build.sh $(QEMU)

.PHONY: smoke
smoke: all ## the tests with QEMU 7, 10 and 11 in front of the programs in bin/
	@tests/guest/qemu/build.sh 7 10 11
	@scripts/test.sh smoke

.PHONY: xen-guest
xen-guest: ## fetch Xen, a kernel for its domain 0 and QEMU, unless they are there
	@tests/guest/xen/build.sh

.PHONY: smoke-xen
smoke-xen: all xen-guest ## the tests with the programs in bin/ on an emulated Xen host
	@scripts/test.sh smoke-xen

.PHONY: clean
clean: ## delete what was built in this folder
	rm -rf bin dist

.PHONY: clean-cache
clean-cache: ## delete the guests and the deno in the user's cache
	rm -rf "$${XDG_CACHE_HOME:-$$HOME/.cache}/vhost-device"
