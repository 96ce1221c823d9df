"""Arithmetic, and vectors made of vectors."""

from __future__ import annotations

from leapstream.jvm.emitter.base import Emit
from leapstream.plan.primitives import Expr

PRIMITIVES: dict[type[Expr], Emit] = {}
