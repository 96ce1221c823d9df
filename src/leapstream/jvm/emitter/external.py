"""Models that another library runs: none in the JVM."""

from __future__ import annotations

from leapstream.errors import BackendError
from leapstream.jvm.emitter.base import Emit, Emitter
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Expr


def _tensorflow(e: Emitter, expr: p.TensorFlow) -> None:
    raise BackendError("the jvm backend does not run TensorFlow graphs, the python backend does")


PRIMITIVES: dict[type[Expr], Emit] = {
    p.TensorFlow: _tensorflow,
}
