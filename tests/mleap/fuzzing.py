"""Compares the answers of MLeap's JVM and of leapstream to drawn models and rows."""

from __future__ import annotations

import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

import leapstream
from leapstream.errors import BundleError
from tests.fuzz.comparing import difference, frame_answers
from tests.fuzz.exceptions import shifted_columns
from tests.mleap import versions
from tests.mleap.drawing import Drawn, drawn
from tests.mleap.jvm import LoadError, MLeap

_CANNOT_TELL = "a match may lie within a pair of surrogates"
"""The reason for which leapstream fails, and Java does not: its regular expressions see halves of a pair."""


class Comparison:
    """The comparisons of a run.

    Attributes:
        cases, rows: numbers of what was compared; what MLeap does not load is not.
        ops: how often each op was in a case.
        unloaded: how often MLeap did not load an op, alone or behind others.
        skipped: how often a case, or a row, has a known difference, by the reason.
        differing: the last case that differs otherwise.
    """

    def __init__(self, mleap: MLeap) -> None:
        self._mleap = mleap
        self._folder = tempfile.TemporaryDirectory()
        # MLeap answers in its process while leapstream answers here.
        self._thread = ThreadPoolExecutor(1)
        self.cases = self.rows = 0
        self.ops: Counter[str] = Counter()
        self.unloaded: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.differing: Drawn | None = None

    def close(self) -> None:
        """Remove what was written."""
        self._thread.shutdown()
        self._folder.cleanup()

    def compare(self, case: Drawn) -> None:
        """Raise ``AssertionError`` if an answer differs."""
        known = versions.reason(case.model, case.frame)
        if known:
            self.skipped[known] += 1
            return
        path = Path(self._folder.name) / "drawn.zip"
        try:
            # JSON has neither NaN nor infinity.
            leapstream.save(case.model, path, format="protobuf")
        except BundleError:
            return
        names = [node.op.op for node in case.model.nodes]
        asked = self._thread.submit(self._mleap.ask, path, case.frame)
        wanted = frame_answers(case.model, case.frame, "vectorized")
        try:
            answers = asked.result()
        except LoadError as error:
            self.unloaded[f"{', '.join(names)}: {str(error)[:100]}"] += 1
            return
        self.cases += 1
        self.rows += len(answers)
        self.ops.update(names)
        shifted = shifted_columns(case.model)
        for row, (jvm, ours) in enumerate(zip(answers, wanted, strict=True)):
            # What the executor does not support has no answer.
            if ours is None or _CANNOT_TELL in ours.reason:
                continue
            kind = difference(jvm, ours, shifted)
            if kind:
                values = dict(zip(case.frame.schema.names, case.frame.rows[row], strict=True))
                known = versions.reason_of_row(case.model, values, (jvm, ours))
                if known:
                    self.skipped[known] += 1
                    continue
                self.differing = case
            assert not kind, f"{', '.join(names)}: row {row}: {kind}; {jvm.reason or ours.reason}"

    def run(self, number: int, most: int) -> None:
        """Draw and compare cases with a seed; raises the shrunk case of a difference."""

        @seed(number)
        @settings(
            max_examples=most,
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=drawn())
        def agree(case: Drawn) -> None:
            self.compare(case)

        agree()
