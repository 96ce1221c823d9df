"""A record alone gives what it gives in a batch."""

from __future__ import annotations

import math
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import leapstream
from leapstream import LeapstreamError, Model, PredictionError
from leapstream.executors.rowwise import EXECUTOR
from leapstream.executors.rowwise.executor import UnusualRecordError
from leapstream.executors.rowwise.hashing import HashedTexts
from leapstream.executors.rowwise.writer import Writer
from leapstream.ops.feature import StringIndexer
from leapstream.plan.graph import Expr
from tests.executors.vectorized.test_executor import plain, same
from tests.golden_corpus import GOLDEN, Case, cases
from tests.pipelines import node

BENCH = GOLDEN.parent / "bench"
KNOWN = [case for case in cases() if case.known and not case.info.get("load_error")]


def outcome(model: Model, data: Any) -> Any:
    """The prediction; for an error its reason."""
    try:
        return model.predict(data)
    except PredictionError as error:
        return error.reason
    except LeapstreamError as error:
        return type(error)


def alone(model: Model, record: dict[str, Any]) -> Any:
    """The result of a record as the only one of a batch."""
    rows = outcome(model, [record])
    return (rows[0] if rows else None) if isinstance(rows, list) else rows


def agree(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return bool(one == other)


def no_arrays(writer: Writer, expr: Expr) -> None:
    """In place of the function that lets arrays compute an expression."""
    raise AssertionError(f"arrays compute {type(expr).__name__}")


@pytest.mark.slow
@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case.name)
def test_recorded_rows_one_by_one_give_what_they_give_in_a_batch(case: Case) -> None:
    model, frame = case.model(), case.input()
    prepared = EXECUTOR.prepare(model.plan(outputs=model.schema.outputs.names))
    for row in frame.rows[:40]:
        record = dict(zip(frame.schema.names, map(plain, row), strict=True))
        try:
            found = prepared.run_record(record)
        except UnusualRecordError:
            continue
        assert agree(found, alone(model, record)), record


@pytest.mark.parametrize(
    "name",
    [
        "pipeline/loans-logistic",
        "pipeline/loans-logistic-skip",
        "pipeline/loans-random-forest",
        "pipeline/text-counts-bayes",
        "pipeline/text-hashing-logistic",
        "pipeline/text-word2vec-forest",
    ],
)
def test_usual_rows_of_usual_pipelines_need_no_arrays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leapstream.executors.rowwise.executor.by_arrays", no_arrays)
    case = Case(GOLDEN / name)
    model, frame = case.model(), case.input()
    prepared = EXECUTOR.prepare(model.plan(outputs=model.schema.outputs.names))
    usual = 0
    for row in frame.rows:
        try:
            prepared.run_record(dict(zip(frame.schema.names, map(plain, row), strict=True)))
            usual += 1
        except UnusualRecordError:
            continue
    assert usual > len(frame.rows) / 2


@cache
def loans() -> Model:
    return Case(GOLDEN / "pipeline/loans-logistic-skip").model()


@cache
def forest() -> Model:
    return leapstream.load(BENCH / "forest3-20x5.zip")


_NUMBERS = st.one_of(
    st.floats(),
    st.floats(-10, 10),
    st.integers(-(2**70), 2**70),
    st.booleans(),
    st.none(),
    st.just("7.5"),
    st.just("x"),
)
_TEXTS = st.one_of(
    st.sampled_from(["CA", "NY", "TX", "OWN", "RENT", "1", "1.0", "true"]), st.none(), st.integers(), st.booleans()
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_record_gives_what_it_gives_in_a_batch(data: st.DataObject) -> None:
    model = loans()
    kinds = {f.name: _TEXTS if str(f.type).startswith("string") else _NUMBERS for f in model.schema.inputs}
    record = data.draw(st.fixed_dictionaries({}, optional=kinds) | st.fixed_dictionaries(kinds))
    assert agree(outcome(model, record), alone(model, record))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.floats(), st.integers(-5, 15)), min_size=2, max_size=4))
def test_a_vector_alone_is_a_record_as_list_tuple_or_array(elements: list[float]) -> None:
    expected = alone(forest(), {"features": elements})
    for form in (elements, tuple(elements), np.array(elements, dtype=np.float64)):
        assert agree(outcome(forest(), {"features": form}), expected)


def test_a_dict_of_arrays_is_still_a_batch() -> None:
    found = forest().predict({"features": np.array([[0.1, 7.0, 0.9], [0.5, 3.0, 0.25]])})
    assert found["prediction"].shape == (2,)


