"""The time that a model takes for one record, and the part of each node."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.text import Text
from rich.tree import Tree as Diagram

from leapstream.errors import LeapstreamError, UnsupportedModelError
from leapstream.executors.rowwise import EXECUTOR as RECORDS
from leapstream.executors.rowwise.runtime import UnusualRecordError
from leapstream.model import Model
from leapstream.usual import usual_record

_SECONDS = 0.1
_CALLS = 300
_SHOWN = 5


@dataclass(frozen=True)
class NodeCost:
    """The microseconds that a node takes of one record."""

    node: str
    micros: float


@dataclass(frozen=True)
class RecordCost:
    """The time that a model takes for one record.

    Attributes:
        micros: microseconds of ``predict``; ``None`` if the record cannot be predicted.
        nodes: the parts of the nodes, the slowest one first. A node that is computed together with a later one has none.
        reason: the reason for which the record cannot be predicted, or takes as long as a batch.
    """

    micros: float | None
    nodes: tuple[NodeCost, ...] = ()
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The cost as JSON holds it."""
        return asdict(self)

    def diagram(self) -> Diagram:
        """The cost for people."""
        label = Text("one record", style="bold")
        if self.micros is not None:
            label.append(f"  {self.micros:.1f} µs", style="not bold default")
        diagram = Diagram(label)
        for cost in self.nodes[:_SHOWN]:
            diagram.add(Text(f"{cost.micros:8.1f} µs  {cost.node}"))
        if self.reason is not None:
            diagram.add(Text(self.reason))
        return diagram


def measure(model: Model, record: Mapping[str, Any] | None = None) -> RecordCost:
    """The cost of a record; of one that is made up if none is given."""
    given = usual_record(model) if record is None else dict(record)
    try:
        # The first record of a process that needs compiled kernels would wait for them.
        found, reason = _parts(model, given)
        if model.predict_record(given) is None:
            return RecordCost(None, reason="the model drops the record: --record gives another")
        micros = _micros(lambda: model.predict_record(given))
    except LeapstreamError as error:
        where = "a made-up record" if record is None else "the record"
        return RecordCost(None, reason=f"{where} fails ({error}): --record gives another")
    nodes = [NodeCost(name, seconds * 1e6) for name, seconds in found.items()]
    return RecordCost(micros, tuple(sorted(nodes, key=lambda cost: -cost.micros)), reason)


def _parts(model: Model, record: Mapping[str, Any]) -> tuple[dict[str, float], str | None]:
    """The seconds of each node, or the reason for which there are none."""
    try:
        plan = RECORDS.prepare(model.plan(outputs=model.schema.outputs.names))
        return plan.costs(record, importlib.util.find_spec("numba") is not None, _CALLS), None
    except UnsupportedModelError as error:
        return {}, f"records take as long as batches: {error}"
    except UnusualRecordError:
        return {}, "this record is computed as a batch of one row"


def _micros(predict: Any) -> float:
    """Microseconds of a prediction, after some that warm it up; the least of a few measurements."""
    found: list[float] = []
    end = time.perf_counter() + _SECONDS
    while time.perf_counter() < end or len(found) < 3:
        start = time.perf_counter()
        for _ in range(20):
            predict()
        found.append((time.perf_counter() - start) / 20 * 1e6)
    return min(found)
