"""The conformance corpus: cases recorded from the JVM MLeap (tests/golden/README.md says what is in one)."""

from __future__ import annotations

from pathlib import Path

from leapstream import LeapFrame, Model, load
from leapstream.contract import Contract
from leapstream.ops import REGISTRY

GOLDEN = Path(__file__).parent / "golden"


class Case(Contract):
    """One recorded case."""

    @property
    def name(self) -> str:
        return str(self.path.relative_to(GOLDEN))

    def model(self) -> Model:
        return load(self.bundle)

    def input(self) -> LeapFrame:
        return self.frame("input")

    @property
    def known(self) -> bool:
        """True if leapstream has all ops of the case."""
        return set(self.info["ops"]) <= {*REGISTRY, "pipeline"}

    @property
    def error_rows(self) -> list[int]:
        return [e["row"] for e in self.info.get("error_rows", [])]


def cases() -> list[Case]:
    """All cases, by name."""
    return sorted((Case(p.parent) for p in GOLDEN.rglob("case.json")), key=lambda case: case.name)