def test_a_dict_with_the_elements_of_one_list_is_a_record() -> None:
    model = Case(GOLDEN / "feature/hashing-tf-binary_false").model()
    (name,) = model.schema.inputs.names
    words = ["a", "b", "a"]
    expected = model.predict([{name: words}])
    assert [model.predict({name: words})] == expected
    assert [model.predict({name: words}, backend="rowwise")] == expected
    for rows in ([words, words], []):
        batch: Any = model.predict({name: rows})
        assert [len(column) for column in batch.values()] == [len(rows)]


def test_deep_wide_and_large_forests_agree_with_the_batch() -> None:
    model = leapstream.load(BENCH / "forest3-100x8.zip")
    rng = np.random.default_rng(0)
    rows = [{"features": row.tolist()} for row in rng.uniform(0, 10, (50, 3))]
    prepared = EXECUTOR.prepare(model.plan(outputs=model.schema.outputs.names))
    assert [prepared.run_record(row) for row in rows] == model.predict(rows)


def test_a_prediction_makes_few_calls() -> None:
    """The path of one record is straight: no call per column, tree or element."""
    model = loans()
    case = Case(GOLDEN / "pipeline/loans-logistic-skip")
    frame = case.input()
    record = next(
        record
        for row in frame.rows
        if model.predict(record := dict(zip(frame.schema.names, map(plain, row), strict=True))) is not None
        and not any(v is None or (isinstance(v, float) and math.isnan(v)) for v in record.values())
    )
    record = {
        name: float(v) if isinstance(v, (int, float)) and not isinstance(v, bool) else v for name, v in record.items()
    }
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        model.predict(record)
    finally:
        sys.setprofile(None)
    assert calls <= 60


@cache
def mixed() -> Any:
    """Two columns of numbers and one of texts, with a missing text."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    texts = rng.choice(["x", "y", "z"], 60).astype(object)
    texts[7] = None
    return pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=60), "c": pd.Series(texts, dtype=object)})


def usual_pipelines() -> dict[str, Any]:
    """Pipelines of scikit-learn that many people have."""
    pytest.importorskip("sklearn")
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    imputer = SimpleImputer(strategy="most_frequent", missing_values=None)
    one_hot = make_pipeline(imputer, OneHotEncoder(handle_unknown="ignore"))
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return {
        "text imputer, one-hot, logistic": make_pipeline(
            make_column_transformer((one_hot, ["c"]), remainder="passthrough"), LogisticRegression()
        ),
        "ordinal encoder with unknown values, forest": make_pipeline(
            make_column_transformer((make_pipeline(imputer, ordinal), ["c"]), remainder="passthrough"),
            RandomForestRegressor(10, random_state=0),
        ),
    }


@pytest.mark.parametrize("name", ["text imputer, one-hot, logistic", "ordinal encoder with unknown values, forest"])
def test_usual_pipelines_of_scikit_learn_need_no_arrays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leapstream.executors.rowwise.executor.by_arrays", no_arrays)
    data = mixed()
    pipeline = usual_pipelines()[name].fit(data, data["a"] > 0)
    model = leapstream.from_sklearn(pipeline, data)
    prepared = EXECUTOR.prepare(model.plan(outputs=model.schema.outputs.names))
    for record in [*data.head(20).to_dict("records"), {"a": 0.0, "b": -0.0, "c": "new"}]:
        assert agree(prepared.run_record(record), alone(model, record)), record


@pytest.mark.parametrize("invalid", ["keep", "error", "skip"])
@pytest.mark.parametrize(
    "value",
    [7, -(2**63), 2**63, True, 0.1, -0.0, 1e23, math.nan, np.float64(2.5), np.int32(3), None, "é", "x", "\ud800", b"7"],
)
def test_what_is_given_for_a_text_is_the_text_that_it_is_in_a_batch(value: Any, invalid: Any) -> None:
    labels = ("7", "1", "0.1", "-0.0", "NaN", "2.5", "é")
    indexer = node("i", StringIndexer((labels,), invalid), {"input": "text"}, {"output": "index"})
    model = Model.from_node(indexer)
    assert agree(outcome(model, {"text": value}), alone(model, {"text": value}))


def test_a_model_whose_records_need_arrays_says_so_once_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("leapstream.executors.rowwise.writer.MOST_ELEMENTS", 1024)
    model = Case(GOLDEN / "feature/hashing-tf-wide").model()
    (name,) = model.schema.inputs.names
    for _ in range(2):
        model.predict({name: ["a"]})
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "single records take as long as batches: the rowwise executor lacks a list of 262144 elements for model "
        f"{model.name!r}"
    ]


def test_the_hashes_of_no_more_than_16384_short_texts_are_kept() -> None:
    elements = HashedTexts(1000)
    found = [elements[str(i)] for i in range(20000)]
    assert len(elements) < 16384
    assert found == [HashedTexts(1000)[str(i)] for i in range(20000)]
    before = len(elements)
    assert elements["long" * 100] == HashedTexts(1000)["long" * 100]
    assert len(elements) == before
