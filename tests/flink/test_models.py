"""``CREATE MODEL`` and ``ML_PREDICT``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pyflink.common import Row
from pyflink.table import DataTypes, StreamTableEnvironment

import leapstream
from leapstream import ConfigError, LeapFrame, Tensor
from leapstream.executors.jvm.runtime_jar import process_directory
from leapstream.flink import Target, compile_jar, create_model
from leapstream.flink.ddl import statements
from leapstream.flink.jars import add_jar
from leapstream.flink.options import OnFailure

from .conftest import FOREST, LINEAR, bundle_of, collect, golden

pytestmark = pytest.mark.flink

LOANS, SKIP, ERROR = "pipeline/loans-logistic", "pipeline/loans-logistic-skip", "pipeline/loans-logistic-error"
DOUBLES = DataTypes.ROW([DataTypes.FIELD(name, DataTypes.DOUBLE()) for name in ("a", "b", "c")])
ROWS = [(0.1, 7.0, 0.9), (0.5, 3.0, 0.25)]
Table = Callable[..., str]


def loans(table: Table, case: str) -> tuple[str, LeapFrame, LeapFrame]:
    """A view of a case's rows with a number each, and the frames."""
    frame, answers = (LeapFrame.read(golden(case) / f"{name}.json") for name in ("input", "expected"))
    kinds = {"state": DataTypes.STRING(), "home": DataTypes.STRING(), "flag": DataTypes.BOOLEAN()}
    fields = [DataTypes.FIELD("n", DataTypes.INT())]
    fields += [DataTypes.FIELD(name, kinds.get(name, DataTypes.DOUBLE())) for name in frame.schema.names]
    rows = [
        (n, *(float(v) if isinstance(v, int) and not isinstance(v, bool) else v for v in row))
        for n, row in enumerate(frame.rows)
    ]
    return table(rows, DataTypes.ROW(fields)), frame, answers


def predict(name: str, view: str, columns: tuple[str, ...], wanted: str) -> str:
    quoted = ", ".join(f"`{column}`" for column in columns)
    return f"SELECT {wanted} FROM ML_PREDICT(TABLE {view}, MODEL {name}, DESCRIPTOR({quoted}))"


def loan_predictions(
    table_env: StreamTableEnvironment, table: Table, case: str, wanted: str, on_error: OnFailure = "raise", **more: str
) -> tuple[list[Row], LeapFrame, LeapFrame]:
    """The columns ``wanted`` for a case's rows, by the row's number ``n``, and the frames."""
    view, frame, answers = loans(table, case)
    columns = (f"CAST({name} AS DOUBLE) AS {name}" if name == "flag" else name for name in frame.schema.names)
    loan, given = f"loan_{on_error}", f"loans_{on_error}"
    table_env.execute_sql(f"CREATE TEMPORARY VIEW {given} AS SELECT n, {', '.join(columns)} FROM {view}")
    create_model(loan, bundle_of(case), table_env, on_error=on_error, **more)  # type: ignore[arg-type]
    inputs = leapstream.load(bundle_of(case)).schema.inputs.names
    return sorted(collect(table_env, predict(loan, given, inputs, wanted))), frame, answers


def test_several_outputs_of_a_pipeline_come_as_recorded(table_env: StreamTableEnvironment, table: Table) -> None:
    found, _, answers = loan_predictions(table_env, table, LOANS, "n, prediction, probability")
    assert [row[1] for row in found] == answers.column("prediction")
    for row, probability in zip(found, answers.column("probability"), strict=True):
        assert isinstance(probability, Tensor)
        assert row[2] == pytest.approx(probability.to_dense().tolist(), rel=1e-9)


def test_rows_that_the_model_drops_are_not_in_the_result(table_env: StreamTableEnvironment, table: Table) -> None:
    found, frame, answers = loan_predictions(table_env, table, SKIP, "n, prediction")
    assert 0 < len(found) < len(frame.rows)
    assert [row[1] for row in found] == answers.column("prediction")


def test_a_failing_row_stops_the_job_or_gives_null(table_env: StreamTableEnvironment, table: Table) -> None:
    with pytest.raises(Exception, match="model 'pipeline_"):
        loan_predictions(table_env, table, ERROR, "n, prediction")
    found, frame, answers = loan_predictions(table_env, table, ERROR, "n, prediction", "null")
    assert len(found) == len(frame.rows)
    assert [row[1] for row in found if row[1] is not None] == answers.column("prediction")


def test_a_failing_row_is_kept_with_its_error_and_the_version_of_the_model(
    table_env: StreamTableEnvironment, table: Table
) -> None:
    found, frame, answers = loan_predictions(
        table_env, table, ERROR, "n, prediction, problem, v", "row", error_column="problem", version_column="v"
    )
    model = leapstream.load(bundle_of(ERROR))
    errors = model.predict_rows(frame).errors
    assert {n: problem for n, _, problem, _ in found if problem is not None} == {
        n: str(error.at_row(None)) for n, error in errors.items()
    }
    assert [row[1] for row in found if row[2] is None] == answers.column("prediction")
    assert {row[3] for row in found} == {model.definition.uid}


