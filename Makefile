# One command from a fresh clone: `make run`, `make test`, `make check`. Each sets up .venv by itself.
PYTHON ?= python3
BIN := .venv/bin
NODE := $(BIN)/node
PAGE := "app/static/**/*.{js,css,ts}" "tests/js/**/*.js"
LIBRARY := $(addprefix tests/,analysis inference loading models plan processing published_files recorded test_integers.py)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run test slow lint lowest check format benchmark constraints clean
.DEFAULT_GOAL := help

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: .venv/run.stamp  ## open the app in the browser (MODELS="Qwen/Qwen-VL-Chat Qwen/Qwen2-VL-2B-Instruct": over these)
	$(BIN)/python -m app $(if $(MODELS),--models $(MODELS))

test: .venv/dev.stamp  ## run the tests (TESTS="tests/tiny -x" for some of them)
	$(NODE) --test "tests/js/**/*.test.js"
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow" $(TESTS)

slow: .venv/dev.stamp  ## run the tests that take longer, most of them in the browser
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow $(TESTS)

lint: .venv/dev.stamp .venv/node.stamp  ## format, lint, types, import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/oxlint --deny-warnings --deny typescript/no-explicit-any app/static tests/js
	$(NODE) node_modules/prettier/bin/prettier.cjs --check --log-level warn $(PAGE)
	$(NODE) node_modules/typescript/bin/tsc -p .

lowest: .venv-lowest/stamp  ## the library's quick tests against the lowest versions it allows
	@test ! -e $< || .venv-lowest/bin/python -m pytest -n 2 --dist worksteal -m "not slow" $(LIBRARY)

check: lint test slow lowest  ## everything CI runs: lint, then all tests

format: .venv/dev.stamp .venv/node.stamp  ## format the code, and fix what the linter can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(NODE) node_modules/prettier/bin/prettier.cjs --write --log-level warn $(PAGE)

benchmark: .venv/dev.stamp  ## goals beside what is measured, and what looking inside costs (BEFORE=commit: beside it too; a quarter of an hour)
	$(BIN)/python -m tests.benchmarks.goals $(if $(BEFORE),--before $(BEFORE))
	$(BIN)/python -m tests.benchmarks.answers
	$(BIN)/python -m tests.benchmarks.attention_cost
	$(BIN)/python -m tests.benchmarks.clips

# For every system at once; versions that stand there already stay where they fit. What a CUDA build of torch brings has its
# exact version from torch itself, and other builds have none of it.
constraints: | $(BIN)/python  ## write constraints.txt: the exact version of everything that `make run` and `make test` install
	$(BIN)/python -m pip install --quiet uv==0.13.8
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate \
	  --custom-compile-command "make constraints" requirements-dev.txt -o constraints.txt
	grep -vE '^(nvidia|cuda|triton)' constraints.txt > .constraints.new && mv .constraints.new constraints.txt

clean:  ## remove the virtual environment and every cache
	rm -rf .venv .venv-lowest node_modules .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "This needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv

# Exact versions, and this project itself, editable: scripts and notebooks in the environment import it from anywhere.
.venv/run.stamp: requirements.txt constraints.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements.txt -c constraints.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

.venv/dev.stamp: requirements-dev.txt requirements.txt constraints.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt -c constraints.txt
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@ .venv/run.stamp

.venv-lowest/stamp: requirements-lowest.txt
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet -r $< && touch $@ \
	  || echo "The lowest versions could not be fetched, so they are not tested here."

# Node comes as a wheel of requirements-dev.txt; with it the formatter and the type checker of package-lock.json.
.venv/node.stamp: package.json package-lock.json .venv/dev.stamp
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --no-audit --no-fund --silent
	@touch $@
