"""Models of a store in Flink, whose versions change while a job runs."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from py4j.protocol import Py4JJavaError
from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import DataTypes, StreamTableEnvironment

from leapstream.executors.jvm import gateway
from leapstream.flink import MLeapUDFRegistry, StoredModel, predict_stream
from leapstream.flink.compat import string_array
from leapstream.flink.compiler import write_runtime_jar
from leapstream.flink.ddl import predict_function_statement
from leapstream.flink.jars import add_jar

from .conftest import collect
from .versions import BAD, INPUTS, Versions, wait

pytestmark = pytest.mark.flink

LIVE = "leapstream.flink.live"
# Flink may make several sources of VALUES with casts, whose rows come in any order; a table of them is one source.
ABC = DataTypes.ROW([DataTypes.FIELD(name, DataTypes.DOUBLE()) for name in "abc"])


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    """A store whose model has a live version."""
    made = Versions(tmp_path / "models")
    made.publish(1, aliases=["live"])
    return made


@pytest.fixture(scope="module")
def runtime_jar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A jar without models."""
    jar = tmp_path_factory.mktemp("runtime") / "leapstream-runtime.jar"
    write_runtime_jar(jar)
    return jar


# ---- in the JVM alone ---------------------------------------------------------------------------------------------------


class Subtask:
    """A live function of a subtask. Calls go by reflection, since py4j takes two classes of one name for one class."""

    def __init__(
        self,
        uri: str,
        alias: str | None = "live",
        version: str | None = None,
        key: str | None = None,
        shadow: Sequence[str] = (),
    ) -> None:
        self._gate = gateway.gateway()
        loader = gateway.runtime().loader
        (constructor,) = loader.loadClass(f"{LIVE}.StoredModel").getConstructors()
        interval = self._gate.jvm.java.lang.Long.valueOf("20")
        stored = constructor.newInstance(self._objects(uri, alias, version, interval))
        (with_shadows,) = [m for m in stored.getClass().getMethods() if m.getName() == "with"]
        stored = with_shadows.invoke(stored, self._objects(string_array(shadow)))
        self._class = loader.loadClass(f"{LIVE}.StoredFunction")
        self.function = self._call(None, "read", 2, stored, key)
        group = self._gate.jvm.org.apache.flink.metrics.groups.UnregisteredMetricsGroup()
        self._call(self.function, "open", 1, group, kind="MetricGroup")
        field = loader.loadClass(f"{LIVE}.LiveFunction").getDeclaredField("source")
        field.setAccessible(True)
        self.model = field.get(self.function)

    def predict(self, *row: Any) -> tuple[float, str]:
        """The prediction for a row, and the version that made it."""
        found = self._call(self.function, "call", 1, self._objects(*(row or (1.0, 2.0, 3.0))))
        return found.getField(0), self._call(self.function, "modelVersion", 0)

    def close(self) -> None:
        self._call(self.function, "close", 0)

    def _call(self, target: Any, name: str, count: int, *arguments: Any, kind: str = "") -> Any:
        method = next(
            method
            for method in self._class.getMethods()
            if method.getName() == name
            and len(method.getParameterTypes()) == count
            and (not kind or method.getParameterTypes()[0].getSimpleName() == kind)
        )
        return method.invoke(target, self._objects(*arguments))

    def _objects(self, *values: Any) -> Any:
        array = self._gate.new_array(self._gate.jvm.Object, len(values))
        for position, value in enumerate(values):
            array[position] = value
        return array


@pytest.fixture
def subtask(versions: Versions) -> Iterator[Subtask]:
    made = Subtask(versions.uri)
    yield made
    made.close()


def threads() -> list[str]:
    """The threads that look at stores."""
    names = gateway.gateway().jvm.Thread.getAllStackTraces().keySet()
    return [thread.getName() for thread in names if thread.getName().startswith("leapstream-reload")]