def test_a_column_for_errors_needs_a_name_of_its_own(table_env: StreamTableEnvironment) -> None:
    with pytest.raises(ConfigError, match="there is an output 'prediction' already; error_column is another name"):
        create_model("m", LINEAR, table_env, on_error="row", error_column="prediction")


def test_columns_are_matched_by_name_by_position_or_packed(table_env: StreamTableEnvironment, table: Table) -> None:
    view = table(ROWS, DOUBLES)
    targets = [Target("Linear", leapstream.load(LINEAR), "model"), Target("Forest", leapstream.load(FOREST), "model")]
    path = _compiled(table_env, targets)
    assert path.exists()
    model = leapstream.load(LINEAR)
    expected = [model.predict(dict(zip(model.schema.inputs.names, row, strict=True)))["prediction"] for row in ROWS]
    turned = "feature3 DOUBLE, feature1 DOUBLE, feature2 DOUBLE"
    for name, columns, order in (("named", turned, ("c", "a", "b")), ("placed", "x INT, y DOUBLE, z FLOAT", None)):
        table_env.execute_sql(_create(name, columns, "prediction DOUBLE", "Linear"))
        source = view
        if order is None:
            table_env.execute_sql(
                f"CREATE TEMPORARY VIEW narrow AS SELECT CAST(a AS INT) AS a, b, CAST(c AS FLOAT) AS c FROM {view}"
            )
            source, order = "narrow", ("a", "b", "c")
            expected = [
                model.predict({"feature1": int(a), "feature2": b, "feature3": _single(c)})["prediction"]
                for a, b, c in ROWS
            ]
        found = [row[0] for row in collect(table_env, predict(name, source, order, "prediction"))]
        assert found == pytest.approx(expected, rel=1e-12)
    forest = leapstream.load(FOREST)
    table_env.execute_sql(_create("packed", "x DOUBLE, y DOUBLE, z DOUBLE", "p DOUBLE", "Forest"))
    found = [row[0] for row in collect(table_env, predict("packed", view, ("a", "b", "c"), "p"))]
    assert found == [row["prediction"] for row in forest.predict([{"features": list(row)} for row in ROWS])]


ELEMENTS = ("TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(9, 2)")
"""Types of numbers that Flink lets ML_PREDICT take for DOUBLE, in columns and in arrays."""


def _columns_of_every_type(table_env: StreamTableEnvironment) -> list[str]:
    """A view with the numbers 2, 5 and 3 as columns and as an array of every type; the suffixes of the columns' names."""
    kinds = {kind.partition("(")[0].lower(): kind for kind in ELEMENTS}
    columns = [
        f"CAST({x} AS {kind}) AS {c}_{name}"
        for name, kind in kinds.items()
        for c, x in zip("abc", (2, 5, 3), strict=True)
    ]
    columns += [f"CAST(ARRAY[2, 5, 3] AS ARRAY<{kind}>) AS v_{name}" for name, kind in kinds.items()]
    columns += ["MAP[CAST('k' AS CHAR(1)), CAST(7 AS INT)] AS m", "CAST('k' AS CHAR(1)) AS k"]
    # From a table: the planner would compute the columns of a query of constants alone.
    table_env.execute_sql("CREATE TEMPORARY TABLE seed (n INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1')")
    table_env.execute_sql(f"CREATE TEMPORARY VIEW every_type AS SELECT {', '.join(columns)} FROM seed")
    return list(kinds)


def test_columns_of_every_type_that_flink_lets_through_are_cast(table_env: StreamTableEnvironment) -> None:
    kinds = _columns_of_every_type(table_env)
    linear, forest = leapstream.load(LINEAR), leapstream.load(FOREST)
    create_model("linear", linear, table_env)
    create_model("forest", forest, table_env)
    create_model("entry", bundle_of("feature/map-entry-selector-long"), table_env)
    queries, expected = [predict("entry", "every_type", ("m", "k"), "'entry', CAST(sel AS DOUBLE)")], {"entry": 7.0}
    for kind in kinds:
        columns = (f"a_{kind}", f"b_{kind}", f"c_{kind}")
        queries.append(predict("linear", "every_type", columns, f"'linear {kind}', prediction"))
        queries.append(predict("forest", "every_type", (f"v_{kind}",), f"'forest {kind}', prediction"))
        expected[f"linear {kind}"] = linear.predict({f"feature{i}": x for i, x in enumerate((2.0, 5.0, 3.0), 1)})[
            "prediction"
        ]
        expected[f"forest {kind}"] = forest.predict({"features": [2.0, 5.0, 3.0]})["prediction"]
    assert dict(collect(table_env, " UNION ALL ".join(queries))) == pytest.approx(expected, rel=1e-12)


