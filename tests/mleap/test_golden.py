"""Every golden bundle, written again by leapstream, has the same answers in MLeap's JVM as the recorded one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import leapstream
from leapstream import BundleError, SchemaError, Tensor, UnsupportedOpError
from tests.fuzz.comparing import difference
from tests.fuzz.recorded import Answer
from tests.golden_corpus import Case, cases
from tests.mleap.judging import FORMATS, RESULT
from tests.mleap.jvm import LoadError, MLeap, require_runner

require_runner()

RANDOM = "lda_local_model_op"
"""The op whose inference starts from random numbers in MLeap 0.20.0: its answers differ from call to call."""


def exact(value: Any) -> Any:
    """A value that is equal to another if and only if all bits and the form of a tensor are equal."""
    if isinstance(value, Tensor):
        indices = None if value.indices is None else value.indices.tolist()
        return repr((value.base, value.dimensions, value.values.tolist(), indices))
    return repr(value)


def differs(original: Answer, written: Answer, *, random: bool) -> str:
    if original.kind != "values" or written.kind != "values" or random:
        # A message may have the number of an object.
        return "" if random and original.kind == written.kind else difference(original, written, frozenset())
    left, right = (({name: exact(value) for name, value in side.values.items()}) for side in (original, written))
    return "" if left == right else f"{left} and {right}"


@pytest.mark.parametrize("case", [case for case in cases() if case.known], ids=lambda case: case.name)
def test_a_written_bundle_has_the_answers_of_the_original(
    case: Case, mleap: MLeap, tmp_path: Path, record_property: Any
) -> None:
    frame = case.input()
    try:
        original = mleap.ask(case.bundle.absolute(), frame)
    except LoadError as error:
        pytest.skip(f"MLeap does not load the original: {error}")
    try:
        model = case.model()
    except (BundleError, SchemaError, UnsupportedOpError) as error:
        pytest.skip(f"leapstream does not load the original: {error}")
    for form in FORMATS:
        path = tmp_path / f"{form}.zip"
        try:
            leapstream.save(model, path, format=form)
        except BundleError as error:
            if "JSON cannot hold" in str(error):
                continue
            raise
        written = mleap.ask(path, frame)
        pairs = zip(original, written, strict=True)
        problems = [kind for pair in pairs if (kind := differs(*pair, random=RANDOM in case.info["ops"]))]
        assert not problems, f"{form}: {problems[:3]}"
        record_property(RESULT, "golden exported loads agrees")
