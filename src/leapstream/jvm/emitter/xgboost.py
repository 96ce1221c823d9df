"""XGBoost's trees, in single precision."""

from __future__ import annotations

from leapstream.jvm.emitter.base import Emit
from leapstream.plan.primitives import Expr

PRIMITIVES: dict[type[Expr], Emit] = {}