def test_the_alias_moves_and_the_next_row_has_the_new_version(versions: Versions, subtask: Subtask) -> None:
    assert subtask.predict() == (1.0, "1")
    versions.publish(2)
    versions.go_live(2)
    wait(lambda: subtask.predict() == (2.0, "2"))
    versions.store.rollback("loans", "live")
    wait(lambda: subtask.predict() == (1.0, "1"))
    assert (subtask.model.reloads(), subtask.model.reloadFailures()) == (2, 0)


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_version_is_never_live_and_is_counted(versions: Versions, subtask: Subtask, kind: str) -> None:
    publish, _ = BAD[kind]
    publish(versions, 2)
    if kind != "manifest":
        versions.go_live(2)
    wait(lambda: subtask.model.reloadFailures() == 1)
    assert subtask.predict() == (1.0, "1")
    versions.publish(3)
    versions.go_live(3)
    wait(lambda: subtask.predict() == (3.0, "3"))
    # The bad one was tried once, and not at each look.
    assert (subtask.model.reloads(), subtask.model.reloadFailures()) == (1, 1)


# Any signature is right for a job that starts with it.
@pytest.mark.parametrize("kind", [kind for kind in BAD if kind != "signature"])
def test_a_job_does_not_start_with_a_bad_version(versions: Versions, kind: str) -> None:
    publish, reason = BAD[kind]
    publish(versions, 2)
    with pytest.raises(Py4JJavaError, match=f"(?s){reason}"):
        Subtask(versions.uri, None, "2")


def test_a_store_that_is_away_leaves_the_versions_as_they_are(versions: Versions, subtask: Subtask) -> None:
    versions.publish(2)
    moved = versions.folder.with_name("away")
    shutil.move(versions.folder, moved)
    wait(lambda: subtask.model.reloadFailures() >= 3)
    assert subtask.predict() == (1.0, "1")
    shutil.move(moved, versions.folder)
    versions.go_live(2)
    wait(lambda: subtask.predict() == (2.0, "2"))


def test_subtasks_share_a_thread_which_ends_with_the_last_of_them(versions: Versions) -> None:
    subtasks = [Subtask(versions.uri) for _ in range(3)]
    assert len(threads()) == 1
    assert subtasks[0].model.equals(subtasks[2].model)
    for number, subtask in enumerate(subtasks):
        assert len(threads()) == 1, number
        subtask.close()
    wait(lambda: not threads())


