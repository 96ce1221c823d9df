"""The rows of the conformance corpus as records of JSON's types."""

from __future__ import annotations

import math
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
    """True if two values are the same as JSON, but for the last digits of numbers: a row and a batch may differ in them."""
    if hasattr(expected, "tolist"):
        expected = expected.tolist()
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and found.keys() == expected.keys()
            and all(same_json(found[name], value) for name, value in expected.items())
        )
    if isinstance(expected, (list, tuple)):
        return isinstance(found, list) and len(found) == len(expected) and all(map(same_json, found, expected))
    if isinstance(expected, float) and isinstance(found, (int, float)):
        return math.isclose(found, expected, rel_tol=1e-12) or (math.isnan(found) and math.isnan(expected))
    return bool(found == expected)
