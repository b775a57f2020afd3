# Every target sets up what is missing first (.ci/setup); when nothing is, that takes no time.
BIN := .venv/bin
DEMO_OPTIONS := --symmetric --tokens 4 --simulator icarus

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint clean

help:  ## show this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1\t/p' Makefile | expand -t 10

setup:  ## install what is missing: Debian packages, .venv, pinned dependencies
	@.ci/setup

demo: setup  ## run two layers of MiniLM through the hardware, bit for bit
	@mkdir -p build/demo
	$(BIN)/kllm run --layer encoder.layer.0.attention.self.query $(DEMO_OPTIONS) \
	    --json build/demo/attention.json
	$(BIN)/kllm run --layer encoder.layer.0.output.dense $(DEMO_OPTIONS) \
	    --json build/demo/ffn.json

test: setup  ## run the tests
	$(BIN)/python -m pytest -n auto --dist worksteal --timeout 300

lint: setup  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

clean:  ## remove what builds and runs wrote; .venv stays
	rm -rf build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
