# Everything that is done with this checkout. Bare `make` explains itself.
#
# `demo` and `test` make the virtual environment themselves (requirements/install.sh). Variables, on the command line
# or in the environment:
#   PYTHON  the interpreter that makes the virtual environment (3.11 or newer)
#   VENV    where the virtual environment is
#   TORCH   what pip installs as torch; remembered in VENV until another one is given. Your own CUDA or CPU build:
#           make demo TORCH="torch==2.13.0 --index-url <the address that pytorch.org names>"
#   JOBS    processes among which `test` divides the files of tests; 0: none but its own
#   START   the run or model folder whose weights `train-words` goes on from
#   WORDS   passed on to the command behind `train-words`, behind ARGS
#   ARGS    passed on to the command behind `test`, `test-faults`, `train-demo`, `train-words`, `eval-demo`
#           and `bench`

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV ?= .venv
TORCH ?=
ARGS ?=
START ?= runs/demo
WORDS ?= --minutes 60 --rate 8e-4
# Most of the time tests wait for other processes: so two more than the two cores that CI has.
JOBS ?= 4
ONCE ?=
export PYTHON VENV TORCH

BIN := $(VENV)/bin
once := $(if $(filter-out 0 no false,$(ONCE)),--once)
chromium = $(or $(GLIMT_TEST_CHROMIUM),$(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name)))))

.PHONY: help
help:  ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  Variables: PYTHON=python3 VENV=.venv TORCH="torch==… --index-url …" ARGS="…" (see the head of the Makefile)'

.PHONY: demo
demo: venv  ## Start Glimt with the shipped demo model and play a conversation; ONCE=1 stops after it
	@exec "$(BIN)/glimt" demo $(once)

.PHONY: test
test: venv  ## Run the tests: unit, integration, browser, bounded faults; ARGS="-k name" selects
	@$(if $(chromium),,echo 'The browser test needs Chromium: sudo apt-get install chromium' >&2)
	@"$(BIN)/python" -m pytest -n $(JOBS) --dist loadfile $(ARGS)

.PHONY: test-faults
test-faults: venv  ## Run everything that breaks processes and servers, and what is long or heavy
	@"$(BIN)/python" -m pytest -m "faults or load" $(ARGS)

.PHONY: lint
lint: venv  ## Check style, types and import contracts
	@"$(BIN)/ruff" check .
	@"$(BIN)/ruff" format --check .
	@"$(BIN)/python" -m mypy
	@"$(BIN)/lint-imports" --no-logo

.PHONY: format
format: venv  ## Bring the code into shape
	@"$(BIN)/ruff" check --fix .
	@"$(BIN)/ruff" format .

.PHONY: texts
texts: venv  ## Find what people are told and bring its translations (bots/chat/locales) into step
	@"$(BIN)/python" -m tools.texts

.PHONY: train-demo
train-demo: venv  ## Train the demo model, hours on CPU; ARGS="--device cuda --compile --batch 256 --workers 14 --minutes 7"
	@"$(BIN)/python" -m tools.demo_model train --out runs/demo $(if $(wildcard runs/demo/checkpoint.pt),--resume) $(ARGS)
	@"$(BIN)/python" -m tools.demo_model curve --run runs/demo --to runs/demo/curve.svg
	@$(MAKE) train-words

.PHONY: train-words
train-words: venv  ## The second part of train-demo, in which only the language learns; START=core/inference/demo goes on from what ships
	@"$(BIN)/python" -m tools.demo_model train --out runs/words --start $(START) --tower-rate 0 \
		$(if $(wildcard runs/words/checkpoint.pt),--resume) $(ARGS) $(WORDS)
	@"$(BIN)/python" -m tools.demo_model curve --run runs/words --to runs/words/curve.svg

.PHONY: eval-demo
eval-demo: venv  ## Ask the demo model about 5,000 scenes it never saw, print the score of each kind, write its card
	@"$(BIN)/python" -m tools.demo_model eval --model core/inference/demo --card tools/demo_model/HOW_TRAINED.md $(ARGS)

.PHONY: bench
bench: venv  ## Measure the whole service against bare Celery
	@"$(BIN)/glimt" bench service $(ARGS)

.PHONY: day-slack
day-slack: venv  ## Play a day in a fake Slack workspace through the real queue and the demo model; print the transcript
	@"$(BIN)/python" -m bench.day_slack

.PHONY: day-telegram
day-telegram: venv  ## Play a day in chats of a fake Telegram through the real queue and the demo model; print the transcript
	@"$(BIN)/python" -m bench.day_telegram

.PHONY: bench-peers
bench-peers: venv  ## Install vLLM and OpenVINO beside it, for `glimt bench engine` (5 GB in .bench)
	@bench/peers/set_up.sh

.PHONY: bench-engine
bench-engine: venv  ## Measure the engine against them and draw docs/benchmarks (12 minutes on a quiet machine)
	@mkdir -p docs/benchmarks
	@"$(BIN)/glimt" bench engine --json --html docs/benchmarks/index.html $(ARGS) >docs/benchmarks/engine.json.new
	@mv docs/benchmarks/engine.json.new docs/benchmarks/engine.json

.PHONY: bench-page
bench-page: venv  ## Draw docs/benchmarks/index.html anew from docs/benchmarks/engine.json
	@"$(BIN)/python" -m bench.engine.page docs/benchmarks/engine.json docs/benchmarks/index.html

.PHONY: venv
venv:  ## Make or mend the virtual environment; nothing happens when it is up to date
	@requirements/install.sh

# pip-tools must not depend on the lock that it is about to write.
compile = CUSTOM_COMPILE_COMMAND="make lock" "$(BIN)/pip-compile" pyproject.toml --quiet --generate-hashes \
	--strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --build-deps-for editable \
	--unsafe-package torch --unsafe-package pip --unsafe-package glimt --constraint requirements/torch.txt

.PHONY: lock
lock:  ## Write requirements/*.txt anew from pyproject.toml; ARGS="--upgrade" takes newer versions
	@[ -x "$(BIN)/python" ] || "$(PYTHON)" -m venv "$(VENV)"
	@[ -x "$(BIN)/pip-compile" ] || "$(BIN)/python" -m pip install --quiet 'pip-tools>=7.5'
	@echo 'requirements/lock.txt: everything' && $(compile) $(ARGS) --extra worker --extra quantise --extra dev -o requirements/lock.txt
	@echo 'requirements/bots.txt: an image without torch' && $(compile) --extra web --extra slack --extra telegram --extra console --extra s3 -c requirements/lock.txt -o requirements/bots.txt
	@echo 'requirements/worker.txt: an image with torch' && $(compile) --extra worker --extra quantise --extra s3 -c requirements/lock.txt -o requirements/worker.txt

.PHONY: clean
clean:  ## Remove caches and build products; the virtual environment and your data stay
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist *.egg-info
	@find . -name __pycache__ -type d -not -path './.*' -not -path './$(VENV)/*' -prune -exec rm -rf {} +
