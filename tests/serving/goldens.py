"""The rows of the conformance corpus as records of JSON's types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from leapstream import LeapFrame, LeapstreamError, Model
from leapstream.bundle.tensor import Tensor
from tests.golden_corpus import Case, cases


def golden_models() -> Iterator[tuple[Case, Model, list[dict[str, Any]]]]:
    """The cases whose bundles load, with their rows."""
    for case in cases():
        try:
            model = case.model()
        except LeapstreamError:
            continue
        yield case, model, records(case.input())


def records(frame: LeapFrame) -> list[dict[str, Any]]:
    """The rows of a frame; tensors as lists."""
    return [{name: _plain(value) for name, value in zip(frame.schema.names, row, strict=True)} for row in frame.rows]


def _plain(value: Any) -> Any:
    return value.to_dense().tolist() if isinstance(value, Tensor) else value


def same_json(found: Any, expected: Any) -> bool:
    """True if two values are the same as JSON; NaN is NaN, and NumPy's values are those of Python."""
    return _sorted(json.loads(json.dumps(expected, default=_listed))) == _sorted(found)


def _listed(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value.tolist()


def _sorted(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
