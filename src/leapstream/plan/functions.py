"""The functions of numbers: one table, which says what each function is and from which every executor takes its spelling.

An executor spells the *simple* functions, each in one entry of a table of its own. A *composed* function has a formula over
other functions; :func:`evaluate` takes it apart, so that an executor needs no entry for it and every executor computes it in
the same order.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal, TypeAlias, TypeVar

FunctionName: TypeAlias = str
"""The name of a function in :data:`FUNCTIONS` or :data:`FLOAT_FUNCTIONS`."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class ScalarFunction:
    """A function of one number or of several.

    Attributes:
        name: its name.
        parameters: the names of its parameters.
        meaning: the result; Python's syntax for the formula of a composed function.
        kind: whether executors spell the function or compute its formula.
    """

    name: FunctionName
    parameters: tuple[str, ...]
    meaning: str
    kind: Literal["simple", "composed"] = "simple"


def _table(*functions: ScalarFunction) -> Mapping[FunctionName, ScalarFunction]:
    return MappingProxyType({function.name: function for function in functions})


def _simple(name: str, meaning: str, *parameters: str) -> ScalarFunction:
    return ScalarFunction(name, parameters, meaning)


def _composed(name: str, formula: str, *parameters: str) -> ScalarFunction:
    return ScalarFunction(name, parameters, formula, "composed")


FUNCTIONS = _table(
    _simple("negate", "-x", "x"),
    _simple("exp", "e to the power of x", "x"),
    _simple("log", "the natural logarithm of x", "x"),
    _simple("sqrt", "the square root of x", "x"),
    _simple("sin", "the sine of x", "x"),
    _simple("cos", "the cosine of x", "x"),
    _simple("tan", "the tangent of x", "x"),
    _simple("abs", "the magnitude of x", "x"),
    _simple("floor", "the greatest whole number that is at most x", "x"),
    _simple("ceil", "the least whole number that is at least x", "x"),
    _simple("round", "the nearest whole number, halves up, within 64 bits; 0 for NaN, as Java's Math.round", "x"),
    _simple("erf", "the error function of x", "x"),
    _simple("normal_quantile", "the x whose normal_cdf is p, by Wichura's algorithm AS 241; infinite at 0 and 1", "x"),
    _composed("one_minus", "1.0 - x", "x"),
    _composed("double", "2.0 * x", "x"),
    _composed("square", "x * x", "x"),
    _composed("reciprocal", "1.0 / x", "x"),
    _composed("logistic", "1.0 / (1.0 + exp(-x))", "x"),
    _composed("logit", "log(x / (1.0 - x))", "x"),
    _composed("tanh", "2.0 / (1.0 + exp(-2.0 * x)) - 1.0", "x"),
    _composed("sublinear", "max(0.0, 1.0 + log(x))", "x"),
    _composed("matern_once", "(1.0 + x) * exp(-x)", "x"),
    _composed("matern_twice", "(1.0 + x + x * x / 3.0) * exp(-x)", "x"),
    _composed("normal_cdf", "0.5 * (1.0 + erf(x / 1.4142135623730951))", "x"),
    _composed("complementary_log_log", "1.0 - exp(-exp(x))", "x"),
    _simple("add", "a + b", "a", "b"),
    _simple("sub", "a - b", "a", "b"),
    _simple("mul", "a * b", "a", "b"),
    _simple("div", "a / b", "a", "b"),
    _simple("rem", "the remainder of a / b, with the sign of a as in Java and C", "a", "b"),
    _simple("pow", "a to the power of b as in Java: NaN where b is NaN, or a is 1 or -1 and b infinite", "a", "b"),
    _simple("min", "the lesser; NaN where one is NaN; -0.0 is less than 0.0", "a", "b"),
    _simple("max", "the greater; NaN where one is NaN; -0.0 is less than 0.0", "a", "b"),
    _composed("log_n", "log(a) / log(b)", "a", "b"),
)
"""The functions of doubles."""

FLOAT_FUNCTIONS = _table(
    _simple("single", "the nearest number of single precision", "x"),
    _simple("exp", "e to the power of x", "x"),
    _simple("logistic", "1 / (1 + exp(min(-x, 88.7)))", "x"),
    _simple("step", "1 above 0, else 0", "x"),
    _simple(
        "round", "the nearest whole number, halves up, within 32 bits; 0 for NaN, as Java's Math.round of a float", "x"
    ),
)
"""The functions of numbers of single precision, computed in it; numbers are held as the doubles of the same value."""

_OPERATORS: Mapping[type[ast.AST], FunctionName] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.USub: "negate",
}


def simple_functions() -> frozenset[FunctionName]:
    """The names of the functions of doubles that an executor spells."""
    return frozenset(name for name, function in FUNCTIONS.items() if function.kind == "simple")


def check_function(name: FunctionName, arity: int, table: Mapping[FunctionName, ScalarFunction] = FUNCTIONS) -> None:
    """Check that a table has a function of so many parameters.

    Raises:
        ValueError: it has none.
    """
    known = [function.name for function in table.values() if len(function.parameters) == arity]
    if name not in known:
        raise ValueError(f"function {name!r} is none of {', '.join(known)}")


def evaluate(
    name: FunctionName,
    arguments: Sequence[Value],
    simple: Callable[[FunctionName, Sequence[Value]], Value],
    constant: Callable[[float], Value],
) -> Value:
    """Apply a function of doubles to arguments of any kind: numbers, arrays, source code.

    Args:
        name: the function, of :data:`FUNCTIONS`.
        arguments: one for each parameter.
        simple: applies a simple function to arguments.
        constant: makes an argument of a number.
    """
    function = FUNCTIONS[name]
    if function.kind == "simple":
        return simple(name, arguments)
    given = dict(zip(function.parameters, arguments, strict=True))

    def value(node: ast.expr) -> Value:
        match node:
            case ast.Name(id=parameter):
                return given[parameter]
            case ast.Constant(value=float(number)):
                return constant(number)
            case ast.UnaryOp(op=operator, operand=x):
                return simple(_OPERATORS[type(operator)], [value(x)])
            case ast.BinOp(left=a, op=operator, right=b):
                return simple(_OPERATORS[type(operator)], [value(a), value(b)])
            case ast.Call(func=ast.Name(id=called), args=parts):
                return evaluate(called, [value(part) for part in parts], simple, constant)
        raise AssertionError(f"the formula of {name} has {ast.unparse(node)}")

    return value(_parsed(function.meaning))


@cache
def _parsed(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def spelled(name: FunctionName, arguments: Sequence[str], spelling: Mapping[FunctionName, str]) -> str:
    """The source code of a function's value, in Python or in Java.

    Args:
        name: the function, of :data:`FUNCTIONS`.
        arguments: the source code of each argument.
        spelling: a template for each simple function, with ``{0}`` and ``{1}`` for the arguments.
    """
    return evaluate(name, arguments, lambda simple, given: spelling[simple].format(*given), repr)
