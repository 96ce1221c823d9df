"""Every recorded case whose ops leapstream has, through each executor."""

from __future__ import annotations

import numpy as np
import pytest

from leapstream import BundleError, SchemaError, Tensor, UnsupportedOpError
from leapstream.model import Backend
from tests.golden_corpus import GOLDEN, Case, cases

KNOWN = [case for case in cases() if case.known and not case.info.get("load_error")]
# Models that MLeap's reader rejects: one without attributes, which a tokenizer does not need, one of an op that MLeap has but
# cannot read, and what Spark computes.
AS_IN_SPARK = {"classification/naive-bayes-complement", "classification/naive-bayes-gaussian"}
READ_HERE = {"sklearn/count-vectorizer", "ensemble/categorical-drilldown", *AS_IN_SPARK}
REFUSED = [case for case in cases() if case.known and case.info.get("load_error") and case.name not in READ_HERE]
UNKNOWN = [case for case in cases() if not case.known]


def by_name(case: Case) -> str:
    return case.name


def check(case: Case, backend: Backend) -> None:
    """Compare a backend with MLeap's recorded results; if the frame does not fit the model, row by row."""
    try:
        report = case.verify(case.model(), backend, intermediate=True)
    except SchemaError:
        assert len(case.error_rows) == len(case.input().rows)
        return
    assert report.ok, report.reasons


@pytest.mark.parametrize("case", KNOWN, ids=by_name)
def test_vectorized_executor_gives_what_mleap_gave(case: Case) -> None:
    check(case, "vectorized")


@pytest.mark.flink
@pytest.mark.parametrize("case", KNOWN, ids=by_name)
def test_jvm_executor_gives_what_mleap_gave(case: Case) -> None:
    check(case, "jvm")


@pytest.mark.parametrize("backend", ["vectorized", pytest.param("jvm", marks=pytest.mark.flink)])
@pytest.mark.parametrize("name", sorted(AS_IN_SPARK))
def test_model_that_mleap_rejects_gives_what_spark_gave(name: str, backend: Backend) -> None:
    case = Case(GOLDEN / name)
    result = case.model().transform(case.input(), backend=backend)
    for column, expected in case.info["spark_outputs"].items():
        found = [v.to_dense() if isinstance(v, Tensor) else v for v in result.column(column)]
        np.testing.assert_allclose(found, np.array(expected, dtype=np.float64), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("case", REFUSED, ids=by_name)
def test_bundle_that_mleap_rejects_is_rejected_with_a_reason(case: Case) -> None:
    with pytest.raises((BundleError, UnsupportedOpError), match="bundle"):
        case.model()


@pytest.mark.parametrize("case", UNKNOWN, ids=by_name)
def test_bundle_with_an_op_of_no_known_name_says_which(case: Case) -> None:
    with pytest.raises((UnsupportedOpError, BundleError, SchemaError), match="bundle"):
        case.model()
