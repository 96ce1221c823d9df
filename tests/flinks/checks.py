"""Checks of jars of models, and of leapstream where it is installed: a script for the environment of a version of Flink.

It gets a folder of jars and writes a JSON object: for each check, ``""`` or the error. Only the checks of the package import
leapstream, since Flink 1.20 asks for older libraries than leapstream does.
"""

from __future__ import annotations

import json
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyflink.common import Configuration, Row, Types
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import EnvironmentSettings, StreamTableEnvironment, TableEnvironment

NAMES = ("feature1", "feature2", "feature3")
GIVEN = (1.0, 2.0, 3.0)
# As tests/streams makes the model: 1.5 * 1 - 2.25 * 2 + 0.75 * 3 + 0.125.
EXPECTED = -0.625
VALUES = "(VALUES (CAST(1 AS DOUBLE), CAST(2 AS DOUBLE), CAST(3 AS DOUBLE))) AS t(a, b, c)"

Check = Callable[[Path], None]
CHECKS: dict[str, Check] = {}


def check(name: str) -> Callable[[Check], Check]:
    """Makes a function a check."""

    def add(function: Check) -> Check:
        CHECKS[name] = function
        return function

    return add


def environment(jar: Path | None = None) -> tuple[StreamExecutionEnvironment, StreamTableEnvironment]:
    """A stream environment and a table environment, with a jar."""
    configuration = Configuration()
    if jar is not None:
        configuration.set_string("pipeline.jars", jar.as_uri())
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    env.set_parallelism(1)
    env.set_python_executable(sys.executable)
    return env, StreamTableEnvironment.create(env)


def rows(table_env: TableEnvironment, query: str) -> list[list[Any]]:
    """The rows of a query."""
    with table_env.execute_sql(query).collect() as found:
        return [list(row) for row in found]


def stream(env: StreamExecutionEnvironment) -> DataStream:
    """A stream of one row."""
    return env.from_collection([Row(*GIVEN)], Types.ROW_NAMED(list(NAMES), [Types.DOUBLE()] * 3))


def same(found: object, expected: object) -> None:
    """Fails unless two values are equal."""
    if found != expected:
        raise AssertionError(f"{found!r} is not {expected!r}")


@check("function")
def _(jars: Path) -> None:
    _, table_env = environment()
    table_env.execute_sql(f"ADD JAR '{jars / 'functions.jar'}'")
    table_env.execute_sql("CREATE TEMPORARY FUNCTION Predict AS 'leapstream.models.Predict' LANGUAGE JAVA")
    same(rows(table_env, f"SELECT Predict(a, b, c) FROM {VALUES}"), [[EXPECTED]])


@check("function of several outputs")
def _(jars: Path) -> None:
    _, table_env = environment()
    table_env.execute_sql(f"ADD JAR '{jars / 'functions.jar'}'")
    table_env.execute_sql("CREATE TEMPORARY FUNCTION Scores AS 'leapstream.models.Scores' LANGUAGE JAVA")
    query = f"SELECT r.prediction, r.features[2] FROM (SELECT Scores(a, b, c) AS r FROM {VALUES})"
    same(rows(table_env, query), [[EXPECTED, 2.0]])


@check("arguments by name")
def _(jars: Path) -> None:
    _, table_env = environment()
    table_env.execute_sql(f"ADD JAR '{jars / 'functions.jar'}'")
    table_env.execute_sql("CREATE TEMPORARY FUNCTION Predict AS 'leapstream.models.Predict' LANGUAGE JAVA")
    call = "Predict(feature3 => c, feature1 => a, feature2 => b)"
    same(rows(table_env, f"SELECT {call} FROM {VALUES}"), [[EXPECTED]])


@check("function that follows a store")
def _(jars: Path) -> None:
    _, table_env = environment()
    table_env.execute_sql(f"ADD JAR '{jars / 'functions.jar'}'")
    table_env.execute_sql("CREATE TEMPORARY FUNCTION Live AS 'leapstream.models.Live' LANGUAGE JAVA")
    query = f"SELECT r.prediction, r.model_version FROM (SELECT Live(a, b, c) AS r FROM {VALUES})"
    same(rows(table_env, query), [[EXPECTED, "1"]])


