"""Every recorded case whose ops leapstream has, through each executor."""

from __future__ import annotations

import pytest

from leapstream import BundleError, SchemaError, UnsupportedOpError
from tests.golden_corpus import Case, cases, check

KNOWN = [case for case in cases() if case.known and not case.info.get("load_error")]
REFUSED = [case for case in cases() if case.known and case.info.get("load_error")]
UNKNOWN = [case for case in cases() if not case.known]


def by_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", KNOWN, ids=by_name)
def test_vectorized_executor_gives_what_mleap_gave(case: Case) -> None:
    model = case.model()
    check(case, model.transform)


@pytest.mark.flink
@pytest.mark.parametrize("case", KNOWN, ids=by_name)
def test_jvm_executor_gives_what_mleap_gave(case: Case) -> None:
    model = case.model()
    check(case, lambda frame: model.transform(frame, backend="jvm"))


@pytest.mark.parametrize("case", REFUSED, ids=by_name)
def test_bundle_that_mleap_refuses_is_refused_with_a_reason(case: Case) -> None:
    with pytest.raises((BundleError, UnsupportedOpError), match="bundle"):
        case.model()


@pytest.mark.parametrize("case", UNKNOWN, ids=by_name)
def test_bundle_with_an_op_of_no_known_name_says_which(case: Case) -> None:
    with pytest.raises((UnsupportedOpError, BundleError, SchemaError), match="bundle"):
        case.model()
