from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from leapstream import Model, demo, load
from leapstream.bundle.types import BasicType, Field, TensorType
from leapstream.drift import Counts, Profile, profile, psi
from leapstream.drift.profiling import _columns, profile_of_file
from leapstream.errors import LeapstreamError, SchemaError, StoreError
from leapstream.executors.columns import Column as Values
from leapstream.store import ModelStore
from tests.drift.loans import ROWS, loans

BUNDLE = Path(demo.bundle("loans"))

FEATURE_ENGINE = {
    "state": 2.3800615282833815,
    "home": 0.0,
    "amount": 0.0,
    "income": 0.7916855953784413,
    "age": 0.7006231567255629,
    "late": 0.0,
    "flag": 0.0,
}
"""The numbers of feature-engine 1.9.4 for the same rows: ``DropHighPSIFeatures(strategy="equal_frequency", bins=10,
min_pct_empty_bins=0.0001, missing_values="ignore")``."""


@pytest.fixture(scope="module")
def model() -> Model:
    return load(BUNDLE)


@pytest.fixture(scope="module")
def made(model: Model) -> Profile:
    return profile(model, loans())


def test_psi_is_that_of_feature_engine(model: Model, made: Profile) -> None:
    counts = Counts(made, model.schema)
    counts.add_frame(loans(drifted=True), "input")
    found = {drift.name: drift.psi for drift in counts.drift() if drift.side == "input"}
    assert found == pytest.approx(FEATURE_ENGINE, rel=1e-12, abs=1e-15)


def test_missing_rates_are_those_of_the_rows(model: Model, made: Profile) -> None:
    counts = Counts(made, model.schema)
    counts.add_frame(loans(drifted=True), "input")
    rates = {drift.name: (drift.missing_rate, drift.missing_rate_in_training) for drift in counts.drift()}
    assert rates["age"] == (loans(drifted=True)["age"].null_count / ROWS, 0.0)
    assert rates["income"] == (0.0, 0.0)


def test_a_profile_has_inputs_and_outputs_in_bins(made: Profile) -> None:
    columns = {column.label: column for column in made.columns}
    assert [column.side for column in made.columns] == ["input"] * 7 + ["output"] * 7
    assert columns["income"].counts == (200,) * 10
    assert columns["state"].values == ("CA", "NY", "TX", "WA") and columns["state"].counts == (800, 601, 400, 199, 0)
    # A column of few values has a bin for each.
    assert (columns["flag"].edges, columns["flag"].counts) == ((0.0,), (1399, 601))
    assert columns["probability"].kind == "other" and columns["prediction"].kind == "number"
    assert columns["probability[1]"].kind == "number" and columns["probability[1]"].counts == (200,) * 10
    assert (made.rows, made.total, made.failed) == (ROWS, ROWS, 0)


def test_a_bound_belongs_to_the_bin_below_it(model: Model, made: Profile) -> None:
    edges = next(column.edges for column in made.columns if column.name == "income")
    counts = Counts(made, model.schema)
    counts.add_frame([{"income": edges[0]}, {"income": np.nextafter(edges[0], np.inf)}, {"income": 1e9}], "input")
    found = dict(zip([c.name for c in made.columns], counts.as_lists(), strict=True))["income"]
    assert found == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0]


def test_nan_is_missing_and_infinity_is_not(model: Model, made: Profile) -> None:
    counts = Counts(made, model.schema)
    counts.add_frame([{"income": float(x)} for x in ("nan", "inf", "-inf")], "input")
    found = dict(zip([c.name for c in made.columns], counts.as_lists(), strict=True))["income"]
    assert (found[0], found[9], found[10]) == (1, 1, 1)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl", "json"])
def test_a_file_of_any_format_has_the_same_profile(model: Model, made: Profile, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    if suffix == "parquet":
        pq.write_table(loans(), path)
    elif suffix == "csv":
        pa.csv.write_csv(loans(), path)
    elif suffix == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in loans().to_pylist()))
    else:
        from leapstream.frames.leap import leap_of

        leap_of(loans(), model.schema.inputs).write(path)
    assert profile_of_file(model, path) == made


