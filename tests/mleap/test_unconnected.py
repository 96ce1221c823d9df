"""Behind a node with unconnected outputs, leapstream answers as MLeap's row transformer does; MLeap's frames do not."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.comparing import difference, frame_answers
from tests.fuzz.exceptions import shifted_columns
from tests.fuzz.recorded import Answer, Case, cases
from tests.mleap import versions
from tests.mleap.jvm import MLeap, require_runner

require_runner()


def agrees(case: Case, jvm: list[Answer]) -> bool:
    """True if all rows agree, but for known differences to this version of MLeap."""
    model = case.model()
    ours = frame_answers(model, case.frame, "vectorized")
    for row, (theirs, mine) in enumerate(zip(jvm, ours, strict=True)):
        assert mine is not None
        if difference(theirs, mine, frozenset()):
            values = dict(zip(case.frame.schema.names, case.frame.rows[row], strict=True))
            if not versions.reason_of_row(model, values, (theirs, mine)):
                return False
    return True


def test_row_transformer_has_the_answers_of_leapstream_where_frames_of_mleap_shift_columns(
    mleap: MLeap, tmp_path: Path
) -> None:
    bundle = tmp_path / "recorded.zip"
    compared = shifted = 0
    for case in cases():
        model = case.model()
        if not shifted_columns(model) or versions.reason(model, case.frame):
            continue
        bundle.write_bytes(case.bundle)
        assert agrees(case, mleap.ask(bundle, case.frame, by_row=True)), case.number
        compared += 1
        shifted += not agrees(case, mleap.ask(bundle, case.frame))
    assert compared > 40
    assert shifted > 15