@check("DRIFT")
def _(jars: Path) -> None:
    table_env = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
    table_env.execute_sql(f"ADD JAR '{jars / 'functions.jar'}'")
    table_env.execute_sql("CREATE TEMPORARY FUNCTION DRIFT AS 'leapstream.flink.drift.Drift' LANGUAGE JAVA")
    found = f"SELECT DRIFT('{jars / 'models' / 'linear'}', '1', 'feature1,feature2', a, b) AS found FROM {VALUES}"
    fields = "model_, version, side, feature, psi, missing_rate, missing_rate_in_training, rows_"
    query = f"SELECT version, feature, rows_ FROM ({found}) CROSS JOIN UNNEST(found) AS drift ({fields})"
    same(sorted(rows(table_env, query)), [["1", "feature1", 1], ["1", "feature2", 1]])


@check("DataStream")
def _(jars: Path) -> None:
    env, _ = environment(jars / "models.jar")
    given = stream(env)._j_data_stream
    gateway = get_gateway()
    urls = gateway.new_array(gateway.jvm.java.net.URL, 1)
    urls[0] = gateway.jvm.java.net.URL((jars / "models.jar").as_uri())
    loader = gateway.jvm.java.net.URLClassLoader(urls, gateway.jvm.Thread.currentThread().getContextClassLoader())
    function = loader.loadClass("leapstream.models.LinearMap").getConstructors()[0].newInstance(None)
    mapped = DataStream(given.map(function).returns(function.returns(given.getType())))
    with mapped.execute_and_collect() as found:
        same([row.as_dict()["prediction"] for row in found], [EXPECTED])


@check("CREATE MODEL, ML_PREDICT")
def _(jars: Path) -> None:
    _, table_env = environment()
    table_env.execute_sql(f"ADD JAR '{jars / 'models.jar'}'")
    table_env.execute_sql(f"CREATE TEMPORARY VIEW given AS SELECT * FROM {VALUES}")
    for name, option in (("m", "'bundle' = 'Linear'"), ("live", f"'store' = '{jars / 'models' / 'linear'}'")):
        table_env.execute_sql(
            f"CREATE TEMPORARY MODEL {name} INPUT (a DOUBLE, b DOUBLE, c DOUBLE) OUTPUT (prediction DOUBLE) "
            f"WITH ('provider' = 'mleap', {option})"
        )
        query = f"SELECT prediction FROM ML_PREDICT(TABLE given, MODEL {name}, DESCRIPTOR(a, b, c))"
        same(rows(table_env, query), [[EXPECTED]])


# Flink 2.1 and 2.2 give a table function converted values, which have other classes for most of these types.
OTHERS = {
    "id": ("INT", "7"),
    "text": ("STRING", "'x'"),
    "day_": ("DATE", "DATE '2026-01-02'"),
    "hour_": ("TIME", "TIME '03:04:05'"),
    "stamp": ("TIMESTAMP(3)", "TIMESTAMP '2026-01-02 03:04:05.678'"),
    "price": ("DECIMAL(10, 2)", "12.34"),
    "list": ("ARRAY<DOUBLE>", "ARRAY[1e0, 2e0]"),
    "bytes_": ("BYTES", "X'0102'"),
    "pair": ("ROW<a INT, b STRING>", "ROW(1, 'x')"),
    "map_": ("MAP<STRING, INT>", "MAP['x', 1]"),
}


