"""The recorded cases as SQL functions: the rows of each stream through a Flink job, many cases in one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from pyflink.table import DataTypes, StreamTableEnvironment

from leapstream import Model, Tensor
from leapstream.bundle.types import BasicType, DataType, ListType, MapType, ScalarType, TensorType
from leapstream.contract import Answers
from leapstream.flink import MLeapUDFRegistry
from leapstream.flink.signature import FunctionSignature
from tests.golden_corpus import Case, cases

from .conftest import collect

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(400)]

SCALARS = {
    BasicType.BOOLEAN: DataTypes.BOOLEAN(),
    BasicType.BYTE: DataTypes.TINYINT(),
    BasicType.SHORT: DataTypes.SMALLINT(),
    BasicType.INT: DataTypes.INT(),
    BasicType.LONG: DataTypes.BIGINT(),
    BasicType.FLOAT: DataTypes.FLOAT(),
    BasicType.DOUBLE: DataTypes.DOUBLE(),
    BasicType.STRING: DataTypes.STRING(),
    BasicType.BYTE_STRING: DataTypes.BYTES(),
}
WIDENED = [BasicType.BYTE, BasicType.SHORT, BasicType.INT, BasicType.LONG, BasicType.FLOAT, BasicType.DOUBLE]


def flink_type(leap: DataType) -> Any:
    if isinstance(leap, ScalarType):
        return SCALARS[leap.base]
    if isinstance(leap, MapType):
        return DataTypes.MAP(SCALARS[leap.key], SCALARS[leap.base])
    return DataTypes.ARRAY(SCALARS[leap.base])


def flink_value(value: Any) -> Any:
    return value.to_dense().reshape(-1).tolist() if isinstance(value, Tensor) else value


def leap_value(value: Any) -> Any:
    return bytes(value) if isinstance(value, bytearray) else value


def fits(given: DataType, wanted: DataType) -> bool:
    """Whether SQL lets a value of one type stand for the other: the same kind, numbers widened."""
    if isinstance(given, MapType) or isinstance(wanted, MapType):
        return type(given) is type(wanted) and given.base == wanted.base and given.key == wanted.key  # type: ignore[union-attr]
    if isinstance(given, ScalarType) != isinstance(wanted, ScalarType):
        return False
    if given.base == wanted.base:
        return True
    numbers = given.base in WIDENED and wanted.base in WIDENED
    return numbers and isinstance(given, ScalarType) and WIDENED.index(given.base) < WIDENED.index(wanted.base)


def is_sql(case: Case, model: Model) -> bool:
    """Whether a case can be told in SQL: its types fit, and nothing depends on which elements of a vector are stored."""
    given = case.input()
    wanted = [f for f in model.schema.inputs if f.name in given.schema]
    if len(wanted) != len(model.schema.inputs) or not all(fits(given.schema[f.name].type, f.type) for f in wanted):
        return False
    # What fails whatever is given reads no column, so its function takes no argument.
    if not model.plan(given.schema, case.info["outputs"]).inputs.fields:
        return False
    sparse = any(isinstance(v, Tensor) and v.is_sparse for row in given.rows for v in row)
    return not (sparse and any(expr.needs_stored for expr in model.plan(given.schema).order))


KNOWN = [case for case in cases() if case.known and not case.info.get("load_error")]


def run_cases(
    table_env: StreamTableEnvironment, group: Sequence[tuple[Case, Model]], backend: Any
) -> dict[str, list[str]]:
    """Run the cases as one job, side by side over one table; what does not agree, by case."""
    # Rows with hashed vectors are long.
    table_env.get_config().set("collect-sink.batch-size.max", "64mb")
    fields = [DataTypes.FIELD("id", DataTypes.INT())]
    rows: list[list[Any]] = [[n] for n in range(max(len(case.input().rows) for case, _ in group))]
    calls: list[str] = []
    starts = [1]
    entries = [
        {
            "udfName": f"golden{i}",
            "bundlePath": str(case.bundle),
            "bundleSource": "file",
            "outputs": case.info["outputs"],
            "backend": backend,
            "onError": "null",
        }
        for i, (case, _) in enumerate(group)
    ]
    # All of them together, so that they are compiled into one jar.
    functions = MLeapUDFRegistry.register_from_config(json.dumps({"mleap": {"udfRegistry": entries}}), table_env)
    try:
        for i, ((case, _), function) in enumerate(zip(group, functions, strict=True)):
            frame = case.input()
            names = frame.schema.names
            fields += [DataTypes.FIELD(f"c{i}_{n}", flink_type(f.type)) for n, f in enumerate(frame.schema)]
            for n, row in enumerate(rows):
                row.extend(map(flink_value, frame.rows[n]) if n < len(frame.rows) else [None] * len(names))
            arguments = ", ".join(f"c{i}_{names.index(name)}" for name in function.signature.inputs.names)
            call = f"golden{i}({arguments})"
            outputs = function.signature.outputs.names
            # PyFlink's collect() cannot read a ROW whose arrays are NULL, so its fields are columns of their own.
            calls += [call] if len(outputs) == 1 else [f"{call}.`{name}`" for name in outputs]
            starts.append(len(calls) + 1)
        table = table_env.from_elements([tuple(row) for row in rows], DataTypes.ROW(fields))
        table_env.create_temporary_view("golden_rows", table)
        given = {row[0]: row for row in collect(table_env, f"SELECT id, {', '.join(calls)} FROM golden_rows")}
    finally:
        for i in range(len(group)):
            table_env.execute_sql(f"DROP TEMPORARY SYSTEM FUNCTION IF EXISTS golden{i}")
        table_env.drop_temporary_view("golden_rows")
    problems = {}
    for i, (case, _) in enumerate(group):
        mine = {n: given[n][starts[i] : starts[i + 1]] for n in range(len(case.input().rows))}
        report = case.verify_answers(_answers(case, functions[i].signature, mine))
        if not report.ok:
            problems[case.name] = report.reasons
    return problems


def _answers(case: Case, signature: FunctionSignature, values: dict[int, tuple[Any, ...]]) -> Answers:
    """What SQL gave: NULL where a row fails or is dropped."""
    failing, dropped = set(case.error_rows), set(case.info.get("dropped_rows", ()))
    found = Answers(signature.outputs, {}, {})
    for row, parts in values.items():
        if row in failing and all(part is None for part in parts):
            found.errors[row] = "NULL"
        elif row not in dropped or any(part is not None for part in parts):
            found.rows[row] = tuple(map(leap_value, parts))
    return found


def has_nan(case: Case) -> bool:
    """Whether a case has NaN, which the Python backend takes for NULL (docs/flink-sql.md)."""
    values = [v for row in case.input().rows for v in row]
    numbers = [n for v in values for n in (v.values.tolist() if isinstance(v, Tensor) else [v])]
    return bool(case.info.get("nonfinite")) or any(n is None or n != n for n in numbers)


def sample() -> list[tuple[Case, Model]]:
    """Cases such that each type of input and output is met."""
    seen: set[tuple[str, str]] = set()
    picked = []
    for case in KNOWN:
        model = case.model()
        fields = [("in", f) for f in model.schema.inputs] + [("out", f) for f in model.schema.outputs]
        kinds = {(side, f"{type(f.type).__name__} of {f.type.base}") for side, f in fields}
        maps = any(isinstance(f.type, MapType) for _, f in fields)
        if not kinds <= seen and not maps and not has_nan(case) and is_sql(case, model):
            seen |= kinds
            picked.append((case, model))
    return picked


def test_python_functions_give_what_mleap_gave_for_each_type(table_env: StreamTableEnvironment) -> None:
    picked = sample()
    assert {type(f.type) for _, m in picked for f in m.schema.inputs} >= {ScalarType, TensorType}
    assert {type(f.type) for _, m in picked for f in m.schema.outputs} <= {ScalarType, TensorType, ListType}
    problems: dict[str, list[str]] = {}
    # Every function has a Python process of its own in a job.
    for start in range(0, len(picked), 4):
        problems |= run_cases(table_env, picked[start : start + 4], "python")
    assert not problems
