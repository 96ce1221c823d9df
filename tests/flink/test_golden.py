"""The recorded cases as SQL functions: the rows of each stream through a Flink job, many cases in one."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyflink.table import DataTypes, StreamTableEnvironment

from leapstream import Model, Tensor
from leapstream.bundle.types import BasicType, DataType, Field, ListType, MapType, ScalarType, Schema, TensorType
from leapstream.contract import Answers
from leapstream.flink import MLeapUDFRegistry
from leapstream.flink.signature import SQL_TYPES, FunctionSignature, sql_type
from tests.golden_corpus import Case, cases

pytestmark = [pytest.mark.flink, pytest.mark.slow, pytest.mark.timeout(400)]

AT_ONCE = 64
NUMBERS = {*BasicType} - {BasicType.STRING, BasicType.BYTE_STRING}
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


def flink_type(leap: DataType) -> Any:
    if isinstance(leap, ScalarType):
        return SCALARS[leap.base]
    if isinstance(leap, MapType):
        return DataTypes.MAP(SCALARS[leap.key], SCALARS[leap.base])
    return DataTypes.ARRAY(SCALARS[leap.base])


def flink_value(value: Any) -> Any:
    return value.to_dense().reshape(-1).tolist() if isinstance(value, Tensor) else value


def leap_value(value: Any, leap: DataType) -> Any:
    """A value of a column of the files that Flink writes, which hold NaN and infinities in quotes."""
    if value is None or isinstance(leap, MapType):
        return value
    if leap.base is BasicType.BYTE_STRING:
        return base64.b64decode(value) if isinstance(leap, ScalarType) else list(map(base64.b64decode, value))
    if leap.base not in (BasicType.FLOAT, BasicType.DOUBLE):
        return value
    return float(value) if isinstance(leap, ScalarType) else np.array(value, dtype=np.float64)


def argument(column: str, given: DataType, wanted: DataType) -> str | None:
    """The SQL that hands a column over; ``None`` when a user could not write it."""
    if isinstance(given, MapType) or isinstance(wanted, MapType):
        same = type(given) is type(wanted) and given.base == wanted.base and given.key == wanted.key  # type: ignore[union-attr]
        return column if same else None
    if isinstance(given, ScalarType) != isinstance(wanted, ScalarType):
        return None
    if given.base == wanted.base:
        return column
    numbers = given.base in NUMBERS and wanted.base in NUMBERS and isinstance(given, ScalarType)
    return f"CAST({column} AS {SQL_TYPES[wanted.base]})" if numbers else None


def is_sql(case: Case, model: Model) -> bool:
    """True if SQL can express a case: its types exist in SQL, and nothing depends on which elements of a vector are stored."""
    given = case.input()
    wanted = [f for f in model.schema.inputs if f.name in given.schema]
    told = [argument(f.name, given.schema[f.name].type, f.type) for f in wanted]
    # A function does not see the other columns of its row, so that its outputs cannot exist already.
    exists = any(name in given.schema for name in model.schema.outputs.names)
    if exists or len(wanted) != len(model.schema.inputs) or None in told:
        return False
    sparse = any(isinstance(v, Tensor) and v.is_sparse for row in given.rows for v in row)
    return not (sparse and any(expr.needs_stored for expr in model.plan(Schema(tuple(wanted))).order))


KNOWN = [case for case in cases() if case.known and not case.info.get("load_error")]


def groups() -> Iterator[list[tuple[Case, Model]]]:
    told = ((case, model) for case in KNOWN if is_sql(case, model := case.model()))
    while group := list(itertools.islice(told, AT_ONCE)):
        yield group


def run_cases(
    table_env: StreamTableEnvironment, folder: Path, group: Sequence[tuple[Case, Model]], backend: Any
) -> dict[str, list[str]]:
    """Run the cases as one job, side by side over one table; what does not agree, by case."""
    fields = [DataTypes.FIELD("id", DataTypes.INT())]
    rows: list[list[Any]] = [[n] for n in range(max(len(case.input().rows) for case, _ in group))]
    calls: list[str] = []
    results: list[list[Field]] = []
    entries = [
        {
            "udfName": f"golden{i}",
            "bundlePath": str(case.bundle),
            "bundleSource": "file",
            # MLeap adds no columns where it takes none of the rows.
            "outputs": case.info["outputs"] or list(model.schema.outputs.names),
            "backend": backend,
            "onError": "null",
        }
        for i, (case, model) in enumerate(group)
    ]
    # All of them together, so that they are compiled into one jar.
    functions = MLeapUDFRegistry.register_from_config({"mleap": {"udfRegistry": entries}}, table_env)
    try:
        for i, ((case, _), function) in enumerate(zip(group, functions, strict=True)):
            frame = case.input()
            names = frame.schema.names
            fields += [DataTypes.FIELD(f"c{i}_{n}", flink_type(f.type)) for n, f in enumerate(frame.schema)]
            for n, row in enumerate(rows):
                row.extend(map(flink_value, frame.rows[n]) if n < len(frame.rows) else [None] * len(names))
            arguments = [
                str(argument(f"c{i}_{names.index(f.name)}", frame.schema[f.name].type, f.type))
                for f in function.signature.inputs
            ]
            call = f"golden{i}({', '.join(arguments)})"
            outputs = list(function.signature.outputs)
            calls += [call] if len(outputs) == 1 else [f"{call}.`{f.name}`" for f in outputs]
            results.append(outputs)
        table = table_env.from_elements([tuple(row) for row in rows], DataTypes.ROW(fields))
        table_env.create_temporary_view("golden_rows", table)
        columns = [f"r{i}_{n} {sql_type(f.type)}" for i, fields in enumerate(results) for n, f in enumerate(fields)]
        # Into files: collect() reads arrays element by element, and cannot read a ROW whose arrays are NULL.
        table_env.execute_sql(
            f"CREATE TEMPORARY TABLE golden_results (id INT, {', '.join(columns)}) "
            f"WITH ('connector' = 'filesystem', 'path' = '{folder.as_uri()}', 'format' = 'json')"
        )
        table_env.execute_sql(f"INSERT INTO golden_results SELECT id, {', '.join(calls)} FROM golden_rows").wait()
    finally:
        for i in range(len(group)):
            table_env.execute_sql(f"DROP TEMPORARY SYSTEM FUNCTION IF EXISTS golden{i}")
        table_env.execute_sql("DROP TEMPORARY TABLE IF EXISTS golden_results")
        table_env.execute_sql("DROP TEMPORARY VIEW IF EXISTS golden_rows")
    lines = (line for file in folder.iterdir() for line in file.read_text().splitlines())
    given = {row["id"]: row for row in map(json.loads, lines)}
    assert len(given) == len(rows)
    problems = {}
    for i, (case, _) in enumerate(group):
        values = {
            n: tuple(leap_value(given[n][f"r{i}_{k}"], f.type) for k, f in enumerate(results[i]))
            for n in range(len(case.input().rows))
        }
        report = case.verify_answers(_answers(case, functions[i].signature, values))
        if not report.ok:
            problems[case.name] = report.reasons
    return problems


def _answers(case: Case, signature: FunctionSignature, values: dict[int, tuple[Any, ...]]) -> Answers:
    """The results of SQL, which are NULL where a row fails or is dropped."""
    failing, dropped = set(case.error_rows), set(case.info.get("dropped_rows", ()))
    found = Answers(signature.outputs, {}, {})
    for row, parts in values.items():
        if row in failing and all(part is None for part in parts):
            found.errors[row] = "NULL"
        elif row not in dropped or any(part is not None for part in parts):
            found.rows[row] = parts
    return found


def test_jvm_functions_give_what_mleap_gave(table_env: StreamTableEnvironment, tmp_path: Path) -> None:
    told = 0
    problems: dict[str, list[str]] = {}
    for n, group in enumerate(groups()):
        told += len(group)
        problems |= run_cases(table_env, tmp_path / str(n), group, "jvm")
    assert not problems
    # The others have inputs that SQL does not have, or would convert: strings for numbers, sparse vectors, …
    assert told >= 0.85 * len(KNOWN)


def has_nan(case: Case) -> bool:
    """True if a case has NaN, which the Python backend does not distinguish from NULL (docs/flink-sql.md)."""
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


def test_python_functions_give_what_mleap_gave_for_each_type(table_env: StreamTableEnvironment, tmp_path: Path) -> None:
    picked = sample()
    assert {type(f.type) for _, m in picked for f in m.schema.inputs} >= {ScalarType, TensorType}
    assert {type(f.type) for _, m in picked for f in m.schema.outputs} <= {ScalarType, TensorType, ListType}
    problems: dict[str, list[str]] = {}
    # Every function has a Python process of its own in a job.
    for start in range(0, len(picked), 4):
        problems |= run_cases(table_env, tmp_path / str(start), picked[start : start + 4], "python")
    assert not problems
