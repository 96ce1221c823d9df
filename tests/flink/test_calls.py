"""A function that gives a ROW runs once a row, whatever a query reads of the ROW."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyflink.table import DataTypes, StreamTableEnvironment
from pyflink.table.expressions import call, col

from leapstream.flink import predict_stream

from .conftest import LINEAR, collect
from .counting import Predictions

pytestmark = pytest.mark.flink

COUNT = 20
BACKENDS = ["jvm", "vectorized"]
OUTPUTS = ["prediction", "features"]
CALL = "SELECT a, {function}(a, b, c) AS r FROM numbers"


@pytest.fixture
def predictions(table_env: StreamTableEnvironment, tmp_path: Path) -> Predictions:
    limits = ", ".join(f"'fields.{name}.min' = '0', 'fields.{name}.max' = '1'" for name in "abc")
    table_env.execute_sql(
        "CREATE TEMPORARY TABLE numbers (a DOUBLE, b DOUBLE, c DOUBLE) "
        f"WITH ('connector' = 'datagen', 'number-of-rows' = '{COUNT}', {limits})"
    )
    return Predictions(table_env, tmp_path)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "query",
    [
        "SELECT r.prediction, r.features[1], r.features[2] FROM ({call})",
        "SELECT r.prediction, r.features FROM ({call}) WHERE r.prediction IS NOT NULL AND r.features[1] < 2",
        "SELECT t.r.prediction, x FROM ({call}) AS t CROSS JOIN UNNEST(t.r.features) AS u (x)",
        "SELECT MAX(r.prediction), MIN(r.features[1]) FROM ({call})",
    ],
    ids=["fields", "filter", "unnest", "aggregation"],
)
def test_a_function_of_several_outputs_runs_once_a_row(
    register: Any, table_env: StreamTableEnvironment, predictions: Predictions, backend: str, query: str
) -> None:
    f = register(LINEAR, backend=backend, outputs=OUTPUTS)
    assert collect(table_env, query.format(call=CALL.format(function=f.name)))
    assert predictions.count() == COUNT


@pytest.mark.parametrize("backend", BACKENDS)
def test_predict_stream_with_several_outputs_runs_once_a_record(
    table_env: StreamTableEnvironment, predictions: Predictions, backend: Any
) -> None:
    numbers = table_env.to_data_stream(
        table_env.sql_query("SELECT a AS feature1, b AS feature2, c AS feature3 FROM numbers")
    )
    scored = predict_stream(numbers, LINEAR, outputs=OUTPUTS, backend=backend, table_env=table_env)
    with scored.execute_and_collect() as found:
        assert len(list(found)) == COUNT
    assert predictions.count() == COUNT


def test_a_condition_keeps_the_table_api_from_calling_once_a_field(
    register: Any, table_env: StreamTableEnvironment, predictions: Predictions
) -> None:
    f = register(LINEAR, outputs=OUTPUTS)
    called = table_env.from_path("numbers").select(call(f.name, col("a"), col("b"), col("c")).alias("r"))
    fields = [col("r").get(name) for name in OUTPUTS]
    with called.where(col("r").is_not_null).select(*fields).execute().collect() as found:
        assert len(list(found)) == COUNT
    assert predictions.count() == COUNT


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_of_one_output_stays_deterministic(
    register: Any, table_env: StreamTableEnvironment, predictions: Predictions, backend: str
) -> None:
    """Flink accepts it on an updating table under the strict strategy, which rejects non-deterministic functions there."""
    f = register(LINEAR, backend=backend)
    table_env.get_config().set("table.optimizer.non-deterministic-update.strategy", "TRY_RESOLVE")
    means = "SELECT AVG(a) AS a, AVG(b) AS b, AVG(c) AS c FROM numbers GROUP BY CAST(a AS INT)"
    query = f"SELECT p, COUNT(*) FROM (SELECT {f.name}(a, b, c) AS p FROM ({means})) GROUP BY p"
    assert "COUNT_RETRACT" in table_env.explain_sql(query)


HAVING_A = "SELECT * FROM {view} WHERE a IS NOT NULL"


@pytest.mark.parametrize(
    ("backend", "query", "found"),
    [
        ("jvm", "SELECT CASE WHEN a IS NOT NULL THEN {f}(a, b, c) END FROM {view}", 2),
        ("vectorized", "SELECT CASE WHEN a IS NOT NULL THEN {f}(a, b, c) END FROM {view}", None),
        ("vectorized", f"SELECT {{f}}(a, b, c) FROM ({HAVING_A})", 1),
        ("jvm", f"SELECT b FROM ({HAVING_A}) WHERE {{f}}(a, b, c) > -100", None),
        ("jvm", f"SELECT b FROM ({HAVING_A}) WHERE CASE WHEN a IS NOT NULL THEN {{f}}(a, b, c) > -100 END", 1),
    ],
)
def test_a_condition_keeps_rows_from_a_function_where_the_page_on_semantics_says_so(
    register: Any, table_env: StreamTableEnvironment, table: Any, backend: str, query: str, found: int | None
) -> None:
    """A row without ``a`` fails if the function gets it; None where the job fails."""
    kinds = DataTypes.ROW([DataTypes.FIELD(name, DataTypes.DOUBLE()) for name in "abc"])
    view = table([(0.1, 7.0, 0.9), (None, 3.0, 0.25)], kinds)
    statement = query.format(view=view, f=register(LINEAR, backend=backend).name)
    if found is None:
        with pytest.raises(Exception, match="a missing value is not allowed here"):
            collect(table_env, statement)
    else:
        assert len(collect(table_env, statement)) == found