def open_jars() -> int:
    """The number of jars of versions that the JVM has open."""
    pid = gateway.gateway().jvm.ProcessHandle.current().pid()
    # A file may be closed while they are listed.
    return sum("leapstream-loans-" in os.path.realpath(file) for file in Path(f"/proc/{pid}/fd").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_version_is_closed_when_no_row_will_have_it(versions: Versions, subtask: Subtask) -> None:
    assert (subtask.predict(), open_jars()) == ((1.0, "1"), 1)
    for value in (2, 3, 4):
        versions.publish(value)
        versions.go_live(value)
        wait(lambda value=value: subtask.model.reloads() == value - 1)  # type: ignore[misc]
        # The last row had version 1, and the next one will have the newest; those between had no row.
        assert open_jars() == 2
    assert subtask.predict() == (4.0, "4")
    wait(lambda: open_jars() == 1)


def test_the_thread_registers_the_metrics_of_a_version_before_a_row_has_it(
    versions: Versions, subtask: Subtask
) -> None:
    field = gateway.runtime().loader.loadClass(f"{LIVE}.LiveFunction").getDeclaredField("measured")
    field.setAccessible(True)
    versions.publish(2)
    versions.go_live(2)
    wait(lambda: subtask.model.reloads() == 1)
    assert list(field.get(subtask.function)) == ["1", "2"]
    assert subtask.predict() == (2.0, "2")


def test_a_pinned_version_needs_no_thread_and_stays(versions: Versions) -> None:
    versions.publish(2, aliases=["live"])
    subtask = Subtask(versions.uri, None, "1")
    assert (subtask.predict(), threads()) == ((1.0, "1"), [])
    subtask.close()


# ---- in jobs ------------------------------------------------------------------------------------------------------------


def create_model(table_env: StreamTableEnvironment, versions: Versions, outputs: str, **options: str) -> None:
    inputs = ", ".join(f"{name} DOUBLE" for name in INPUTS)
    given = {"provider": "mleap", "store": versions.uri, "reload-interval": "20 ms", **options}
    listed = ", ".join(f"'{name}' = '{value}'" for name, value in given.items())
    table_env.execute_sql(f"CREATE TEMPORARY MODEL loans INPUT ({inputs}) OUTPUT ({outputs}) WITH ({listed})")


def create_predict(table_env: StreamTableEnvironment) -> None:
    table_env.execute_sql(predict_function_statement(temporary=True))


def test_every_row_of_a_job_is_labelled_by_the_version_that_scored_it(
    table_env: StreamTableEnvironment, versions: Versions, runtime_jar: Path
) -> None:
    add_jar(table_env, runtime_jar)
    table_env.get_config().set("parallelism.default", "2")
    columns = ", ".join(f"{name} DOUBLE" for name in INPUTS)
    table_env.execute_sql(
        f"CREATE TEMPORARY TABLE given ({columns}) WITH ('connector' = 'datagen', 'rows-per-second' = '20000')"
    )
    create_model(table_env, versions, "prediction DOUBLE, model_version STRING")
    table_env.get_config().set("table.exec.mini-batch.enabled", "true")
    table_env.get_config().set("table.exec.mini-batch.allow-latency", "50 ms")
    table_env.get_config().set("table.exec.mini-batch.size", "100000")
    BAD["contract"][0](versions, 2)
    for value in (3, 4, 5):
        versions.publish(value)
    counts = "COUNT(*), SUM(CASE WHEN prediction = CAST(model_version AS DOUBLE) THEN 0 ELSE 1 END)"
    scored = f"ML_PREDICT(TABLE given, MODEL loans, DESCRIPTOR({', '.join(INPUTS)}))"
    query = f"SELECT model_version, {counts} FROM {scored} GROUP BY model_version"
    found: dict[str, tuple[int, int]] = {}
    with table_env.execute_sql(query).collect() as changes:
        for version, rows, mismatched in changes:
            if version not in found:
                if version == "1":
                    versions.go_live(2)
                    # The bad version gets some looks before a good one follows.
                    time.sleep(0.3)
                if version == "5":
                    break
                versions.go_live({"1": 3, "3": 4, "4": 5}[version])
            found[version] = rows, mismatched
    assert list(found) == ["1", "3", "4"]
    assert sum(rows for rows, _ in found.values()) > 5000
    assert {mismatched for _, mismatched in found.values()} == {0}


def test_the_table_function_follows_a_model_and_computes_a_row_once_for_two_sinks(
    table_env: StreamTableEnvironment, versions: Versions, runtime_jar: Path
) -> None:
    add_jar(table_env, runtime_jar)
    create_predict(table_env)
    columns = ", ".join(f"{name} DOUBLE" for name in INPUTS)
    table_env.execute_sql(
        f"CREATE TEMPORARY TABLE given ({columns}) WITH ('connector' = 'datagen', 'rows-per-second' = '300')"
    )
    table_env.execute_sql(
        "CREATE TEMPORARY VIEW scored AS SELECT * FROM MLEAP_PREDICT(input => TABLE given, "
        f"store => '{versions.uri}', reload_interval => '20 ms', on_error => 'row')"
    )
    BAD["contract"][0](versions, 2)
    versions.publish(3)
    found: list[str] = []
    with table_env.execute_sql("SELECT prediction, error, model_version FROM scored").collect() as rows:
        for prediction, error, version in rows:
            assert (prediction, error) == (float(version), None)
            if version not in found:
                found.append(version)
                versions.go_live_after_a_bad_one(2, 3)
            if version == "3":
                break
    assert found == ["1", "3"]
    for sink, column in (("good", "prediction DOUBLE"), ("dead", "error STRING")):
        table_env.execute_sql(f"CREATE TEMPORARY TABLE {sink} ({column}) WITH ('connector' = 'blackhole')")
    both = table_env.create_statement_set()
    both.add_insert_sql("INSERT INTO good SELECT prediction FROM scored WHERE error IS NULL")
    both.add_insert_sql("INSERT INTO dead SELECT error FROM scored WHERE error IS NOT NULL")
    plan = both.explain().rpartition("Optimized Execution Plan")[2]
    assert plan.count("ProcessTableFunction(") == 1 and "Reused(reference_id" in plan


def test_functions_of_a_configuration_and_streams_follow_a_model(
    env: StreamExecutionEnvironment,
    table_env: StreamTableEnvironment,
    table: Callable[..., str],
    versions: Versions,
) -> None:
    entry = {"udfName": "Live", "store": versions.uri, "outputs": ["model_version", "prediction"], "onError": "null"}
    pinned = {"udfName": "Pinned", "store": versions.uri, "version": "1", "reloadInterval": "1 s"}
    MLeapUDFRegistry.register_from_config({"mleap": {"udfRegistry": [entry, pinned]}}, table_env)
    versions.publish(2, aliases=["live"])
    given = table([(1.0, 2.0, 3.0), (1.0, None, 3.0)], ABC)
    found = collect(table_env, f"SELECT r.model_version, r.prediction FROM (SELECT Live(a, b, c) AS r FROM {given})")
    assert found == [("2", 2.0), ("2", None)]
    assert collect(table_env, f"SELECT Pinned(a, b, c) FROM {given} WHERE b IS NOT NULL") == [(1.0,)]
    with pytest.raises(Exception, match="model 'linear3'"):
        collect(table_env, f"SELECT Pinned(a, b, c) FROM {given}")
    rows = env.from_collection([(1.0, 2.0, 3.0)], Types.ROW_NAMED(list(INPUTS), [Types.DOUBLE()] * 3))
    found = predict_stream(rows, store=versions.uri, outputs=["prediction", "model_version"], reload_interval="5 min")
    with found.execute_and_collect() as answers:
        assert [tuple(row) for row in answers] == [(1.0, 2.0, 3.0, 2.0, "2")]


def test_rows_are_split_among_versions_as_in_python_with_a_shadow_beside(
    table_env: StreamTableEnvironment, versions: Versions, runtime_jar: Path
) -> None:
    add_jar(table_env, runtime_jar)
    for value in (2, 3):
        versions.publish(value)
    alias = versions.store.set_alias("loans", "live", {"1": 60, "2": 40}, shadow=["3"])
    inputs = "customer STRING, " + ", ".join(f"{name} DOUBLE" for name in INPUTS)
    table_env.execute_sql(
        f"CREATE TEMPORARY MODEL loans INPUT ({inputs}) "
        "OUTPUT (prediction DOUBLE, model_version STRING, shadow_prediction DOUBLE, shadow_version STRING) "
        f"WITH ('provider' = 'mleap', 'store' = '{versions.uri}', 'split-key' = 'customer')"
    )
    keys = [f"customer-{number}" for number in range(60)]
    values = ", ".join(f"('{key}', 1e0, 2e0, 3e0)" for key in keys)
    table_env.execute_sql(f"CREATE TEMPORARY VIEW given AS SELECT * FROM (VALUES {values}) AS t (id, a, b, c)")
    columns = "id, prediction, model_version, shadow_prediction, shadow_version"
    found = collect(table_env, f"SELECT {columns} FROM ML_PREDICT(TABLE given, MODEL loans, DESCRIPTOR(id, a, b, c))")
    create_predict(table_env)
    call = (
        f"MLEAP_PREDICT(input => TABLE given, store => '{versions.uri}', alias => 'live', split_key => 'id', "
        "inputs => DESCRIPTOR(a, b, c), outputs => DESCRIPTOR(prediction, shadow_prediction, shadow_version))"
    )
    assert collect(table_env, f"SELECT {columns} FROM {call}") == found
    assert {row[0]: row[2] for row in found} == {key: alias.version_of(key) for key in keys}
    assert {(row[1] == float(row[2]), *row[3:]) for row in found} == {(True, 3.0, "3")}
    assert len({row[2] for row in found}) == 2


def test_a_function_that_follows_a_model_keeps_rows_that_fail_with_their_version_and_error(
    table_env: StreamTableEnvironment, table: Callable[..., str], versions: Versions
) -> None:
    model = StoredModel(versions.uri)
    outputs = ["prediction", "model_version"]
    MLeapUDFRegistry.register("Kept", model, table_env, outputs=outputs, on_error="row", error_column="problem")
    versions.publish(2, aliases=["live"])
    given = table([(1.0, 2.0, 3.0), (1.0, None, 3.0)], ABC)
    fields = "r.prediction, r.model_version, r.problem"
    good, dead = collect(table_env, f"SELECT {fields} FROM (SELECT Kept(a, b, c) AS r FROM {given})")
    assert good == (2.0, "2", None)
    assert dead[:2] == (None, "2")
    assert "column 'feature2'" in dead[2]


def test_versions_of_the_option_are_computed_beside_and_go_before_shadows_of_the_alias(
    env: StreamExecutionEnvironment, table_env: StreamTableEnvironment, versions: Versions, runtime_jar: Path
) -> None:
    add_jar(table_env, runtime_jar)
    for value in (2, 3):
        versions.publish(value)
    versions.store.set_alias("loans", "live", "1", shadow=["2"])
    columns = ("prediction", "model_version", "shadow_prediction", "shadow_version")
    expected = [(1.0, "1", 3.0, "3")]
    table_env.execute_sql("CREATE TEMPORARY VIEW given AS SELECT * FROM (VALUES (1e0, 2e0, 3e0)) AS t (a, b, c)")
    outputs = "prediction DOUBLE, model_version STRING, shadow_prediction DOUBLE, shadow_version STRING"
    create_model(table_env, versions, outputs, shadow="3")
    create_predict(table_env)
    called = (
        f"MLEAP_PREDICT(input => TABLE given, store => '{versions.uri}', inputs => DESCRIPTOR(a, b, c), shadow => '3; 2', "
        "outputs => DESCRIPTOR(prediction, shadow_prediction, shadow_version))"
    )
    for scored in ("ML_PREDICT(TABLE given, MODEL loans, DESCRIPTOR(a, b, c))", called):
        assert collect(table_env, f"SELECT {', '.join(columns)} FROM {scored}") == expected
    entry = {"udfName": "Live", "store": versions.uri, "outputs": list(columns), "shadow": ["3"]}
    MLeapUDFRegistry.register_from_config({"mleap": {"udfRegistry": [entry]}}, table_env)
    fields = ", ".join(f"r.{column}" for column in columns)
    assert collect(table_env, f"SELECT {fields} FROM (SELECT Live(a, b, c) AS r FROM given)") == expected
    rows = env.from_collection([(1.0, 2.0, 3.0)], Types.ROW_NAMED(list(INPUTS), [Types.DOUBLE()] * 3))
    scored = predict_stream(rows, store=versions.uri, outputs=columns, shadow="3")
    with scored.execute_and_collect() as answers:
        assert [tuple(row)[3:] for row in answers] == expected


@pytest.mark.slow
@pytest.mark.parametrize("way", ["ML_PREDICT", "MLEAP_PREDICT", "function"])
def test_a_row_that_fails_has_the_outputs_and_the_error_of_its_shadow(
    table_env: StreamTableEnvironment, table: Callable[..., str], versions: Versions, runtime_jar: Path, way: str
) -> None:
    versions.publish(2)
    columns = ("prediction", "shadow_prediction", "shadow_version", "shadow_error", "error")
    given = table([(1.0, 2.0, 3.0), (1.0, None, 3.0)], ABC)
    prefix = ""
    if way == "ML_PREDICT":
        add_jar(table_env, runtime_jar)
        kinds = ("DOUBLE", "DOUBLE", "STRING", "STRING", "STRING")
        outputs = ", ".join(map(" ".join, zip(columns, kinds, strict=True)))
        create_model(table_env, versions, outputs, shadow="2", **{"on-error": "row"})
        rows = f"ML_PREDICT(TABLE {given}, MODEL loans, DESCRIPTOR(a, b, c))"
    elif way == "MLEAP_PREDICT":
        add_jar(table_env, runtime_jar)
        create_predict(table_env)
        rows = (
            f"MLEAP_PREDICT(input => TABLE {given}, store => '{versions.uri}', inputs => DESCRIPTOR(a, b, c), "
            f"shadow => '2', on_error => 'row', outputs => DESCRIPTOR({', '.join(columns[:-1])}))"
        )
    else:
        model = StoredModel(versions.uri, shadow="2")
        MLeapUDFRegistry.register("Kept", model, table_env, outputs=columns[:-1], on_error="row")
        rows, prefix = f"(SELECT Kept(a, b, c) AS r FROM {given})", "r."
    query = f"SELECT {', '.join(prefix + column for column in columns)} FROM {rows}"
    good, dead = collect(table_env, query)
    assert good == (1.0, 2.0, "2", None, None)
    assert dead[:3] == (None, None, "2")
    assert dead[3] == dead[4] and "column 'feature2'" in dead[3]


def test_a_shadow_of_the_option_stays_at_a_change_and_is_not_computed_where_it_is_the_live_version(
    versions: Versions,
) -> None:
    for value in (2, 3):
        versions.publish(value)
    subtask = Subtask(versions.uri, shadow=["3"])
    assert subtask.predict() == (1.0, "1") and subtask.model.versions() == "1, shadow 3"
    versions.go_live(2)
    wait(lambda: subtask.predict() == (2.0, "2"))
    assert subtask.model.versions() == "2, shadow 3"
    versions.go_live(3)
    wait(lambda: subtask.predict() == (3.0, "3"))
    assert subtask.model.versions() == "3"
    subtask.close()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("model => 'x', store => '{}'", "give model, the name of a model in a jar of this session, or store"),
        ("on_error => 'row'", "give model, the name of a model in a jar of this session, or store"),
        ("model => 'x', alias => 'live'", "alias is for a model of a store, and 'x' is one of a jar"),
        ("store => '{}', alias => 'live', version => '1'", "give 'alias' or 'version', not both"),
        ("store => '{}', version => '2'", "the store cannot be read, or has no such version"),
        ("store => '{}', reload_interval => 'soon'", "MLEAP_PREDICT: .*soon"),
        ("store => '{}', split_key => 'who'", "the table has no column 'who'"),
        ("store => '{}', outputs => DESCRIPTOR(score)", "the model has no output 'score'"),
        ("store => UPPER('{}')", "store has to be a literal"),
    ],
)
def test_a_call_of_the_table_function_that_does_not_fit_is_rejected_when_the_query_is_planned(
    table_env: StreamTableEnvironment, versions: Versions, runtime_jar: Path, arguments: str, reason: str
) -> None:
    add_jar(table_env, runtime_jar)
    create_predict(table_env)
    columns = ", ".join(f"{name} DOUBLE" for name in INPUTS)
    table_env.execute_sql(f"CREATE TEMPORARY TABLE given ({columns}) WITH ('connector' = 'datagen')")
    with pytest.raises(Py4JJavaError, match=f"(?s){reason}"):
        table_env.explain_sql(f"SELECT * FROM MLEAP_PREDICT(input => TABLE given, {arguments.format(versions.uri)})")


