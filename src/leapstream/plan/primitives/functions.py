"""Functions of one number and of two."""

from __future__ import annotations

from dataclasses import dataclass

from leapstream.plan.functions import FunctionName as FunctionName
from leapstream.plan.functions import check_function
from leapstream.plan.graph import Expr


@dataclass(frozen=True, eq=False, kw_only=True)
class Unary(Expr):
    """``function`` of the double ``x``, or of each element of the vector ``x``.

    The functions are those of one parameter in :data:`leapstream.plan.functions.FUNCTIONS`.
    """

    x: Expr
    function: FunctionName

    def __post_init__(self) -> None:
        check_function(self.function, 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Binary(Expr):
    """``function`` of the doubles ``a`` and ``b``, or of each pair of elements of two vectors; a double goes with every element.

    Fails where vectors differ in size.

    The functions are those of two parameters in :data:`leapstream.plan.functions.FUNCTIONS`.
    """

    a: Expr
    b: Expr
    function: FunctionName

    def __post_init__(self) -> None:
        check_function(self.function, 2)
