"""``COMPILE PLAN`` and ``EXECUTE PLAN``, by which jobs of Flink SQL are upgraded, with functions of models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyflink.table import EnvironmentSettings, TableEnvironment

import leapstream
from leapstream.flink import MLeapUDFRegistry, Target, compile_jar

from .conftest import LINEAR

pytestmark = pytest.mark.flink

ONE = "SELECT {name}(a, b, c), a FROM numbers"
SEVERAL = "SELECT r.prediction, r.features[2] FROM (SELECT {name}(a, b, c) AS r FROM numbers)"
CASES = [
    pytest.param(None, ONE, id="one output"),
    pytest.param(("prediction", "features"), SEVERAL, id="several outputs"),
]


ROWS = [(0.1, 7.0, 0.9), (0.5, 3.0, 0.25)]


@pytest.fixture
def session(tmp_path: Path) -> Callable[[], TableEnvironment]:
    """Makes a session with a table of numbers, and one whose rows are written to a folder."""
    (tmp_path / "numbers.csv").write_text("\n".join(",".join(map(str, row)) for row in ROWS))
    tables = {"numbers": ("a DOUBLE, b DOUBLE, c DOUBLE", "numbers.csv"), "results": ("x DOUBLE, y DOUBLE", "results")}

    def make() -> TableEnvironment:
        table_env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
        table_env.get_config().set("parallelism.default", "1")
        for name, (columns, path) in tables.items():
            options = f"'connector' = 'filesystem', 'path' = 'file://{tmp_path / path}', 'format' = 'csv'"
            table_env.execute_sql(f"CREATE TABLE {name} ({columns}) WITH ({options})")
        return table_env

    return make


def compile_plan(table_env: TableEnvironment, plan: Path, query: str) -> None:
    table_env.execute_sql(f"COMPILE PLAN 'file://{plan}' FOR INSERT INTO results {query}")


def execute_plan(table_env: TableEnvironment, plan: Path) -> list[float]:
    """The first column that the plan's job writes."""
    table_env.execute_sql(f"EXECUTE PLAN 'file://{plan}'").wait()
    written = [line for part in (plan.parent / "results").iterdir() for line in part.read_text().splitlines()]
    return sorted(float(line.split(",")[0]) for line in written)


def expected() -> list[Any]:
    records = [dict(zip(("feature1", "feature2", "feature3"), row, strict=True)) for row in ROWS]
    return sorted(record["prediction"] for record in leapstream.load(LINEAR).predict(records))


@pytest.mark.parametrize(("outputs", "query"), CASES)
def test_a_plan_with_a_jars_function_runs_in_a_new_session_that_has_the_jar(
    session: Callable[[], TableEnvironment], tmp_path: Path, outputs: tuple[str, ...] | None, query: str
) -> None:
    jar, plan = tmp_path / "models.jar", tmp_path / "plan.json"
    compile_jar([Target("Predict", leapstream.load(LINEAR), outputs=outputs)], jar)
    first, second = session(), session()
    for table_env in (first, second):
        table_env.execute_sql(f"ADD JAR '{jar}'")
    first.execute_sql("CREATE FUNCTION Predict AS 'leapstream.models.Predict' LANGUAGE JAVA")
    compile_plan(first, plan, query.format(name="Predict"))
    assert execute_plan(second, plan) == pytest.approx(expected(), rel=1e-12)


def test_a_plan_with_a_process_table_function_runs_in_a_new_session_that_has_the_jar(
    session: Callable[[], TableEnvironment], tmp_path: Path
) -> None:
    jar, plan = tmp_path / "models.jar", tmp_path / "plan.json"
    compile_jar([Target("linear", leapstream.load(LINEAR), "model", outputs=("prediction",))], jar)
    first, second = session(), session()
    for table_env in (first, second):
        table_env.execute_sql(f"ADD JAR '{jar}'")
    first.execute_sql("CREATE FUNCTION MLEAP_PREDICT AS 'leapstream.flink.ml.MLeapPredict' LANGUAGE JAVA")
    scored = "MLEAP_PREDICT(input => TABLE numbers, model => 'linear', inputs => DESCRIPTOR(a, b, c))"
    compile_plan(first, plan, f"SELECT prediction, a FROM {scored}")
    assert execute_plan(second, plan) == pytest.approx(expected(), rel=1e-12)


@pytest.mark.parametrize(("outputs", "query"), CASES)
def test_a_plan_with_a_registered_function_runs_in_a_new_session_that_registers_one_of_its_name(
    session: Callable[[], TableEnvironment], tmp_path: Path, outputs: tuple[str, ...] | None, query: str
) -> None:
    plan = tmp_path / "plan.json"
    first, second = session(), session()
    for table_env in (first, second):
        MLeapUDFRegistry.register("Predict", LINEAR, table_env, outputs=outputs)
    compile_plan(first, plan, query.format(name="Predict"))
    assert execute_plan(second, plan) == pytest.approx(expected(), rel=1e-12)
