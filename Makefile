SHELL := /bin/bash
.DEFAULT_GOAL := help
PY ?= python3
BIN := .venv/bin
.PHONY: help demo test test-spark test-demo test-pages bench lines lock wheels clean .java
help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

.venv/bin/uv: requirements/uv.txt
	@$(PY) -c 'import sys; sys.exit("Wiñay needs Python 3.11 or newer, found " + sys.version.split()[0] + ". Try: make demo PY=python3.12") if sys.version_info < (3, 11) else None'
	@echo "[1/3] installer"
	@$(PY) -m venv .venv || { echo "Could not make a virtual environment. On Debian or Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt || { echo "Could not reach a package index: is the network up? Without one, see README, 'From a folder of wheels'."; exit 1; }
	@touch $@
.venv/.%.ok: requirements/%.txt requirements/build.txt pyproject.toml | .venv/bin/uv
	@echo "[2/3] libraries: $*"
	@$(BIN)/uv pip install --python $(BIN)/python --require-hashes --no-deps -b requirements/build.txt -r $<
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -b requirements/build.txt -e . && touch $@

demo: .venv/.core.ok ## set up, then run the main job on the embedded default
	@echo "[3/3] demo"; $(BIN)/winay demo
test: .venv/.test.ok ## set up, then run the checks and tests that need no server
	@echo "[3/3] tests"
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n auto --dist loadfile
test-spark: .java .venv-spark/.ok ## the backend tests on real Spark (needs Java 17)
	@echo "[3/3] tests on Spark"
	.venv-spark/bin/python -m pytest -q slow/test_spark.py slow/test_spark_spec.py
test-demo: .venv/.test.ok ## how close the demo comes to the public figures (after make demo)
	$(BIN)/python -m pytest -q slow/test_demo.py
test-pages: .venv/.test.ok ## the pages as a browser draws them (needs Chromium)
	$(BIN)/python -m pytest -q slow/test_pages.py
bench: .venv/.test.ok ## measure the bars (QUICK=1 for every day)
	$(BIN)/python -m bench $(if $(QUICK),--quick)
lines: ## count the Python of winay/, without tests and migrations
	@git ls-files 'winay/*.py' | grep -v '/migrations/' | xargs cat | wc -l

.java: # asked before half a gigabyte is installed
	@java -version 2>&1 | grep -qE '"(1[7-9]|2[0-9])' || { echo "Spark needs Java 17 or newer. On Debian or Ubuntu: apt install openjdk-17-jre-headless"; exit 1; }
.venv-spark/.ok: requirements/spark.txt requirements/build.txt pyproject.toml | .venv/bin/uv
	@echo "[2/3] libraries: spark (PySpark is built from its source, about a minute)"
	@test -x .venv-spark/bin/python || $(PY) -m venv --without-pip .venv-spark
	@$(BIN)/uv pip install --python .venv-spark/bin/python --require-hashes --no-deps -b requirements/build.txt -r $<
	@$(BIN)/uv pip install -q --python .venv-spark/bin/python --no-deps -b requirements/build.txt -e . && touch $@
LOCK = $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" -q
lock: ## refresh the locked versions (UPGRADE=--upgrade for newer ones)
	echo 'uv==0.13.9' | $(LOCK) - -o requirements/uv.txt
	$(LOCK) $(UPGRADE) --group pyproject.toml:build -o requirements/build.txt
	$(LOCK) pyproject.toml $(UPGRADE) -o requirements/core.txt
	$(LOCK) pyproject.toml $(UPGRADE) --group test --group lint -c requirements/core.txt -o requirements/test.txt
	$(LOCK) pyproject.toml $(UPGRADE) --extra spark --group test -c requirements/core.txt -o requirements/spark.txt
wheels: .venv/bin/uv ## a folder of wheels, for machines without network
	$(BIN)/pip wheel -q --require-hashes -r requirements/core.txt -w wheels && $(BIN)/pip wheel -q --no-deps . -w wheels
clean: ; rm -rf .venv .venv-spark