def test_a_column_of_a_type_that_is_not_cast_is_named_at_planning(table_env: StreamTableEnvironment) -> None:
    create_model("entry", bundle_of("feature/map-entry-selector-long"), table_env)
    table_env.execute_sql(
        "CREATE TEMPORARY VIEW times AS SELECT MAP['k', INTERVAL '3' DAY] AS m, 'k' AS k FROM (VALUES 1) AS v(n)"
    )
    with pytest.raises(Exception, match="'m' must be MAP<STRING, BIGINT> or a type that SQL casts to it") as failure:
        collect(table_env, predict("entry", "times", ("m", "k"), "sel"))
    for part in ("entry", "Model '", "k STRING", "INTERVAL"):
        assert part.lower() in str(failure.value).lower()


def _single(x: float) -> float:
    return float(np.float32(x))


def _compiled(table_env: StreamTableEnvironment, targets: list[Target]) -> Path:
    path = process_directory() / f"{'-'.join(t.name for t in targets)}-test.jar"
    compile_jar(targets, path)
    add_jar(table_env, path)
    return path


def _create(name: str, inputs: str, outputs: str, bundle: str, more: str = "") -> str:
    options = f"'provider' = 'mleap', 'bundle' = '{bundle}'{more}"
    return f"CREATE TEMPORARY MODEL {name} INPUT ({inputs}) OUTPUT ({outputs}) WITH ({options})"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            ("x DOUBLE, y DOUBLE, z BYTES", "prediction DOUBLE", "Linear"),
            r"argument 3 \(feature3\) must be DOUBLE, not BYTES",
        ),
        (("x DOUBLE, y DOUBLE", "prediction DOUBLE", "Linear"), "it takes 3 arguments; 2 are given"),
        (("x DOUBLE, y DOUBLE, z DOUBLE", "prediction STRING", "Linear"), "'prediction' must be DOUBLE, not STRING"),
        (("x DOUBLE, y DOUBLE, z DOUBLE", "p DOUBLE, q DOUBLE", "Linear"), "OUTPUT: the bundle has no column 'p'"),
        (("x DOUBLE, y DOUBLE, z DOUBLE", "p DOUBLE", "Absent"), "no jar of this session has the bundle 'Absent'"),
        (
            ("x DOUBLE, y DOUBLE, z DOUBLE", "p DOUBLE", "Linear", ", 'on-error' = 'stop'"),
            "'on-error' is 'fail', 'null' or 'row'",
        ),
        (("x DOUBLE, y DOUBLE, z DOUBLE", "p DOUBLE", "Linear", ", 'colour' = 'red'"), "colour"),
    ],
)
def test_a_statement_that_does_not_fit_is_rejected_when_the_query_is_planned(
    table_env: StreamTableEnvironment, statement: tuple[str, ...], message: str
) -> None:
    _compiled(table_env, [Target("Linear", leapstream.load(LINEAR), "model")])
    table_env.execute_sql(_create("unfit", *statement))
    names = [column.split()[0] for column in re.sub(r"\(.*?\)", "", statement[0]).split(", ")]
    kinds = re.sub(r"\((\d+), (\d+)\)", r"(\1;\2)", statement[0]).split(", ")
    columns = ", ".join(
        f"CAST(NULL AS {kind.partition(' ')[2].replace(';', ', ')}) AS {name}"
        for name, kind in zip(names, kinds, strict=True)
    )
    table_env.execute_sql(f"CREATE TEMPORARY VIEW nothing AS SELECT {columns}")
    with pytest.raises(Exception, match=message):
        table_env.execute_sql(predict("unfit", "nothing", tuple(names), "*"))


@pytest.mark.parametrize("bundle", [LINEAR, FOREST, LOANS])
def test_the_statements_for_a_bundle_run_as_they_stand(table_env: StreamTableEnvironment, bundle: str) -> None:
    model = leapstream.load(bundle if bundle.endswith(".zip") else bundle_of(bundle))
    _compiled(table_env, [Target("Shown", model), Target("Shown", model, "model")])
    try:
        found = [collect(table_env, statement) for statement in statements("Shown", model)]
    finally:
        for kind in ("TABLE", "FUNCTION", "MODEL"):
            table_env.execute_sql(f"DROP {kind} IF EXISTS `Shown{'Features' if kind == 'TABLE' else ''}`")
        table_env.execute_sql("DROP FUNCTION IF EXISTS MLEAP_PREDICT")
    done = [("OK",)]
    table, function, called, model_made, predicted, process_function, with_errors = found
    assert table == function == model_made == process_function == done
    assert [len(rows) for rows in (called, predicted, with_errors)] == [10, 10, 10]
    assert all(isinstance(row[0], float) for row in called)


def test_a_model_needs_a_name_that_java_can_have(table_env: StreamTableEnvironment) -> None:
    with pytest.raises(ConfigError, match="identifier of Java"):
        create_model("my model", LINEAR, table_env)
    with pytest.raises(ConfigError, match="on_error"):
        create_model("m", LINEAR, table_env, on_error="stop")  # type: ignore[arg-type]