def test_a_profile_is_read_as_it_was_written(model: Model, made: Profile, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_bytes(made.as_bytes())
    assert profile_of_file(model, path) == made


def test_of_many_rows_a_sample_is_counted(model: Model, made: Profile) -> None:
    many = pa.concat_tables([loans()] * 5)
    sampled = profile(model, many, most_rows=3000)
    assert (sampled.rows, sampled.total) == (3000, 5 * ROWS)
    assert profile(model, many, most_rows=3000) == sampled
    for column, whole in zip(sampled.columns, made.columns, strict=True):
        if column.kind == "category":
            assert psi(whole.counts, [*column.counts]) == pytest.approx(0, abs=0.01)


def test_an_element_of_vectors_counts_as_a_number(model: Model, made: Profile) -> None:
    later = loans(drifted=True).slice(0, 500)
    probability = pa.array([None if row % 5 == 0 else [1 - row / 500, row / 500] for row in range(500)])
    counts, alone = Counts(made, model.schema), np.array([row / 500 for row in range(500) if row % 5])
    counts.add_frame(later.append_column("probability", probability), "output")
    found = {drift.name: drift for drift in counts.drift()}
    column = next(column for column in made.columns if column.label == "probability[1]")
    expected = np.bincount(np.searchsorted(column.edges, alone, side="left"), minlength=len(column.counts))
    assert found["probability[1]"].psi == psi(column.counts, expected.tolist())
    assert found["probability[1]"].missing_rate == found["probability"].missing_rate == 0.2
    assert found["probability"].psi is None


def test_vectors_of_many_elements_have_missing_values_alone() -> None:
    field = Field("v", TensorType(BasicType.DOUBLE))
    for size, columns in ((16, 17), (17, 1)):
        values = Values(pa.array([[1.0] * size, [2.0] * size, None]))
        assert len(list(_columns(field, "input", values, 10, 50))) == columns
    assert len(list(_columns(field, "input", Values(pa.array([[1.0], [1.0, 2.0]])), 10, 50))) == 1


def test_rows_of_another_model_are_rejected(model: Model) -> None:
    with pytest.raises(SchemaError, match="no column 'state', which the model reads"):
        profile(model, [{"x": 1}])
    with pytest.raises(SchemaError, match="there are none"):
        profile(model, loans().slice(0, 0))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 2}, "format 2"),
        ({"rows": -1}, "-1 is not a count"),
        ({"columns": [{}]}, "'name' is missing"),
        (
            {"columns": [{"name": "x", "side": "input", "kind": "number", "missing": 0, "counts": [1], "edges": [1]}]},
            "1 counts",
        ),
        (
            {
                "columns": [
                    {"name": "x", "side": "input", "kind": "number", "missing": 0, "counts": [1] * 3, "edges": [2, 1]}
                ]
            },
            "edges have to be numbers that grow",
        ),
        (
            {"columns": [{"name": "x", "side": "x", "kind": "number", "missing": 0, "counts": [1], "edges": []}]},
            "side or kind is malformed",
        ),
        (
            {
                "columns": [
                    {"name": "x", "side": "input", "kind": "category", "missing": 0, "counts": [1, 1], "values": [1]}
                ]
            },
            "different texts",
        ),
    ],
)
def test_a_damaged_profile_is_rejected(made: Profile, change: Any, reason: str) -> None:
    damaged = json.dumps({**json.loads(made.as_bytes()), **change}).encode()
    with pytest.raises(StoreError, match=f"profile.json: .*{reason}"):
        Profile.parsed(damaged, "profile.json")


def test_a_profile_goes_with_the_version(model: Model, made: Profile, tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    pq.write_table(loans(), tmp_path / "rows.parquet")
    with_profile = store.publish("loans", BUNDLE, profile=tmp_path / "rows.parquet")
    without = store.publish("loans", BUNDLE)
    assert store.profile(with_profile) == made and store.profile(without) is None
    assert with_profile.as_json()["profile"] and not without.as_json()["profile"]
    path = tmp_path / "store/loans/1/profile.json"
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    with pytest.raises(LeapstreamError, match=r"loans/1/profile\.json is missing, or its checksum is another"):
        store.profile(with_profile)


def test_psi_of_nothing_is_not_known() -> None:
    assert psi([1, 2], [0, 0]) is None and psi([0, 0], [1, 2]) is None
    assert psi([1, 1], [2, 2]) == 0.0
