"""More of scikit-learn's estimators: each as a model that gives the same after it was saved, on the executors of this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sklearn

from leapstream import from_sklearn
from tests.exporters import further_estimators
from tests.exporters.agreement import assert_agrees, reloaded

CASES = {**further_estimators.TRANSFORMERS, **further_estimators.PREDICTORS}

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(Path(__file__).resolve().parents[2] / "scripts")
    import estimator_coverage
    from estimator_coverage import OWN_OPS

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:MLeap's own runtime cannot run")]


@pytest.mark.parametrize("name", CASES)
def test_a_model_gives_what_the_estimator_does(name: str, tmp_path: Path) -> None:
    estimator, rows = CASES[name]()
    # The export compares the executors with the estimator.
    model = from_sklearn(estimator, rows)
    assert_agrees(reloaded(model, tmp_path, "protobuf"), estimator, rows)
    own = any(node.op.op.startswith("leapstream.") for node in model.nodes)
    assert own or not OWN_OPS & set(_classes(estimator)), "the page says that there is an op of leapstream's own"


def _classes(estimator: Any) -> list[str]:
    parts = [part for _, part in getattr(estimator, "steps", ())]
    return [type(estimator).__name__, *(name for part in parts for name in _classes(part))]


def test_the_table_of_estimators_is_current() -> None:
    page = estimator_coverage.TARGET.read_text(encoding="utf-8")
    if f"scikit-learn {sklearn.__version__} " not in page:
        pytest.skip("the page is of another version of scikit-learn")
    assert estimator_coverage.page() == page
