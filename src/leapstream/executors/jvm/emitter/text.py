"""Texts, tokens and maps."""

from __future__ import annotations

import numpy as np

from leapstream.bundle.types import BasicType
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    BOXES,
    double_bytes,
    double_literal,
    int_bytes,
    java_type,
    label_bytes,
    text_bytes,
    unboxed,
)
from leapstream.plan import primitives as p


def _flag(value: bool) -> str:
    return "true" if value else "false"


@implements(p.Lower)
def _lower(e: Emitter, expr: p.Lower) -> None:
    e.define(expr, f"Tokens.lower({e.present(expr.x)})")


@implements(p.Tokens)
def _tokens(e: Emitter, expr: p.Tokens) -> None:
    x = e.present(expr.x)
    e.place(expr)
    pattern = e.resource("java.util.regex.Pattern", "Tokens.pattern(data)", text_bytes(expr.pattern))
    e.define(expr, f"Tokens.{'gaps' if expr.gaps else 'matches'}({x}, {pattern})")


@implements(p.LongTokens)
def _long_tokens(e: Emitter, expr: p.LongTokens) -> None:
    x = e.present(expr.x)
    e.place(expr)
    e.define(expr, f"Tokens.atLeast({x}, {expr.min_length}L, {_flag(expr.letters)})")


@implements(p.OtherTokens)
def _other_tokens(e: Emitter, expr: p.OtherTokens) -> None:
    x = e.present(expr.x)
    flag = _flag(expr.case_sensitive)
    words = e.resource("java.util.HashSet", f"Tokens.words(data, {flag})", label_bytes(expr.words))
    e.define(expr, f"Tokens.without({x}, {words}, {flag})")


@implements(p.NGrams)
def _ngrams(e: Emitter, expr: p.NGrams) -> None:
    x = e.present(expr.x)
    e.place(expr)
    e.define(expr, f"Tokens.ngrams({x}, {expr.n}L)")


@implements(p.HashedCounts)
def _hashed_counts(e: Emitter, expr: p.HashedCounts) -> None:
    x = e.present(expr.x)
    hashing = e.resource("Hashing", f"new Hashing({expr.size}, {_flag(expr.legacy_tail)})", b"")
    e.define(expr, f"{hashing}.counts({x}, {_flag(expr.binary)}, {e.buffer()})")


@implements(p.HashedFeatures)
def _hashed_features(e: Emitter, expr: p.HashedFeatures) -> None:
    hashing = e.resource("Hashing", f"new Hashing({expr.size}, data)", label_bytes(expr.names))
    e.line(f"{hashing}.clear();")
    for i, (x, category) in enumerate(zip(expr.xs, expr.categories, strict=True)):
        null, value = e.null(x), e.value(x)
        java = java_type(x.type)
        if category:
            text = f"{BOXES[java]}.toString({value})" if java in BOXES else value
            call = f"{hashing}.category({i}, {text});"
        else:
            call = f"{hashing}.number({i}, {value});"
        e.line(call if null is None else f"if (!({null})) {call}")
    e.define(expr, f"{hashing}.sums({e.buffer()})")


@implements(p.VocabularyCounts)
def _vocabulary_counts(e: Emitter, expr: p.VocabularyCounts) -> None:
    x = e.present(expr.x)
    e.place(expr)
    words = e.resource("Labels", "Data.readLabels(data)", label_bytes(expr.vocabulary))
    counts = e.resource("Counts", "new Counts()", b"")
    rest = f"{expr.size}, {double_literal(expr.min_count)}, {_flag(expr.binary)}, {e.buffer()}"
    e.define(expr, f"{counts}.words({x}, {words}, {rest})")


@implements(p.WordVectors)
def _word_vectors(e: Emitter, expr: p.WordVectors) -> None:
    x = e.present(expr.x)
    e.place(expr)
    complete = int_bytes(np.array(expr.complete, dtype=np.int32))
    data = label_bytes(expr.words) + double_bytes(expr.vectors) + complete
    vectors = e.resource("WordVectors", f"new WordVectors({expr.vectors.shape[1]}, data)", data)
    e.define(expr, f"{vectors}.sum({x}, {_flag(expr.normalize)}, {e.buffer()})")


@implements(p.FirstMatch)
def _first_match(e: Emitter, expr: p.FirstMatch) -> None:
    x = e.present(expr.x) if expr.patterns else e.value(expr.x)
    e.place(expr)
    patterns = e.resource("Patterns", "new Patterns(data)", label_bytes(expr.patterns))
    values = e.resource("int[]", "Data.readInts(data)", int_bytes(np.array(expr.values, dtype=np.int32)))
    place = e.variable("p", "int")
    e.line(f"{place} = {patterns}.first({x});")
    if expr.default is None:
        e.line(f'if ({place} < 0) throw new Refusal("no pattern matches \'" + {x} + "\'");')
        e.define(expr, f"{values}[{place}]")
    else:
        e.define(expr, f"{place} < 0 ? {expr.default} : {values}[{place}]")


@implements(p.Pick)
def _pick(e: Emitter, expr: p.Pick) -> None:
    e.define(expr, f"{e.doubles(expr.values)}[(int) {e.present(expr.x)}]")


def _default(e: Emitter, expr: p.MapEntry) -> str:
    """What stands for a key that the map does not have."""
    base, value = expr.type.base, expr.default
    if isinstance(value, str):
        return e.resource("String", "Data.readText(data)", text_bytes(value))
    if base is BasicType.BOOLEAN:
        return _flag(bool(value))
    if base in (BasicType.FLOAT, BasicType.DOUBLE):
        return f"({base}) {double_literal(value)}"
    return e.resource(str(base), f"({base}) data.readLong()", int(value).to_bytes(8, "big", signed=True))


@implements(p.MapEntry)
def _map_entry(e: Emitter, expr: p.MapEntry) -> None:
    x, key = e.present(expr.x), e.present(expr.key)
    e.place(expr)
    default = _default(e, expr)
    found = e.variable("x", "Object")
    e.line(f"{found} = {x}.get({key});")
    absent = f"{found} == null && !{x}.containsKey({key})"
    java = java_type(expr.type)
    if java not in BOXES:
        e.define(expr, f"{absent} ? {default} : ({java}) {found}")
        return
    here = e.variable("h", "boolean")
    e.line(f"{here} = !({absent});")
    e.line(f'if ({here} && {found} == null) throw new Refusal("the map\'s value is missing");')
    e.define(expr, f"{here} ? {unboxed(found, java)} : {default}")


@implements(p.Coalesce)
def _coalesce(e: Emitter, expr: p.Coalesce) -> None:
    missing = e.variable("n", "boolean")
    e.line(f"{missing} = true;")
    e.define(expr, "0.0", missing)
    for x in expr.xs:
        null = e.null(x)
        there = missing if null is None else f"{missing} && !({null})"
        e.line(f"if ({there}) {{ {e.value(expr)} = {e.value(x)}; {missing} = false; }}")


@implements(p.AtLeast)
def _at_least(e: Emitter, expr: p.AtLeast) -> None:
    x = e.vector(expr.x)
    e.place(expr)
    positions = _flag(expr.gives == "positions")
    rest = f"{double_literal(expr.threshold)}, {expr.limit}, {positions}, {e.buffer()}"
    e.define(expr, f"Tokens.elementsAtLeast({x}, {rest})")
