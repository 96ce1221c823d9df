"""Texts and their tokens: Python strings, and lists of them."""

from __future__ import annotations

import re
from collections.abc import Callable

from leapstream.executors.characters import character_grams, strip_accents
from leapstream.executors.implementing import implements
from leapstream.executors.rowwise.writer import ArraysOnlyError, Writer
from leapstream.plan import primitives as p

# The functions of Java's texts are imported only for plans with texts: they need the library `regex`.


@implements(p.LowerCase)
def _lower(writer: Writer, expr: p.LowerCase) -> None:
    from leapstream.javalike.text import lower

    writer.define(expr, writer.call(lower, writer.present(expr.x)))


@implements(p.StripAccents)
def _strip_accents(writer: Writer, expr: p.StripAccents) -> None:
    writer.define(expr, writer.call(strip_accents, writer.present(expr.x), str(expr.ascii)))


@implements(p.CharacterGrams)
def _character_grams(writer: Writer, expr: p.CharacterGrams) -> None:
    options = str(expr.least), str(expr.greatest), str(expr.words)
    writer.define(expr, writer.call(character_grams, writer.present(expr.x), *options))


@implements(p.Tokens)
def _tokens(writer: Writer, expr: p.Tokens) -> None:
    writer.define(expr, f"{writer.constant(_tokenizer(expr))}({writer.present(expr.x)})")


def _tokenizer(expr: p.Tokens) -> Callable[[str], list[str]]:
    from leapstream.javalike.text import Matcher

    matcher = Matcher.of(expr.pattern)
    pattern = matcher.pattern
    table = None if pattern.chars is None else pattern.chars.ascii_table
    if table is None:
        return matcher.gaps if expr.gaps else matcher.matches
    # A set of characters needs no time limit, and means the same to Java and to Python.
    inside, others = table
    listed = "".join(re.escape(chr(code)) for code, there in enumerate(inside) if bool(there) != others)
    if not listed:
        return matcher.gaps if expr.gaps else matcher.matches
    compiled = re.compile(f"[{'^' if others else ''}{listed}]{'+' if pattern.repeated else ''}")
    return _splitter(compiled) if expr.gaps else compiled.findall


def _splitter(compiled: re.Pattern[str]) -> Callable[[str], list[str]]:
    """``Pattern.split`` by a pattern that matches no empty string."""

    def split(text: str) -> list[str]:
        parts = compiled.split(text)
        if len(parts) > 1:
            while parts and not parts[-1]:
                parts.pop()
        return parts

    return split


@implements(p.TokensOfLength)
def _tokens_of_length(writer: Writer, expr: p.TokensOfLength) -> None:
    function = tokens_of_letters if expr.letters else tokens_of_length
    writer.define(expr, writer.call(function, writer.present(expr.x), str(expr.min_length)))


def tokens_of_length(tokens: list[str], least: int) -> list[str]:
    """The tokens of at least so many UTF-16 units; raises an error where a token is missing."""
    return [t for t in tokens if (len(t) if t.isascii() else _units(t)) >= least]


def tokens_of_letters(tokens: list[str], least: int) -> list[str]:
    """The tokens of at least so many letters of the Basic Multilingual Plane, and of nothing else."""
    return [t for t in tokens if len(t) >= least and (not t or (t.isalpha() and max(t) <= "\uffff"))]


def _units(text: str) -> int:
    return len(text) + sum(c > "\uffff" for c in text)


@implements(p.WithoutWords)
def _without_words(writer: Writer, expr: p.WithoutWords) -> None:
    from leapstream.javalike.text import lower

    tokens = writer.present(expr.x)
    if expr.case_sensitive:
        writer.define(expr, f"[t for t in {tokens} if t not in {writer.constant(frozenset(expr.words))}]")
        return
    words = writer.constant(frozenset(map(lower, expr.words)))
    # A missing token is kept.
    writer.define(expr, f"[t for t in {tokens} if t is None or {writer.call(lower, 't')} not in {words}]")


@implements(p.NGrams)
def _ngrams(writer: Writer, expr: p.NGrams) -> None:
    if expr.n < 1:
        raise ArraysOnlyError("NGrams of no tokens")
    writer.define(expr, writer.call(ngrams, writer.present(expr.x), str(expr.n)))


def ngrams(tokens: list[str | None], n: int) -> list[str]:
    """Each ``n`` consecutive tokens, joined by blanks."""
    texts = ["null" if token is None else token for token in tokens]
    return [" ".join(texts[i : i + n]) for i in range(len(texts) - n + 1)]
