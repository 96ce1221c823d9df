"""Every recorded case whose ops leapstream has, through each executor."""

from __future__ import annotations

import pytest

from leapstream import BundleError, SchemaError, UnsupportedOpError
from leapstream.model import Backend
from tests.golden_corpus import Case, cases

KNOWN = [case for case in cases() if case.known and not case.info.get("load_error")]
# A model without attributes; a tokenizer has none, and only the JVM's reader of JSON misses them.
READ_HERE = {"sklearn/count-vectorizer"}
REFUSED = [case for case in cases() if case.known and case.info.get("load_error") and case.name not in READ_HERE]
UNKNOWN = [case for case in cases() if not case.known]


def by_name(case: Case) -> str:
    return case.name


def check(case: Case, backend: Backend) -> None:
    """Hold a backend against what MLeap answered; rows that do not fit the model may be refused one by one."""
    try:
        report = case.verify(case.model(), backend)
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


@pytest.mark.parametrize("case", REFUSED, ids=by_name)
def test_bundle_that_mleap_refuses_is_refused_with_a_reason(case: Case) -> None:
    with pytest.raises((BundleError, UnsupportedOpError), match="bundle"):
        case.model()


@pytest.mark.parametrize("case", UNKNOWN, ids=by_name)
def test_bundle_with_an_op_of_no_known_name_says_which(case: Case) -> None:
    with pytest.raises((UnsupportedOpError, BundleError, SchemaError), match="bundle"):
        case.model()
