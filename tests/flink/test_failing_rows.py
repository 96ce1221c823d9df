"""Rows that fail: none is lost, a model runs once a row, and errors have the same text on every way to predict."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyflink.common import Row, Types
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.table import DataTypes, StreamTableEnvironment

import leapstream
from leapstream import ConfigError, Model
from leapstream.flink import MLeapMapFunction, MLeapUDFRegistry, create_model, predict_stream

from .conftest import LINEAR, bundle_of, collect
from .counting import Predictions

pytestmark = pytest.mark.flink

LOANS = "pipeline/loans-logistic-error"
SKIP = "pipeline/loans-logistic-skip"
COUNT = 2000
EVALUATIONS = {
    "ML_PREDICT": "ML_PREDICT(TABLE {table}, MODEL loans, DESCRIPTOR({inputs}))",
    "MLEAP_PREDICT": "MLEAP_PREDICT(input => TABLE {table}, model => 'loans', on_error => 'row')",
}
Table = Callable[..., str]


@pytest.fixture(scope="module")
def model() -> Model:
    return leapstream.load(bundle_of(LOANS))


@pytest.fixture(scope="module")
def records(model: Model) -> list[dict[str, Any]]:
    """Good records, and records with nulls, categories that the model does not know, and infinite numbers."""
    draw = random.Random(7)
    categories = {"state": ["CA", "NY", "TX", "??", None], "home": ["rent", "own", "mortgage", "cave", None]}
    found: list[dict[str, Any]] = []
    for n in range(COUNT):
        record: dict[str, Any] = {"n": n}
        for name in model.schema.inputs.names:
            if name in categories:
                record[name] = draw.choices(categories[name], (20, 20, 20, 1, 1))[0]
            else:
                record[name] = (
                    draw.uniform(0, 100) if draw.random() < 0.97 else draw.choice([None, math.inf, -math.inf])
                )
        found.append(record)
    return found


@pytest.fixture(scope="module")
def expected(model: Model, records: list[dict[str, Any]]) -> dict[int, str]:
    """The error of each record that fails, as the vectorized executor gives it."""
    errors = model.predict_rows([{key: v for key, v in record.items() if key != "n"} for record in records]).errors
    assert COUNT / 20 < len(errors) < COUNT / 2
    return {row: str(error.at_row(None)) for row, error in errors.items()}


def table_type(model: Model) -> Any:
    texts = ("state", "home")
    fields = [DataTypes.FIELD("n", DataTypes.INT())]
    fields += [
        DataTypes.FIELD(name, DataTypes.STRING() if name in texts else DataTypes.DOUBLE())
        for name in model.schema.inputs.names
    ]
    return DataTypes.ROW(fields)


def stream_of(env: StreamExecutionEnvironment, model: Model, records: list[dict[str, Any]]) -> DataStream:
    names = list(model.schema.inputs.names)
    kinds = [Types.STRING() if name in ("state", "home") else Types.DOUBLE() for name in names]
    kind = Types.ROW_NAMED(["n", *names], [Types.INT(), *kinds])
    return env.from_collection([Row(**record) for record in records], kind)


def rows_of(stream: DataStream) -> list[Any]:
    with stream.execute_and_collect() as rows:
        return list(rows)


def errors_of(model: Model, records: list[dict[str, Any]], backend: Any) -> dict[int, str]:
    given = [{key: v for key, v in record.items() if key != "n"} for record in records]
    if backend == "rowwise":
        function = MLeapMapFunction(model, on_error="row")
        answers = [function.map(record)["error"] for record in given]
        return {n: error for n, error in enumerate(answers) if error is not None}
    errors = model.predict_rows(given, backend=backend).errors
    return {row: str(error.at_row(None)) for row, error in errors.items()}


@pytest.mark.parametrize("backend", ["rowwise", "jvm"])
def test_every_executor_gives_the_same_errors_to_the_same_rows(
    model: Model, records: list[dict[str, Any]], expected: dict[int, str], backend: str
) -> None:
    assert errors_of(model, records, backend) == expected


@pytest.mark.slow
@pytest.mark.parametrize("evaluation", EVALUATIONS)
def test_a_statement_set_of_good_rows_and_dead_letters_predicts_once_a_row_and_loses_none(
    table_env: StreamTableEnvironment,
    table: Table,
    tmp_path: Path,
    model: Model,
    records: list[dict[str, Any]],
    expected: dict[int, str],
    evaluation: str,
) -> None:
    predictions = Predictions(table_env, tmp_path)
    create_model("loans", model, table_env, on_error="row", outputs=["prediction"], version_column="model_version")
    given = table([tuple(record.values()) for record in records], table_type(model))
    call = EVALUATIONS[evaluation].format(table=given, inputs=", ".join(model.schema.inputs.names))
    table_env.execute_sql(f"CREATE TEMPORARY VIEW scored AS SELECT * FROM {call}")
    good, dead = tmp_path / "good", tmp_path / "dead"
    for path, columns in ((good, "n INT, prediction DOUBLE"), (dead, "n INT, error STRING, model_version STRING")):
        table_env.execute_sql(
            f"CREATE TEMPORARY TABLE {path.name} ({columns}) "
            f"WITH ('connector' = 'filesystem', 'path' = '{path.as_uri()}', 'format' = 'json')"
        )
    both = table_env.create_statement_set()
    both.add_insert_sql("INSERT INTO good SELECT n, prediction FROM scored WHERE error IS NULL")
    both.add_insert_sql("INSERT INTO dead SELECT n, error, model_version FROM scored WHERE error IS NOT NULL")
    plan = both.explain().rpartition("Optimized Execution Plan")[2]
    operator = "ProcessTableFunction(" if evaluation == "MLEAP_PREDICT" else "MLPredictTableFunction("
    (evaluated,) = [line for line in plan.splitlines() if operator in line]
    assert re.search(r"\(reuse_id=\[\d+\]\)$", evaluated)
    both.execute().wait()
    assert predictions.count() == COUNT
    found = {path.name: lines_of(path) for path in (good, dead)}
    assert {row["n"]: row["error"] for row in found["dead"]} == expected
    assert {row["model_version"] for row in found["dead"]} == {model.definition.uid}
    assert sorted(row["n"] for row in (*found["good"], *found["dead"])) == list(range(COUNT))


def lines_of(folder: Path) -> list[dict[str, Any]]:
    import json

    files = [path for path in folder.rglob("*") if path.is_file()]
    return [json.loads(line) for path in files for line in path.read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jvm", "vectorized"])
def test_a_stream_is_split_into_predictions_and_failed_records_and_loses_none(
    env: StreamExecutionEnvironment,
    model: Model,
    records: list[dict[str, Any]],
    expected: dict[int, str],
    backend: Any,
) -> None:
    scored = predict_stream(stream_of(env, model, records), model, failed=True, backend=backend)
    good, dead = rows_of(scored), rows_of(scored.failed)
    assert {row["n"]: row["error"] for row in dead} == expected
    assert all(row["prediction"] in (0.0, 1.0) for row in good)
    assert sorted(row["n"] for row in (*good, *dead)) == list(range(COUNT))


def some_rows(table: Table, model: Model) -> str:
    rows = [(n, state, "rent", 1.0, 2.0, 3.0, 4.0, 5.0) for n, state in enumerate(("CA", "??", "NY"))]
    return table(rows, table_type(model))


def test_a_row_that_fails_the_job_is_named_with_its_values_and_its_key(
    table_env: StreamTableEnvironment, table: Table, model: Model
) -> None:
    create_model("loans", model, table_env)
    given = some_rows(table, model)
    with pytest.raises(
        Exception, match=r"unseen label '\?\?' .*; the row is \{n: 1, state: '\?\?', home: 'rent', amount"
    ):
        collect(table_env, f"SELECT n FROM MLEAP_PREDICT(input => TABLE {given}, model => 'loans')")


def test_columns_of_other_names_stand_for_the_inputs_in_order(table_env: StreamTableEnvironment, table: Table) -> None:
    create_model("linear", LINEAR, table_env)
    given = table([(0.1, 7, 0.9)], DataTypes.ROW([DataTypes.FIELD(*f) for f in zip("abc", NUMBERS, strict=True)]))
    query = "SELECT prediction FROM MLEAP_PREDICT(input => TABLE {}, model => 'linear', inputs => DESCRIPTOR(a, b, c))"
    ((found,),) = collect(table_env, query.format(given))
    features = {"feature1": 0.1, "feature2": 7.0, "feature3": 0.9}
    assert found == pytest.approx(leapstream.load(LINEAR).predict(features)["prediction"])


NUMBERS = (DataTypes.DOUBLE(), DataTypes.INT(), DataTypes.DOUBLE())


def test_rows_that_the_model_drops_are_in_neither_table(
    table_env: StreamTableEnvironment, table: Table, tmp_path: Path
) -> None:
    predictions = Predictions(table_env, tmp_path)
    model = leapstream.load(bundle_of(SKIP))
    create_model("loans", model, table_env)
    call = EVALUATIONS["MLEAP_PREDICT"].format(table=some_rows(table, model))
    assert collect(table_env, f"SELECT n, error FROM {call}") == [(0, None), (2, None)]
    assert predictions.count() == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("model => 'absent'", "no jar of this session has the model 'absent'"),
        ("model => 'loans', on_error => 'stop'", "on_error is 'fail', 'null' or 'row', not 'stop'"),
        ("model => UPPER('loans')", "model has to be a literal"),
        ("model => 'loans', inputs => DESCRIPTOR(n)", "it takes 7 arguments; 1 is given"),
        ("model => 'loans', inputs => DESCRIPTOR(n, x, home, amount, income, age, late)", "has no column 'x'"),
        (
            "model => 'loans', inputs => DESCRIPTOR(state, home, home, income, age, late, flag)",
            r"argument 3 \(amount\) must be DOUBLE, not STRING",
        ),
    ],
)
def test_a_call_that_does_not_fit_is_rejected_when_the_query_is_planned(
    table_env: StreamTableEnvironment, table: Table, model: Model, call: str, message: str
) -> None:
    create_model("loans", model, table_env)
    with pytest.raises(Exception, match=message):
        table_env.explain_sql(f"SELECT * FROM MLEAP_PREDICT(input => TABLE {some_rows(table, model)}, {call})")


def test_a_function_of_one_value_has_no_place_for_an_error(table_env: StreamTableEnvironment) -> None:
    with pytest.raises(ConfigError, match="'Predict' gives one value"):
        MLeapUDFRegistry.register("Predict", LINEAR, table_env, on_error="row")
    config = f'mleap {{ udfRegistry = [{{ udfName = "P", bundlePath = "{LINEAR}", onError = row }}] }}'
    with pytest.raises(ConfigError, match=r"udfRegistry\[0\] \(P\): .*'P' gives one value"):
        MLeapUDFRegistry.register_from_config(config, table_env)


def test_a_function_of_several_outputs_gives_the_error_as_a_field(
    table_env: StreamTableEnvironment, table: Table, register: Any
) -> None:
    kind = DataTypes.ROW([DataTypes.FIELD(name, DataTypes.DOUBLE()) for name in "abc"])
    given = table([(0.1, 7.0, 0.9), (None, 1.0, 2.0)], kind)
    f = register(LINEAR, outputs=["prediction", "features"], on_error="row", error_column="problem", backend="jvm")
    good, dead = collect(table_env, f"SELECT r.problem, r.features FROM (SELECT {f.name}(a, b, c) AS r FROM {given})")
    assert good == (None, [0.1, 7.0, 0.9])
    assert dead[1] is None
    assert "column 'feature1'" in dead[0]


def test_options_of_a_stream_that_contradict_each_other_are_rejected(env: StreamExecutionEnvironment) -> None:
    stream = env.from_collection([(0.1, 7.0, 0.9)], Types.TUPLE([Types.DOUBLE()] * 3))
    with pytest.raises(ConfigError, match="failed=True keeps records that fail, and on_error is 'null'"):
        predict_stream(stream, LINEAR, failed=True, on_error="null")
    with pytest.raises(ConfigError, match="there is an output 'prediction' already"):
        predict_stream(stream, LINEAR, on_error="row", error_column="prediction")


def test_a_map_function_gives_rows_with_errors_for_records_that_fail_or_do_not_fit() -> None:
    function = MLeapMapFunction(LINEAR, on_error="row")
    assert function.map((0.1, 7.0, 0.9))["error"] is None
    failed = function.map((0.1, None, 0.9))
    assert failed["prediction"] is None
    assert "column 'feature2'" in failed["error"]
    assert "the element has 2 fields" in function.map((1.0, 2.0))["error"]
    assert function.get_produced_type().get_field_names() == ["prediction", "error"]


def test_a_map_function_that_fails_names_the_values_of_the_element() -> None:
    with pytest.raises(leapstream.PredictionError, match=r"the row is \{key: 'k', feature1: null, feature2: 1\.0"):
        MLeapMapFunction(LINEAR).map(Row(key="k", feature1=None, feature2=1.0, feature3=2.0))
