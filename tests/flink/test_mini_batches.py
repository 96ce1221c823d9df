"""Aggregates over mini-batches behind the two ways to predict with a model in SQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyflink.table import StreamTableEnvironment

from leapstream.executors.jvm.gateway import compile_java
from leapstream.executors.jvm.jar import write_jar
from leapstream.flink import create_model
from leapstream.flink.jars import add_jar

from .conftest import LINEAR

pytestmark = pytest.mark.flink

COLUMNS = "feature1 DOUBLE, feature2 DOUBLE, feature3 DOUBLE"
MLEAP_PREDICT = "MLEAP_PREDICT(input => TABLE given, model => 'loans')"
ML_PREDICT = "ML_PREDICT(TABLE given, MODEL loans, DESCRIPTOR(feature1, feature2, feature3))"
# A process table function that leapstream has no part in.
_MARK = """package leapstream.test;

import java.util.EnumSet;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.table.types.inference.StaticArgument;
import org.apache.flink.table.types.inference.StaticArgumentTrait;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.inference.TypeStrategies;
import org.apache.flink.types.Row;

public class Mark extends ProcessTableFunction {

    public void eval(Row input) {
        collect(Integer.valueOf(1));
    }

    public TypeInference getTypeInference(DataTypeFactory factory) {
        StaticArgument[] arguments = new StaticArgument[] {
            StaticArgument.table("input", Row.class, false, EnumSet.of(StaticArgumentTrait.ROW_SEMANTIC_TABLE))
        };
        return TypeInference.newBuilder()
            .staticArguments(arguments)
            .outputTypeStrategy(TypeStrategies.explicit(DataTypes.INT()))
            .build();
    }
}
"""


@pytest.fixture
def mini_batches(table_env: StreamTableEnvironment) -> StreamTableEnvironment:
    """An environment with mini-batches, a model and ``MLEAP_PREDICT``."""
    create_model("loans", LINEAR, table_env)
    config = table_env.get_config()
    config.set("table.exec.mini-batch.enabled", "true")
    config.set("table.exec.mini-batch.allow-latency", "50 ms")
    config.set("table.exec.mini-batch.size", "100000")
    return table_env


def create_table(table_env: StreamTableEnvironment, more: str = "") -> None:
    """A table that has no end."""
    options = "'connector' = 'datagen', 'rows-per-second' = '200'"
    table_env.execute_sql(f"CREATE TEMPORARY TABLE given ({COLUMNS}{more}) WITH ({options})")


def counting(rows: str) -> str:
    return f"SELECT COUNT(*) FROM {rows}"


@pytest.mark.slow
def test_flink_waits_for_watermarks_of_the_table_behind_any_process_table_function(
    mini_batches: StreamTableEnvironment, tmp_path: Path
) -> None:
    """A limitation of Flink: where this fails, its planner has changed, and docs/failing-rows.md has to."""
    write_jar(tmp_path / "mark.jar", compile_java({"leapstream.test.Mark": _MARK}), {}, {})
    add_jar(mini_batches, tmp_path / "mark.jar")
    mini_batches.create_java_temporary_system_function("MARK", "leapstream.test.Mark")
    create_table(mini_batches)
    for rows, mode in {"MARK(TABLE given)": "RowTime", MLEAP_PREDICT: "RowTime", ML_PREDICT: "ProcTime"}.items():
        plan = mini_batches.explain_sql(counting(rows))
        assert f"MiniBatchAssigner(interval=[50ms], mode=[{mode}])" in plan, rows


@pytest.mark.slow
def test_counts_of_a_table_with_watermarks_come_while_it_goes_on(mini_batches: StreamTableEnvironment) -> None:
    create_table(mini_batches, ", seen AS LOCALTIMESTAMP, WATERMARK FOR seen AS seen")
    with mini_batches.execute_sql(counting(MLEAP_PREDICT)).collect() as found:
        assert next(iter(found))[0] > 0
