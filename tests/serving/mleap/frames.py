"""Frames that MLeap's protocols answer."""

from __future__ import annotations

from leapstream import LeapFrame, Model
from leapstream.bundle.types import Schema
from leapstream.serving.mleap.transforming import mleap_types


def expected(model: Model, given: LeapFrame) -> LeapFrame:
    """The answer for a frame, as the model itself gives it."""
    found = model.transform(given)
    added = Schema(found.schema.fields[len(given.schema) :])
    return LeapFrame(Schema((*given.schema.fields, *mleap_types(added))), found.rows)
