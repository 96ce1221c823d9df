"""Texts and their tokens."""

from __future__ import annotations

from leapstream.executors.characters import combining_ranges
from leapstream.executors.implementing import implements
from leapstream.executors.jvm.emitter.base import Emitter
from leapstream.executors.jvm.emitter.code import (
    boolean_literal,
    label_bytes,
    text_bytes,
)
from leapstream.plan import primitives as p


@implements(p.LowerCase)
def _lower(emitter: Emitter, expr: p.LowerCase) -> None:
    emitter.define(expr, f"Text.lower({emitter.present(expr.x)})")


@implements(p.StripAccents)
def _strip_accents(emitter: Emitter, expr: p.StripAccents) -> None:
    x = emitter.present(expr.x)
    if expr.ascii:
        emitter.define(expr, f"Characters.ascii({x})")
    else:
        emitter.define(expr, f"Characters.withoutAccents({x}, {emitter.ints(combining_ranges())})")


@implements(p.CharacterGrams)
def _character_grams(emitter: Emitter, expr: p.CharacterGrams) -> None:
    options = f"{expr.least}, {expr.greatest}, {boolean_literal(expr.words)}"
    emitter.define(expr, f"Characters.grams({emitter.present(expr.x)}, {options})")


@implements(p.Tokens)
def _tokens(emitter: Emitter, expr: p.Tokens) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    pattern = emitter.resource("java.util.regex.Pattern", "Text.pattern(data)", text_bytes(expr.pattern))
    emitter.define(expr, f"Text.{'gaps' if expr.gaps else 'matches'}({x}, {pattern})")


@implements(p.TokensOfLength)
def _long_tokens(emitter: Emitter, expr: p.TokensOfLength) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"Text.atLeast({x}, {expr.min_length}L, {boolean_literal(expr.letters)})")


@implements(p.WithoutWords)
def _other_tokens(emitter: Emitter, expr: p.WithoutWords) -> None:
    x = emitter.present(expr.x)
    flag = boolean_literal(expr.case_sensitive)
    words = emitter.resource("java.util.HashSet", f"Text.words(data, {flag})", label_bytes(expr.words))
    emitter.define(expr, f"Text.without({x}, {words}, {flag})")


@implements(p.NGrams)
def _ngrams(emitter: Emitter, expr: p.NGrams) -> None:
    x = emitter.present(expr.x)
    emitter.place(expr)
    emitter.define(expr, f"Text.ngrams({x}, {expr.n}L)")