def test_a_statement_needs_a_bundle_or_a_store(
    table_env: StreamTableEnvironment, versions: Versions, runtime_jar: Path
) -> None:
    add_jar(table_env, runtime_jar)
    table_env.execute_sql(
        "CREATE TEMPORARY TABLE rows_ (a DOUBLE, b DOUBLE, c DOUBLE) WITH ('connector' = 'datagen', 'number-of-rows' = '1')"
    )
    for options, reason in (
        ({"bundle": "x"}, "give 'bundle', the name of a bundle in a jar of this session, or 'store'"),
        ({"alias": "live", "version": "1"}, "give 'alias' or 'version', not both"),
        ({"alias": "other"}, "the store cannot be read, or has no such version: .*other.json"),
        ({"shadow": "9"}, "the store cannot be read, or has no such version: .*9/manifest.json"),
        ({"alias": "../x"}, "'../x' cannot be the alias in a store"),
        ({"reload-interval": "0 s"}, "the reload interval has to be positive"),
    ):
        create_model(table_env, versions, "prediction DOUBLE", **options)
        with pytest.raises(Py4JJavaError, match=f"(?s){reason}"):
            table_env.explain_sql("SELECT * FROM ML_PREDICT(TABLE rows_, MODEL loans, DESCRIPTOR(a, b, c))")
        table_env.execute_sql("DROP TEMPORARY MODEL loans")
