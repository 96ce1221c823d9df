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


@implements(p.LowerCase)
def _lower(emitter: Emitter, expr: p.LowerCase) -> None:
    emitter.define(expr, f"Tokens.lower({emitter.present(expr.x)})")


@implements(p.Tokens)
def _tokens(emitter: Emitter, expr: p.Tokens) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    pattern = emitter.resource("java.util.regex.Pattern", "Tokens.pattern(data)", text_bytes(expr.pattern))
    emitter.define(expr, f"Tokens.{'gaps' if expr.gaps else 'matches'}({x}, {pattern})")


@implements(p.TokensOfLength)
def _long_tokens(emitter: Emitter, expr: p.TokensOfLength) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"Tokens.atLeast({x}, {expr.min_length}L, {_flag(expr.letters)})")


@implements(p.WithoutWords)
def _other_tokens(emitter: Emitter, expr: p.WithoutWords) -> None:
    x = emitter.present(expr.x)
    flag = _flag(expr.case_sensitive)
    words = emitter.resource("java.util.HashSet", f"Tokens.words(data, {flag})", label_bytes(expr.words))
    emitter.define(expr, f"Tokens.without({x}, {words}, {flag})")


@implements(p.NGrams)
def _ngrams(emitter: Emitter, expr: p.NGrams) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"Tokens.ngrams({x}, {expr.n}L)")


@implements(p.HashedCounts)
def _hashed_counts(emitter: Emitter, expr: p.HashedCounts) -> None:
    x = emitter.present(expr.x)
    hashing = emitter.resource("Hashing", f"new Hashing({expr.size}, {_flag(expr.legacy_tail)})", b"")
    emitter.define(expr, f"{hashing}.counts({x}, {_flag(expr.binary)}, {emitter.buffer()})")


@implements(p.HashedFeatures)
def _hashed_features(emitter: Emitter, expr: p.HashedFeatures) -> None:
    hashing = emitter.resource("Hashing", f"new Hashing({expr.size}, data)", label_bytes(expr.names))
    emitter.line(f"{hashing}.clear();")
    for i, (x, category) in enumerate(zip(expr.xs, expr.categories, strict=True)):
        null, value = emitter.null(x), emitter.value(x)
        java = java_type(x.type)
        if category:
            text = f"{BOXES[java]}.toString({value})" if java in BOXES else value
            call = f"{hashing}.category({i}, {text});"
        else:
            call = f"{hashing}.number({i}, {value});"
        emitter.line(call if null is None else f"if (!({null})) {call}")
    emitter.define(expr, f"{hashing}.sums({emitter.buffer()})")


@implements(p.VocabularyCounts)
def _vocabulary_counts(emitter: Emitter, expr: p.VocabularyCounts) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    words = emitter.resource("Labels", "Data.readLabels(data)", label_bytes(expr.vocabulary))
    counts = emitter.resource("Counts", "new Counts()", b"")
    rest = f"{expr.size}, {double_literal(expr.min_count)}, {_flag(expr.binary)}, {emitter.buffer()}"
    emitter.define(expr, f"{counts}.words({x}, {words}, {rest})")


@implements(p.WordVectors)
def _word_vectors(emitter: Emitter, expr: p.WordVectors) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    complete = int_bytes(np.array(expr.complete, dtype=np.int32))
    data = label_bytes(expr.words) + double_bytes(expr.vectors) + complete
    vectors = emitter.resource("WordVectors", f"new WordVectors({expr.vectors.shape[1]}, data)", data)
    emitter.define(expr, f"{vectors}.sum({x}, {_flag(expr.normalize)}, {emitter.buffer()})")


@implements(p.FirstMatch)
def _first_match(emitter: Emitter, expr: p.FirstMatch) -> None:
    x = emitter.present(expr.x) if expr.patterns else emitter.value(expr.x)
    emitter.place(expr)
    patterns = emitter.resource("Patterns", "new Patterns(data)", label_bytes(expr.patterns))
    values = emitter.resource("int[]", "Data.readInts(data)", int_bytes(np.array(expr.values, dtype=np.int32)))
    place = emitter.variable("p", "int")
    emitter.line(f"{place} = {patterns}.first({x});")
    if expr.default is None:
        emitter.line(f'if ({place} < 0) throw new Refusal("no pattern matches \'" + {x} + "\'");')
        emitter.define(expr, f"{values}[{place}]")
    else:
        emitter.define(expr, f"{place} < 0 ? {expr.default} : {values}[{place}]")


@implements(p.ValueAt)
def _pick(emitter: Emitter, expr: p.ValueAt) -> None:
    emitter.define(expr, f"{emitter.doubles(expr.values)}[(int) {emitter.present(expr.x)}]")


def _default(emitter: Emitter, expr: p.MapEntry) -> str:
    """What stands for a key that the map does not have."""
    base, value = expr.type.base, expr.default
    if isinstance(value, str):
        return emitter.resource("String", "Data.readText(data)", text_bytes(value))
    if base is BasicType.BOOLEAN:
        return _flag(bool(value))
    if base in (BasicType.FLOAT, BasicType.DOUBLE):
        return f"({base}) {double_literal(value)}"
    return emitter.resource(str(base), f"({base}) data.readLong()", int(value).to_bytes(8, "big", signed=True))


@implements(p.MapEntry)
def _map_entry(emitter: Emitter, expr: p.MapEntry) -> None:
    x, key = emitter.present(expr.x), emitter.present(expr.key)
    emitter.place(expr)
    default = _default(emitter, expr)
    found = emitter.variable("x", "Object")
    emitter.line(f"{found} = {x}.get({key});")
    absent = f"{found} == null && !{x}.containsKey({key})"
    java = java_type(expr.type)
    if java not in BOXES:
        emitter.define(expr, f"{absent} ? {default} : ({java}) {found}")
        return
    here = emitter.variable("h", "boolean")
    emitter.line(f"{here} = !({absent});")
    emitter.line(f'if ({here} && {found} == null) throw new Refusal("the map\'s value is missing");')
    emitter.define(expr, f"{here} ? {unboxed(found, java)} : {default}")


@implements(p.Coalesce)
def _coalesce(emitter: Emitter, expr: p.Coalesce) -> None:
    missing = emitter.variable("n", "boolean")
    emitter.line(f"{missing} = true;")
    emitter.define(expr, "0.0", missing)
    for x in expr.xs:
        null = emitter.null(x)
        there = missing if null is None else f"{missing} && !({null})"
        emitter.line(f"if ({there}) {{ {emitter.value(expr)} = {emitter.value(x)}; {missing} = false; }}")


@implements(p.ElementsAtLeast)
def _at_least(emitter: Emitter, expr: p.ElementsAtLeast) -> None:
    x = emitter.vector(expr.x)
    emitter.place(expr)
    positions = _flag(expr.gives == "positions")
    rest = f"{double_literal(expr.threshold)}, {expr.limit}, {positions}, {emitter.buffer()}"
    emitter.define(expr, f"Tokens.elementsAtLeast({x}, {rest})")
