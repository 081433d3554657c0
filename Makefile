# Everything a person types. `make` alone tells what there is. Works from any folder (make -C) and without git.
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
# No include comes before this line, so the list is this file alone; its folder may have spaces.
ROOT := $(shell cd "$$(dirname "$(strip $(MAKEFILE_LIST))")" && pwd)
PYTHON ?=
BIN := $(ROOT)/.venv/bin
# Arguments for the tests and the demo: make test T="tests/runtime -x", make demo A="--until-settled".
T ?=
A ?=
# make chaos SEED=night MINUTES=2: the same seed, the same faults. make fuzz SEED=7: the same examples.
SEED ?=
MINUTES ?= 2
# make cost REASON="why": the figures that changed are written into bench/cost.json with this reason.
REASON ?=
SIZE ?= 1
PART ?= 1
N ?= 20

# What is compiled once is kept: where bytecode may not be written, each of a test run's processes rewrites all tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup install demo test test-sip test-stories test-pythons fuzz mutants lint words pictures bench cost listen chaos attack restore-drill cluster-drill upgrade-drill advisories docs clean

help: ## what there is to make
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' "$(ROOT)/Makefile"

setup: ## a virtual environment in .venv with everything pinned (PYTHON=python3.12 chooses the interpreter)
	@PYTHON="$(PYTHON)" sh "$(ROOT)/tools/setup.sh"

install: ## as setup, with what the service needs alone: for the user that runs it (PYTHON=/usr/bin/python3)
	@RUNTIME=1 PYTHON="$(PYTHON)" sh "$(ROOT)/tools/setup.sh"

demo: setup ## the whole service on a simulated line, with the sample list loaded and called
	@cd "$(ROOT)" && "$(BIN)/dialer" demo $(A)

test: setup ## all tests but the long stories and calls over SIP, on real PostgreSQL and Valkey; T= chooses others
	@cd "$(ROOT)" && "$(BIN)/python" -m pytest -n auto --dist worksteal $(or $(T),-m "not story or smoke" --ignore tests/sip)

test-stories: setup ## the long stories but calls over SIP: processes killed and stopped, every page in a real Chromium; T= chooses some
	@sh "$(ROOT)/tools/browser.sh"
	@cd "$(ROOT)" && "$(BIN)/python" -m pytest -n auto --dist worksteal -m "story and not smoke" --ignore tests/sip $(T)

test-sip: setup ## calls over SIP against real peers; as root, which installs them (sipp, baresip, kamailio) and the extra sip
	@sh "$(ROOT)/tools/sip_peers.sh"
	@cd "$(ROOT)" && "$(BIN)/python" -m pytest -n 3 --dist worksteal tests/sip $(T)

test-pythons: test ## as make test, then on each other of Python 3.11, 3.12, 3.13 that is here (PART=3: every third test)
	@cd "$(ROOT)" && PART="$(PART)" sh tools/pythons.sh $(T)

fuzz: setup ## the tests that explore at random, with new seeds for MINUTES=; SEED= repeats one round, T= one test of it
	@cd "$(ROOT)" && "$(BIN)/python" -m tools.fuzz --seed "$(SEED)" --minutes "$(MINUTES)" $(T)

mutants: setup ## N= places of each group changed one by one (SEED= chooses which): do the tests notice? T= groups
	@cd "$(ROOT)" && "$(BIN)/python" -m tools.mutants $(if $(SEED),--seed "$(SEED)") --number "$(N)" $(T)

lint: setup ## ruff, formatting, types, direction of imports
	@cd "$(ROOT)" && "$(BIN)/ruff" check .
	@cd "$(ROOT)" && "$(BIN)/ruff" format --check .
	@cd "$(ROOT)" && "$(BIN)/mypy"
	@cd "$(ROOT)" && "$(BIN)/lint-imports"

words: setup ## the Chinese catalogue brought to what the code says; prints what has no Chinese yet
	@cd "$(ROOT)" && "$(BIN)/python" tools/words.py

docs: setup ## the manual in both languages as pages for a browser, in build/docs, without a network
	@cd "$(ROOT)" && "$(BIN)/python" -m tools.manual_site $(A)

pictures: setup ## the pictures of the README made again from a demo, in docs/images; look at them before committing
	@sh "$(ROOT)/tools/browser.sh"
	@cd "$(ROOT)" && "$(BIN)/python" -m tools.pictures $(A)

bench: setup ## repeatable measurements (bench/README.md says which)
	@cd "$(ROOT)" && "$(BIN)/python" -m bench

cost: setup ## what loads and pages cost in statements, buffers, rows, bytes and calls, against bench/cost.json
	@cd "$(ROOT)" && "$(BIN)/python" -m bench.cost $(A) $(if $(REASON),--save --reason "$(REASON)")

listen: setup ## how well the committed prompts are understood over a telephone, now and before (extra speech-bench)
	@cd "$(ROOT)" && mkdir -p var && "$(BIN)/python" -m bench.speech --cache var/listen.json $(A)

chaos: setup ## all of it killed, stopped, cut off at random for MINUTES= from SEED=: nobody lost, nobody called twice
	@cd "$(ROOT)" && "$(BIN)/python" -m chaos --seed "$(SEED)" --minutes "$(MINUTES)"

attack: setup ## forged webhooks, fuzzed files, poisoned messages, guesses, slow clients, every page by everybody; SEED= SIZE=
	@cd "$(ROOT)" && nice "$(BIN)/python" -m tests.attack.run --seed "$(SEED)" --size "$(SIZE)" $(A)

restore-drill: setup ## a service burns with calls under way: dump, restore into an empty folder, compare; time to the first call
	@cd "$(ROOT)" && "$(BIN)/python" -m tools.restore_drill $(A)

cluster-drill: setup ## three hosts with Patroni, etcd and two brokers on one machine, broken while people are called; SEED= A="--only …"; as root
	@cd "$(ROOT)" && "$(BIN)/python" -m tools.cluster_drill $(if $(SEED),--seed "$(SEED)") $(A) || { [ $$? -eq 3 ] && exit 0; exit 1; }

upgrade-drill: setup ## the release before upgraded to this version with calls live, both versions side by side
	@cd "$(ROOT)" && "$(BIN)/python" -m tools.upgrade_drill

advisories: setup ## known vulnerabilities of what the service is locked to; says so where no source of them answers
	@sh "$(ROOT)/tools/advisories.sh"

clean: ## removes .venv, caches and built files; the data in var/ stay
	@cd "$(ROOT)" && rm -rf .venv .venv-3.* .venv-advisories dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find "$(ROOT)/dialer" "$(ROOT)/carrier" "$(ROOT)/audio" "$(ROOT)/chaos" "$(ROOT)/tests" -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
