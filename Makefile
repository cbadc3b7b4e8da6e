# Zrazkovo. `make help` lists what there is.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help flash pads run sim chaos test test-pico test-portable sweep check format schemas bench bench-latency bench-backlog bench-stored bench-figures bench-readers bench-demo bench-finger bench-reconnect bench-suppression power soak lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: .venv/run.ok ## a whole city's centre at work on this machine: broker, feed, collector, pages, pads; Ctrl-C stops it
	@$(BIN)/python -m sim run $(ARGS)

sim: .venv/run.ok ## one bounded day without a browser, then every press is accounted for: SEED=7 MINUTES=1
	@$(BIN)/python -m sim day --seed $(or $(SEED),7) --minutes $(or $(MINUTES),1) $(ARGS)

chaos: .venv/dev.ok ## a day of injuries on real parts, then counted row by row: SEED=7 MINUTES=1 ARGS="--collectors 3"
	@$(BIN)/python -m sim chaos --seed $(or $(SEED),7) --minutes $(or $(MINUTES),1) $(ARGS)

test: .venv/dev.ok test-portable ## every test that this machine can run
	@$(BIN)/python -m pytest -n $(or $(JOBS),4) --dist loadscope --no-loadscope-reorder $(ARGS)

test-portable: .venv/dev.ok ## the portable tests under real MicroPython
	@$(BIN)/python -m tests.run_portable

sweep: .venv/dev.ok ## cuts a pad's power at every single write of a long day: VISITS=32
	@$(BIN)/python -m tests.sweep --visits $(or $(VISITS),32)

check: .venv/dev.ok ## ruff, mypy, generated documents, architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m schemas --check
	@$(BIN)/python -m pytest -q tests/test_architecture.py

format: .venv/dev.ok ## lays out the code and sorts its imports
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

schemas: .venv/dev.ok ## writes schemas/generated: JSON Schema, AsyncAPI, OpenAPI
	@$(BIN)/python -m schemas

flash: .venv/flash.ok ## a board becomes a desk's pad: PORT=/dev/ttyACM0 DESK=vyshenka-07, and if need be BOARD= IMAGE=
	@$(BIN)/python -m firmware.host flash $(if $(PORT),--port $(PORT)) $(if $(DESK),--desk $(DESK)) \
	  $(if $(BOARD),--board $(BOARD)) $(if $(IMAGE),--image $(IMAGE)) $(ARGS)

test-pico: .venv/dev.ok ## flashes an emulated Pico W that runs your own image: UF2=RPI_PICO_W-v1.28.0.uf2 (takes minutes)
	@UF2="$(UF2)" $(BIN)/python -m pytest -s tests/emulated/flash_pico.py $(ARGS)

pads: .venv/flash.ok ## the serial ports and what is on them: PORT=... for one of them
	@$(BIN)/python -m firmware.host pads $(if $(PORT),--port $(PORT)) $(ARGS)

bench: .venv/dev.ok ## messages a second: ours on each database, a bare subscriber, a script, Node-RED (needs mosquitto): ARGS="--rounds 3"
	@$(BIN)/python tests/bench/bench_collector.py $(ARGS)

bench-latency: .venv/dev.ok ## press to receipt at 500 votes a second: ARGS="--seconds 60"
	@$(BIN)/python tests/bench/bench_latency.py $(ARGS)

bench-backlog: .venv/dev.ok ## rate and memory while a backlog is drained: ARGS="--messages 1000000"
	@$(BIN)/python tests/bench/bench_backlog.py $(ARGS)

bench-stored: .venv/dev.ok ## a message's cost by how many calls are stored: ARGS="--sizes 1000,1000000,10000000"
	@$(BIN)/python tests/bench/bench_stored.py $(ARGS)

bench-figures: .venv/dev.ok ## aggregates and pages beside SQL over the rows and DuckDB: ARGS="--calls 1000000,10000000 --keep FOLDER"
	@$(BIN)/python tests/bench/bench_figures.py $(ARGS)

bench-readers: .venv/dev.ok ## 200 readers beside full ingest: errors, lost messages (needs mosquitto): ARGS="--readers 200 --seconds 20"
	@$(BIN)/python tests/bench/bench_readers.py $(ARGS)

bench-demo: .venv/dev.ok ## press to lamp, press to figure and memory of the running demo
	@$(BIN)/python tests/bench/bench_demo.py $(ARGS)

bench-finger: .venv/dev.ok ## press to lamp while broker, DNS, TLS, flash and heap misbehave (needs mosquitto): ARGS="--presses 1000"
	@$(BIN)/python tests/bench/bench_finger.py $(ARGS)

power: .venv/dev.ok ## how often integrity signals find who games, and point at somebody honest: ARGS="--months 100"
	@$(BIN)/python tests/bench/power.py $(ARGS)

soak: .venv/dev.ok ## a month of a desk on a hostile network in virtual time, every vote accounted for: ARGS="--days 30"
	@$(BIN)/python tests/bench/soak.py $(ARGS)

bench-reconnect: .venv/dev.ok ## in which second 1,000 pads are back after a broker's restart (needs mosquitto)
	@$(BIN)/python tests/bench/bench_reconnect.py

bench-suppression: .venv/dev.ok ## years of small offices published and attacked: ARGS="--seeds 3 --operators"
	@$(BIN)/python tests/bench/bench_suppression.py $(ARGS)

lock: .venv/dev.ok ## resolves requirements/*.lock anew from pyproject.toml
	@cd . && for set in "run:" "flash:--group flash" "dev:--group dev"; do \
	  $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-header --upgrade pyproject.toml $${set#*:} -o requirements/$${set%%:*}.lock; done

clean: ## removes the demo's data and everything built; keeps .venv
	@rm -rf var build .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/made.ok:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "zrazkovo: $(PYTHON) is older than 3.11; name a newer one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "zrazkovo: no virtual environment could be made; on Debian: apt-get install python3-venv"; exit 1; }
	@touch $@

.venv/run.ok: requirements/run.lock .venv/made.ok
	@echo "zrazkovo: installing the locked dependencies (only the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/dev.ok: requirements/dev.lock .venv/made.ok
	@echo "zrazkovo: installing the locked dependencies of the tests (only the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@ .venv/run.ok .venv/flash.ok

.venv/flash.ok: requirements/flash.lock .venv/made.ok
	@echo "zrazkovo: installing the locked dependencies for flashing pads (only the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@ .venv/run.ok