@check("MLEAP_PREDICT")
def _(jars: Path) -> None:
    _, table_env = environment()
    table_env.execute_sql(f"ADD JAR '{jars / 'models.jar'}'")
    table_env.execute_sql("CREATE TEMPORARY FUNCTION MLEAP_PREDICT AS 'leapstream.flink.ml.MLeapPredict' LANGUAGE JAVA")
    others = ", ".join(f"CAST({value} AS {kind}) AS {name}" for name, (kind, value) in OTHERS.items())
    features = "a AS feature1, CAST(b AS DECIMAL(10, 2)) AS feature2, c AS feature3"
    table_env.execute_sql(f"CREATE TEMPORARY VIEW given AS SELECT {others}, {features} FROM {VALUES}")
    query = (
        "SELECT * FROM MLEAP_PREDICT(input => TABLE given, {}, outputs => DESCRIPTOR(prediction), on_error => 'row')"
    )
    for model in ("model => 'Linear'", f"store => '{jars / 'models' / 'linear'}'"):
        (found,) = rows(table_env, query.format(model))
        same(found[: len(OTHERS)], rows(table_env, f"SELECT {', '.join(OTHERS)} FROM given")[0])
        same([found[-3], found[-1]], [EXPECTED, None])
    table_env.execute_sql(
        f"CREATE TEMPORARY VIEW failing AS SELECT {', '.join(OTHERS)}, "
        "feature1, CAST(NULL AS DOUBLE) AS feature2, feature3 FROM given"
    )
    call = (
        "SELECT id, prediction, error FROM MLEAP_PREDICT(input => TABLE failing, model => 'Linear', on_error => '{}')"
    )
    ((key, prediction, error),) = rows(table_env, call.format("row"))
    same([key, prediction, "column 'feature2'" in error], [7, None, True])
    try:
        rows(table_env, call.replace(", error", "").format("fail"))
    except Exception as failure:
        shown = "the row is {id: 7, text: 'x', day_: 2026-01-02, hour_: 03:04:05"
        same([shown in str(failure)], [True])
    else:
        raise AssertionError("a row that fails does not fail the job")


@check("functions registered from Python")
def _(jars: Path) -> None:
    from leapstream.flink import MLeapUDFRegistry

    _, table_env = environment()
    for backend in ("jvm", "vectorized"):
        MLeapUDFRegistry.register(f"p_{backend}", str(jars / "linear.zip"), table_env, backend=backend)
    # PyFlink cannot send constants to a function.
    table_env.create_temporary_view("given", table_env.from_elements([GIVEN], ["a", "b", "c"]))
    for backend in ("jvm", "vectorized"):
        same(rows(table_env, f"SELECT p_{backend}(a, b, c) FROM given"), [[EXPECTED]])


@check("predict_stream")
def _(jars: Path) -> None:
    from leapstream.flink import predict_stream

    for backend in ("jvm", "vectorized"):
        env, _ = environment()
        with predict_stream(stream(env), str(jars / "linear.zip"), backend=backend).execute_and_collect() as found:
            same([row.as_dict()["prediction"] for row in found], [EXPECTED])


@check("drift_stream")
def _(jars: Path) -> None:
    from leapstream.flink import drift_stream

    env, _ = environment()
    drift = drift_stream(stream(env), f"{jars / 'models' / 'linear'}@1", columns=["feature1", "feature2"])
    with drift.execute_and_collect() as found:
        same(
            sorted((row.as_dict()["feature"], row.as_dict()["rows"]) for row in found),
            [("feature1", 1), ("feature2", 1)],
        )


@check("MLeapMapFunction")
def _(jars: Path) -> None:
    from leapstream.flink import MLeapMapFunction

    env, _ = environment()
    predict = MLeapMapFunction(str(jars / "linear.zip"), inputs=list(NAMES))
    with stream(env).map(predict, output_type=predict.get_produced_type()).execute_and_collect() as found:
        same(list(found), [EXPECTED])


@check("create_model")
def _(jars: Path) -> None:
    import leapstream
    from leapstream.flink import create_model

    _, table_env = environment()
    create_model("m", leapstream.load(str(jars / "linear.zip")), table_env)
    table_env.execute_sql(f"CREATE TEMPORARY VIEW given AS SELECT * FROM {VALUES}")
    same(rows(table_env, "SELECT prediction FROM ML_PREDICT(TABLE given, MODEL m, DESCRIPTOR(a, b, c))"), [[EXPECTED]])


def main() -> None:
    """Run all checks."""
    warnings.simplefilter("ignore")
    jars, target = Path(sys.argv[1]), Path(sys.argv[2])
    results = {}
    for name, function in CHECKS.items():
        try:
            function(jars)
            results[name] = ""
        # PyFlink raises whatever class a Java exception maps to.
        except Exception:
            results[name] = traceback.format_exc()
    target.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
