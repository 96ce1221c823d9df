"""Arguments of functions: by name in any order, as decimals, and as dates and times."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyflink.table import DataTypes

import leapstream
from leapstream import Model
from leapstream.flink import Target, compile_jar
from leapstream.ops.feature import StringIndexer
from tests.pipelines import node

from .conftest import FOREST, LINEAR, collect

pytestmark = pytest.mark.flink

BACKENDS = ["jvm", "vectorized"]
TIMES = ("2026-01-02", "03:04:00", "2026-01-02 03:04:05", "2026-01-02 03:04:05.12")


@pytest.fixture
def view(table: Any) -> str:
    """One row: numbers of several types, and times."""
    kinds = {
        "a": DataTypes.DOUBLE(),
        "i": DataTypes.INT(),
        "c": DataTypes.DECIMAL(38, 18),
        "yes": DataTypes.BOOLEAN(),
        "d": DataTypes.DATE(),
        "t": DataTypes.TIME(),
        "s": DataTypes.TIMESTAMP(3),
        "f": DataTypes.TIMESTAMP(3),
    }
    row = (
        0.5,
        3,
        Decimal("0.25"),
        True,
        datetime.date(2026, 1, 2),
        datetime.time(3, 4),
        datetime.datetime(2026, 1, 2, 3, 4, 5),
        datetime.datetime(2026, 1, 2, 3, 4, 5, 120000),
    )
    return str(table([row], DataTypes.ROW([DataTypes.FIELD(*item) for item in kinds.items()])))


def predicted(**features: float) -> Any:
    return leapstream.load(LINEAR).predict(features)["prediction"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_arguments_with_names_come_in_any_order_and_of_any_type_of_numbers(
    register: Any, table_env: Any, view: str, backend: str
) -> None:
    name = register(LINEAR, backend=backend).name
    calls = [
        "a, i, c",
        "feature3 => c, feature1 => a, feature2 => i",
        "feature2 => a, feature3 => yes, feature1 => CAST(i AS BIGINT)",
        "feature2 => CAST(a AS FLOAT), feature1 => 2, feature3 => 0.25",
    ]
    (row,) = collect(table_env, f"SELECT {', '.join(f'{name}({call})' for call in calls)} FROM {view}")
    expected = [(0.5, 3.0, 0.25), (0.5, 3.0, 0.25), (3.0, 0.5, 1.0), (2.0, 0.5, 0.25)]
    assert row == pytest.approx(
        [predicted(feature1=a, feature2=b, feature3=c) for a, b, c in expected], rel=1e-12, abs=0
    )


def test_a_function_of_a_jar_takes_arguments_by_name(table_env: Any, view: str, tmp_path: Path) -> None:
    compile_jar([Target("Named", leapstream.load(LINEAR))], tmp_path / "models.jar")
    table_env.execute_sql(
        "CREATE TEMPORARY SYSTEM FUNCTION Named AS 'leapstream.models.Named' LANGUAGE JAVA "
        f"USING JAR '{tmp_path}/models.jar'"
    )
    (row,) = collect(table_env, f"SELECT Named(feature2 => i, feature3 => c, feature1 => a) FROM {view}")
    assert row == (pytest.approx(predicted(feature1=0.5, feature2=3.0, feature3=0.25), rel=1e-12),)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("feature1 => a, feature2 => i", "No match found"),
        ("feature1 => a, feature2 => i, featur3 => c", "No match found"),
        ("feature1 => a, feature2 => i, FEATURE3 => c", "did you mean 'feature3'"),
        ("feature1 => a, feature2 => i, feature3 => s", "argument 3 (feature3) must be DOUBLE, not TIMESTAMP(3)"),
    ],
)
def test_a_wrong_name_or_type_is_an_error_of_planning(
    register: Any, table_env: Any, view: str, call: str, reason: str
) -> None:
    name = register(LINEAR).name
    with pytest.raises(Exception, match="SQL validation failed") as caught:
        table_env.sql_query(f"SELECT {name}({call}) FROM {view}")
    assert reason in str(caught.value)
    assert f"{name}(feature1 => DOUBLE, feature2 => DOUBLE, feature3 => DOUBLE)" in str(caught.value) or (
        "did you mean" in reason
    )


def test_numbers_that_stand_for_an_array_have_no_names(register: Any, table_env: Any, view: str) -> None:
    name = register(FOREST).name
    with pytest.raises(Exception, match="must not be overloaded"):
        table_env.sql_query(f"SELECT {name}(features => ARRAY[a, i, c]) FROM {view}")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_column_of_texts_takes_dates_and_times(register: Any, table_env: Any, view: str, backend: str) -> None:
    model = Model.from_node(node("index", StringIndexer((TIMES,)), {"input": "x"}, {"output": "index"}))
    name = register(model, backend=backend).name
    calls = ["d", "t", "s", "x => f"]
    (row,) = collect(table_env, f"SELECT {', '.join(f'{name}({call})' for call in calls)} FROM {view}")
    assert row == (0.0, 1.0, 2.0, 3.0)
