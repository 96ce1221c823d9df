"""Tests of functions in SQL, on both backends."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

import pytest
from pyflink.table import DataTypes, StreamTableEnvironment, TableEnvironment

import leapstream
from leapstream import BackendError, BundleError, ConfigError, LeapFrame, SchemaError, SourceError, Tensor
from leapstream.bundle.types import BasicType, ListType, TensorType
from leapstream.flink import MLeapUDFRegistry

from .conftest import FOREST, LINEAR, bundle_of, collect, golden

pytestmark = pytest.mark.flink

BACKENDS = ["jvm", "vectorized"]
THREE = DataTypes.ROW([DataTypes.FIELD(name, DataTypes.DOUBLE()) for name in ("a", "b", "c")])
SQL = {
    BasicType.BOOLEAN: DataTypes.BOOLEAN(),
    BasicType.INT: DataTypes.INT(),
    BasicType.LONG: DataTypes.BIGINT(),
    BasicType.DOUBLE: DataTypes.DOUBLE(),
    BasicType.STRING: DataTypes.STRING(),
}


def predicted(bundle: str, rows: list[tuple[Any, ...]], *columns: str) -> list[Any]:
    """The predictions of the model for rows, without Flink."""
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    return [record["prediction"] for record in leapstream.load(bundle).predict(records)]


ROWS = [(0.1, 7.0, 0.9), (0.5, 3.0, 0.25), (-2.0, 0.0, 1e3)]


@pytest.fixture
def three(table: Any) -> str:
    return str(table(ROWS, THREE))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_predicts_in_streaming_mode(register: Any, table_env: Any, three: str, backend: str) -> None:
    f = register(LINEAR, backend=backend)
    assert f.backend == backend
    expected = predicted(LINEAR, ROWS, "feature1", "feature2", "feature3")
    given = [row[0] for row in collect(table_env, f"SELECT {f.name}(a, b, c) FROM {three}")]
    assert given == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_function_predicts_in_batch_mode_in_where_and_in_aggregations(
    register: Any, batch_env: TableEnvironment, table: Any, backend: str
) -> None:
    f = register(LINEAR, batch_env, backend=backend)
    view = table(ROWS, THREE, batch_env)
    expected = predicted(LINEAR, ROWS, "feature1", "feature2", "feature3")
    query = f"SELECT COUNT(*), MAX({f.name}(a, b, c)) FROM {view} WHERE {f.name}(a, b, c) > -100"
    kept = [value for value in expected if value > -100]
    assert collect(batch_env, query) == [(len(kept), pytest.approx(max(kept), rel=1e-12))]


def test_a_function_works_in_a_view(register: Any, table_env: Any, three: str) -> None:
    f = register(LINEAR)
    table_env.execute_sql(f"CREATE TEMPORARY VIEW scored AS SELECT a, {f.name}(a, b, c) AS p FROM {three}")
    try:
        assert len(collect(table_env, "SELECT p FROM scored WHERE p IS NOT NULL")) == len(ROWS)
    finally:
        table_env.execute_sql("DROP TEMPORARY VIEW scored")


def test_auto_takes_the_jvm(register: Any) -> None:
    assert register(LINEAR).backend == "jvm"


def test_a_dropped_function_is_gone_and_its_name_free(register: Any, table_env: Any) -> None:
    f = register(LINEAR)
    with pytest.raises(ConfigError, match=f"{f.name!r} exists already"):
        register(FOREST, name=f.name)
    table_env.execute_sql(f"DROP TEMPORARY SYSTEM FUNCTION {f.name}")
    again = register(FOREST, name=f.name)
    assert again.signature.model != f.signature.model


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_are_widened(register: Any, table_env: Any, table: Any, backend: str) -> None:
    f = register(LINEAR, backend=backend)
    kinds = {"a": DataTypes.INT(), "b": DataTypes.SMALLINT(), "c": DataTypes.FLOAT()}
    view = table([(1, 2, 3.5), (4, 5, 6.5)], DataTypes.ROW([DataTypes.FIELD(*item) for item in kinds.items()]))
    expected = predicted(LINEAR, [(1.0, 2.0, 3.5), (4.0, 5.0, 6.5)], "feature1", "feature2", "feature3")
    given = [row[0] for row in collect(table_env, f"SELECT {f.name}(a, b, c) FROM {view}")]
    assert given == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_of_every_type_of_numbers_are_cast(register: Any, table_env: Any, table: Any, backend: str) -> None:
    f = register(FOREST, backend=backend)
    view = table([(2, 5, 3)], DataTypes.ROW([DataTypes.FIELD(name, DataTypes.INT()) for name in "abc"]))
    kinds = ("TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(9, 2)")
    calls = [f"{f.name}(CAST(ARRAY[a, b, c] AS ARRAY<{kind}>))" for kind in kinds]
    calls += [f"{f.name}(CAST(a AS {kind}), CAST(b AS {kind}), CAST(c AS {kind}))" for kind in kinds]
    (row,) = collect(table_env, f"SELECT {', '.join(calls)} FROM {view}")
    assert set(row) == {leapstream.load(FOREST).predict({"features": [2.0, 5.0, 3.0]})["prediction"]}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("a, 'x', c", "argument 2 (feature2) must be DOUBLE, not CHAR(1)"),
        ("a, b, CURRENT_DATE", "argument 3 (feature3) must be DOUBLE, not DATE"),
    ],
)
def test_wrong_arguments_are_rejected_at_planning(
    register: Any, table_env: Any, three: str, backend: str, arguments: str, reason: str
) -> None:
    f = register(LINEAR, backend=backend)
    with pytest.raises(Exception, match="Invalid function call") as caught:
        table_env.sql_query(f"SELECT {f.name}({arguments}) FROM {three}")
    text = str(caught.value)
    assert f"Function {f.name} of model 'linear3': {reason}" in text
    assert f"Expected: {f.name}(feature1 DOUBLE, feature2 DOUBLE, feature3 DOUBLE)" in text
    assert f"Given: {f.name}(" in text


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wrong_number_of_arguments_is_rejected_at_planning(
    register: Any, table_env: Any, three: str, backend: str
) -> None:
    linear, forest = register(LINEAR, backend=backend), register(FOREST, backend=backend)
    with pytest.raises(Exception, match="No match found for function signature") as caught:
        table_env.sql_query(f"SELECT {linear.name}(a, b) FROM {three}")
    assert f"{linear.name}(feature1 => DOUBLE, feature2 => DOUBLE, feature3 => DOUBLE)" in str(caught.value)
    with pytest.raises(Exception, match="it takes 3 numbers, or one array of them; 2 are given"):
        table_env.sql_query(f"SELECT {forest.name}(a, b) FROM {three}")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_null_fails_the_job_with_the_reason(register: Any, table_env: Any, table: Any, backend: str) -> None:
    f = register(LINEAR, backend=backend)
    view = table([(1.0, None, 2.0), (1.0, 2.0, 3.0)], THREE)
    with pytest.raises(Exception, match="missing value") as failure:
        collect(table_env, f"SELECT {f.name}(a, b, c) FROM {view}")
    for word in ("linear3", "vector_assembler", "feature2"):
        assert word in str(failure.value)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_null_gives_null_where_asked_for(register: Any, table_env: Any, table: Any, backend: str) -> None:
    f = register(LINEAR, backend=backend, on_error="null")
    view = table([(1.0, None, 2.0), *ROWS], THREE)
    expected = predicted(LINEAR, ROWS, "feature1", "feature2", "feature3")
    given = [row[0] for row in collect(table_env, f"SELECT {f.name}(a, b, c) FROM {view}")]
    assert given[0] is None
    assert given[1:] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_scalars_pack_into_the_only_tensor_and_arrays_are_it(
    register: Any, table_env: Any, three: str, backend: str
) -> None:
    f = register(FOREST, backend=backend)
    model = leapstream.load(FOREST)
    expected = [model.predict([{"features": list(row)}])[0]["prediction"] for row in ROWS]
    pairs = collect(table_env, f"SELECT {f.name}(a, b, c), {f.name}(ARRAY[a, b, c]) FROM {three}")
    assert pairs == [(value, value) for value in expected]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_null_element_of_an_array_is_rejected(register: Any, table_env: Any, table: Any, backend: str) -> None:
    f = register(FOREST, backend=backend, on_error="null")
    view = table([(1.0, None, 2.0), ROWS[0]], THREE)
    rows = collect(table_env, f"SELECT {f.name}(ARRAY[a, b, c]), {f.name}(a, b, c) FROM {view}")
    assert rows[0] == (None, None)
    assert None not in rows[1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_constants_may_stand_among_the_columns(register: Any, table_env: Any, three: str, backend: str) -> None:
    f = register(LINEAR, backend=backend)
    expected = predicted(LINEAR, [(1.5, b, 7.0) for _, b, _ in ROWS], "feature1", "feature2", "feature3")
    given = [row[0] for row in collect(table_env, f"SELECT {f.name}(1.5, b, 7) FROM {three}")]
    assert given == pytest.approx(expected, rel=1e-12)


def test_the_jvm_computes_with_constants_alone(register: Any, table_env: Any, three: str) -> None:
    f = register(LINEAR, backend="jvm")
    expected = predicted(LINEAR, [(1.5, 2.0, 3.0)], "feature1", "feature2", "feature3")
    given = collect(table_env, f"SELECT {f.name}(1.5, 2, 3) FROM {three}")
    assert [row[0] for row in given] == pytest.approx(expected * len(ROWS), rel=1e-12)


def test_the_python_backend_rejects_constants_alone_at_planning(register: Any, table_env: Any, three: str) -> None:
    f = register(LINEAR, backend="vectorized")
    with pytest.raises(Exception, match="all its arguments are constants, which the python backend"):
        table_env.sql_query(f"SELECT {f.name}(1.5, 2, CAST(NULL AS DOUBLE)) FROM {three}")


def test_maps_are_taken_and_a_null_in_one_is_rejected(register: Any, table_env: Any, table: Any) -> None:
    case = "feature/map-entry-selector-double"
    f = register(bundle_of(case), on_error="null")
    assert f.signature.input_types == ("MAP<STRING, DOUBLE>", "STRING")
    frame, expected = (LeapFrame.read(golden(case) / f"{name}.json") for name in ("input", "expected"))
    rows = [(i, m, k) for i, (m, k) in enumerate(zip(*map(frame.column, f.signature.inputs.names), strict=True))]
    rows.append((100, None, "b"))
    fields = {
        "id": DataTypes.INT(),
        "m": DataTypes.MAP(DataTypes.STRING(), DataTypes.DOUBLE()),
        "k": DataTypes.STRING(),
    }
    view = table(rows, DataTypes.ROW([DataTypes.FIELD(*item) for item in fields.items()]))
    given = dict(collect(table_env, f"SELECT id, {f.name}(m, k) FROM {view}"))
    assert given == {**dict(enumerate(expected.column("sel"))), 100: None}
    query = f"SELECT {f.name}(MAP['a', 1, k, 2], 'a'), {f.name}(MAP['a', 1, k, NULLIF(id, id)], 'a')"
    assert collect(table_env, f"{query} FROM {view} WHERE id = 100") == [(1.0, None)]


@pytest.mark.parametrize("options", [{"backend": "vectorized"}, {"load_on": "worker"}])
def test_the_python_backend_rejects_maps_by_function_and_column(register: Any, options: dict[str, Any]) -> None:
    with pytest.raises(BackendError, match=r"Select\(m MAP<STRING, DOUBLE>, k STRING\).* argument 'm' is a map"):
        register(bundle_of("feature/map-entry-selector-double"), name="Select", **options)


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_outputs_make_a_row_with_names(register: Any, table_env: Any, three: str, backend: str) -> None:
    f = register(LINEAR, backend=backend, outputs=["prediction", "features"])
    query = f"SELECT r.features, r.prediction FROM (SELECT {f.name}(a, b, c) AS r FROM {three})"
    expected = predicted(LINEAR, ROWS, "feature1", "feature2", "feature3")
    rows = collect(table_env, query)
    assert [list(row[0]) for row in rows] == [list(row) for row in ROWS]
    assert [row[1] for row in rows] == pytest.approx(expected, rel=1e-12)


def test_inputs_say_what_the_arguments_are(register: Any, table_env: Any, three: str) -> None:
    f = register(LINEAR, inputs=["feature3", "feature1", "feature2"])
    expected = predicted(LINEAR, ROWS, "feature3", "feature1", "feature2")
    given = [row[0] for row in collect(table_env, f"SELECT {f.name}(a, b, c) FROM {three}")]
    assert given == pytest.approx(expected, rel=1e-12)


CASES = [
    "pipeline/loans-logistic",
    "pipeline/loans-logistic-skip",
    "feature/string-indexer-skip",
    "classification/random-forest-multiclass",
    "feature/reverse-string-indexer-list",
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES)
def test_recorded_rows_come_out_as_recorded(
    register: Any, table_env: StreamTableEnvironment, table: Any, case: str, backend: str
) -> None:
    frame, expected = (LeapFrame.read(golden(case) / f"{name}.json") for name in ("input", "expected"))
    notes = json.loads((golden(case) / "case.json").read_text())
    dropped = {*notes.get("dropped_rows", []), *(row["row"] for row in notes.get("error_rows", []))}
    f = register(bundle_of(case), backend=backend, on_error="null")
    names = f.signature.inputs.names
    fields = [DataTypes.FIELD("id", DataTypes.INT())]
    for name in names:
        kind = frame.schema[name].type
        item = SQL[kind.base]
        fields.append(DataTypes.FIELD(name, DataTypes.ARRAY(item) if isinstance(kind, ListType | TensorType) else item))
    columns = [frame.column(name) for name in names]
    rows = [(i, *map(plain, values)) for i, values in enumerate(zip(*columns, strict=True))]
    view = table(rows, DataTypes.ROW(fields))
    (output,) = f.signature.outputs.names
    arguments = ", ".join(f"`{name}`" for name in names)
    given = dict(collect(table_env, f"SELECT id, {f.name}({arguments}) FROM {view}"))
    answers = iter(expected.column(output))
    for i, row in enumerate(rows):
        if backend == "vectorized" and any(isinstance(v, list) and any(x != x for x in v) for v in row):
            next(answers)  # pandas tells NaN and NULL not apart: the function rejects both in an array
            continue
        assert same(given[i], None if i in dropped else plain(next(answers))), f"row {i}"


def plain(value: Any) -> Any:
    return value.to_dense().reshape(-1).tolist() if isinstance(value, Tensor) else value


def same(given: Any, expected: Any) -> bool:
    if isinstance(expected, float):
        return isinstance(given, float) and math.isclose(given, expected, rel_tol=1e-12)
    if isinstance(expected, list):
        return len(given) == len(expected) and all(map(same, given, expected))
    return bool(given == expected)


# ---- registration -----------------------------------------------------------------------------------------------------


def test_a_configuration_registers_its_functions(table_env: Any, three: str) -> None:
    text = f"""
    bundle = "{LINEAR}"
    mleap.udfRegistry = [
      {{ udfName = "Configured", bundlePath = ${{bundle}} }}
      {{ udfName = "ConfiguredOnWorker", bundlePath = ${{bundle}}, loadOn = "worker" }}
    ]
    """
    functions = MLeapUDFRegistry.registerFromConfig(text, table_env)
    try:
        assert [(f.name, f.backend) for f in functions] == [("Configured", "jvm"), ("ConfiguredOnWorker", "vectorized")]
        rows = collect(table_env, f"SELECT Configured(a, b, c), ConfiguredOnWorker(a, b, c) FROM {three}")
        assert all(math.isclose(a, b, rel_tol=1e-12) for a, b in rows)
    finally:
        for function in functions:
            table_env.execute_sql(f"DROP TEMPORARY SYSTEM FUNCTION {function.name}")


def test_a_configuration_with_a_bad_entry_registers_nothing(table_env: Any) -> None:
    entries = [{"udfName": "Good", "bundlePath": LINEAR}, {"udfName": "Bad", "bundlePath": "/nowhere/b.zip"}]
    with pytest.raises(SourceError, match=r"mleap\.udfRegistry\[1\] \(Bad\): .*/nowhere/b\.zip"):
        MLeapUDFRegistry.register_from_config({"mleap": {"udfRegistry": entries}}, table_env)
    assert "good" not in table_env.list_user_defined_functions()


def test_a_bundle_that_is_none_is_named(register: Any, tmp_path: Path) -> None:
    path = tmp_path / "broken.zip"
    path.write_bytes(b"PK")
    with pytest.raises(BundleError, match=r"function 'broken': .*broken\.zip"):
        register(str(path), name="broken")


def test_the_jvm_backend_cannot_load_on_the_worker(register: Any) -> None:
    with pytest.raises(ConfigError, match="loadOn"):
        register(LINEAR, backend="jvm", load_on="worker")


def test_auto_says_why_it_took_the_vectorized_executor(register: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "leapstream"):
        f = register(LINEAR, load_on="worker")
    assert f.backend == "vectorized"
    assert f.reason is not None
    assert f.reason in caplog.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"outputs": ["nothing"]}, "nothing"),
        ({"inputs": ["feature1", "feature9", "feature2"]}, "feature9"),
        ({"inputs": ["feature1"]}, "feature2"),
    ],
)
def test_columns_that_the_model_lacks_are_named(register: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        register(LINEAR, **options)


@pytest.mark.parametrize("options", [{"backend": "gpu"}, {"on_error": "skip"}, {"load_on": "never"}])
def test_options_that_do_not_exist_are_rejected(register: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        register(LINEAR, **options)


def test_jars_that_the_environment_has_are_kept(register: Any, table_env: Any) -> None:
    before = table_env.get_config().get("pipeline.jars", "")
    register(LINEAR, outputs=["features"])
    assert table_env.get_config().get("pipeline.jars", "").startswith(before)
