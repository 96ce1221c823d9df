"""Rows have the same version by their keys wherever a model of a store runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyflink.common import Row
from pyflink.table import DataTypes, StreamTableEnvironment

from leapstream.flink import MLeapMapFunction, MLeapUDFRegistry, StoredModel

from .conftest import collect
from .versions import Versions

pytestmark = pytest.mark.flink

NUMBERS = range(40)
# A column of keys of each type that a split key may have, with NULLs.
KEYS: dict[str, tuple[Any, Sequence[Any]]] = {
    "whole": (DataTypes.INT(), [n * 7 for n in NUMBERS]),
    "big": (DataTypes.BIGINT(), [2**53 + n for n in NUMBERS]),
    "certain": (DataTypes.BIGINT().not_null(), list(NUMBERS)),
    "single": (DataTypes.FLOAT(), [n / 10 for n in NUMBERS]),
    "twofold": (DataTypes.DOUBLE(), [n / 10 if n % 2 else float(n) for n in NUMBERS]),
    "text": (DataTypes.STRING(), [f"customer-{n}" for n in NUMBERS]),
    "exact": (DataTypes.DECIMAL(12, 7), [Decimal(n).scaleb(-7) for n in NUMBERS]),
    "flag": (DataTypes.BOOLEAN(), [n % 3 == 0 for n in NUMBERS]),
    "day": (DataTypes.DATE(), [date(2026, 1 + n // 28, 1 + n % 28) for n in NUMBERS]),
    "moment": (DataTypes.TIMESTAMP(3), [datetime(2026, 1, 1, n % 24, n, n // 2 * 2, n // 4 * 1000) for n in NUMBERS]),
    "clock": (DataTypes.TIME(), [time(n % 24, n, n // 4) for n in NUMBERS]),
}


@pytest.mark.slow
def test_python_and_java_choose_the_same_version_by_keys_of_all_types(
    table_env: StreamTableEnvironment, tmp_path: Path
) -> None:
    versions = Versions(tmp_path / "models")
    versions.publish(1)
    versions.publish(2)
    versions.store.set_alias("loans", "live", {"1": 50, "2": 50})
    model = StoredModel(versions.uri, split_key="customer")
    for name, backend in (("InJava", "jvm"), ("InPython", "vectorized")):
        MLeapUDFRegistry.register(name, model, table_env, outputs=["model_version", "prediction"], backend=backend)
    columns = [
        [None if n % 8 == 5 and name != "certain" else keys[n] for n in NUMBERS] for name, (_, keys) in KEYS.items()
    ]
    fields = [DataTypes.FIELD(name, kind) for name, (kind, _) in KEYS.items()]
    given = table_env.from_elements(list(zip(*columns, strict=True)), DataTypes.ROW(fields))
    table_env.create_temporary_view("given", given)

    def chosen(function: str) -> dict[str, list[str]]:
        calls = ", ".join(f"{function}(1e0, 2e0, 3e0, `{name}`).model_version AS `{name}`" for name in KEYS)
        rows = collect(table_env, f"SELECT {calls} FROM given")
        return dict(zip(KEYS, map(list, zip(*rows, strict=True)), strict=True))

    java = chosen("InJava")
    assert {frozenset(found) for found in java.values()} == {frozenset("12")}
    assert chosen("InPython") == java
    by_record = MLeapMapFunction(model, outputs=["model_version", "prediction"])
    for (name, found), keys in zip(java.items(), columns, strict=True):
        # A record has Python's values, and so no FLOAT.
        if name != "single":
            assert [by_record.map(Row(1.0, 2.0, 3.0, key))["model_version"] for key in keys] == found, name
    by_record.close()
