"""Strings and numbers as categories, and back."""

from __future__ import annotations

from leapstream.bundle.types import ListType, ScalarType, TensorType
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise import runtime
from leapstream.executors.rowwise.stored import require_stored_alone, stored_elements
from leapstream.executors.rowwise.writer import MOST_VARIABLES, ArraysOnlyError, Writer
from leapstream.plan import primitives as p


@implements(p.Lookup)
def _lookup(writer: Writer, expr: p.Lookup) -> None:
    index = writer.constant({label: float(i) for i, label in enumerate(expr.labels)})
    # A missing value is not among the labels.
    x = writer.present(expr.x) if expr.invalid == "skip" else writer.optional(expr.x)
    if expr.invalid == "keep":
        writer.define(expr, f"{index}.get({x}, {float(len(expr.labels))!r})")
    elif expr.invalid == "error":
        writer.define(expr, f"{index}[{x}]")
    else:
        writer.define(expr, f"{index}.get({x})")
        writer.line(f"if {writer.optional(expr)} is None: return None")


@implements(p.Label)
def _label(writer: Writer, expr: p.Label) -> None:
    if isinstance(expr.x.type, TensorType):
        raise ArraysOnlyError("Label of a tensor")
    x, labels = writer.present(expr.x), writer.constant(expr.labels)
    if isinstance(expr.x.type, ListType):
        writer.define(expr, f"[{labels}[int(x)] if x > -1.0 else unusual() for x in {x}]")
        return
    writer.define(expr, f"{labels}[int({x})] if {x} > -1.0 else unusual()")


@implements(p.OneHot)
def _one_hot(writer: Writer, expr: p.OneHot) -> None:
    at = writer.variable()
    writer.line(f"{at} = {_position(writer, expr)}")
    if expr.width <= MOST_VARIABLES:
        writer.define_elements(expr, [f"1.0 if {at} == {i} else 0.0" for i in range(expr.width)])
    else:
        result = writer.variable()
        writer.line(f"{result} = {{{at}: 1.0}} if {at} < {expr.width} else {{}}")
        writer.define_sparse(expr, result, expr.width)


@implements(p.CategoryWeight)
def _category_weight(writer: Writer, expr: p.CategoryWeight) -> None:
    writer.define(expr, f"{writer.numbers(expr.padded)}[{_position(writer, expr)}]")


def _position(writer: Writer, expr: p.OneHot | p.CategoryWeight) -> str:
    """The position of the 1 in a one-hot vector."""
    x = writer.present(expr.x)
    if isinstance(expr.x, p.Lookup):
        # An index of a label is a whole number; only what "keep" gives can be none of the categories.
        greatest = len(expr.x.labels) - (expr.x.invalid != "keep")
        if greatest < expr.categories:
            return f"int({x})"
        if expr.keep:
            return f"min(int({x}), {expr.categories})"
    return writer.call(runtime.category, x, str(expr.categories), str(expr.keep))


@implements(p.Bucketize)
def _bucketize(writer: Writer, expr: p.Bucketize) -> None:
    if not expr.rises:
        raise ArraysOnlyError("Bucketize with splits that do not rise")
    x = writer.present(expr.x)
    splits = writer.numbers(expr.splits)
    if expr.invalid == "skip":
        writer.line(f"if {x} != {x}: return None")
    nan = f"{float(len(expr.splits) - 1)!r} if {x} != {x} else " if expr.invalid == "keep" else ""
    writer.define(expr, f"{nan}{writer.call(runtime.bucket, x, splits)}")


@implements(p.Binarize)
def _binarize(writer: Writer, expr: p.Binarize) -> None:
    threshold = writer.constant(float(expr.threshold))
    if isinstance(expr.x.type, ScalarType):
        writer.define(expr, f"1.0 if {writer.present(expr.x)} > {threshold} else 0.0")
    elif (sparse := writer.sparse(expr.x)) is not None:
        if expr.needs_stored:
            require_stored_alone(expr.x)
        result = writer.variable()
        writer.line(f"{result} = {{i: 1.0 for i, x in {sparse[0]}.items() if x > {threshold}}}")
        writer.define_sparse(expr, result, sparse[1])
    else:
        stored = stored_elements(writer, expr.x) if expr.needs_stored else None
        if stored is None:
            writer.define_each(expr, expr.x, lambda x: f"1.0 if {x} > {threshold} else 0.0")
        elif isinstance(stored, list):
            pairs = zip(writer.elements(expr.x) or [], stored, strict=True)
            writer.define_elements(expr, [f"1.0 if {x} > {threshold} and {there} else 0.0" for x, there in pairs])
        else:
            each = f"zip({writer.listed(expr.x)}, {stored}, strict=True)"
            writer.define(expr, f"[1.0 if x > {threshold} and there else 0.0 for x, there in {each}]")
