"""Texts and their tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from leapstream.executors import failures
from leapstream.executors.characters import character_grams, strip_accents
from leapstream.executors.columns import Bools, Column
from leapstream.executors.implementing import implements
from leapstream.executors.texts import text_array, text_lists, texts_of
from leapstream.executors.vectorized.lists import filtered, list_array, list_starts, nulls, owners, string_array, utf8
from leapstream.executors.vectorized.run import Run
from leapstream.javalike.text import Matcher, UncertainMatchError
from leapstream.javalike.text import letters as java_letters
from leapstream.javalike.text import lower as java_lower
from leapstream.plan import primitives as p

_MOST_BYTES = 2**31 - 1


# Python strings of so many texts exist at a time.
_TEXTS_AT_ONCE = 4096


def _lower_strings(strings: pa.Array) -> pa.Array:
    """Each string in lower case; Python sees only those that are not ASCII."""
    import pyarrow.compute as pc

    _, data = utf8(strings)
    if len(data) == 0 or data.max() < 128:
        return pc.ascii_lower(strings)
    simple = pc.fill_null(pc.string_is_ascii(strings), True)
    others = text_array([java_lower(text) for text in texts_of(strings.filter(pc.invert(simple)))])
    return pc.replace_with_mask(pc.ascii_lower(strings), pc.invert(simple), others)


@implements(p.LowerCase)
def _lower(run: Run, expr: p.LowerCase, x: Column) -> Column:
    return Column(_lower_strings(x.values))


@implements(p.StripAccents)
def _strip_accents(run: Run, expr: p.StripAccents, x: Column) -> Column:
    texts = (None if text is None else strip_accents(text, expr.ascii) for text in texts_of(x.values))
    return Column(text_array(list(texts)))


@implements(p.CharacterGrams)
def _character_grams(run: Run, expr: p.CharacterGrams, x: Column) -> Column:
    parts = []
    for start in range(0, run.rows, _TEXTS_AT_ONCE):
        texts = texts_of(x.values.slice(start, _TEXTS_AT_ONCE))
        found = [[] if t is None else character_grams(t, expr.least, expr.greatest, expr.words) for t in texts]
        parts.append(text_lists(found))
    return Column(pa.concat_arrays(parts) if parts else pa.array([], pa.list_(pa.string())))


@dataclass(frozen=True)
class _Tokenizer:
    """A pattern that finds tokens: a matcher, and the set of characters that does it faster if there is one."""

    matcher: Matcher
    table: Bools | None
    other: bool
    repeated: bool


def _prepare_tokens(expr: p.Tokens) -> _Tokenizer:
    matcher = Matcher.of(expr.pattern)
    pattern = matcher.pattern
    simple = None if pattern.chars is None else pattern.chars.ascii_table
    if simple is None:
        return _Tokenizer(matcher, None, False, False)
    return _Tokenizer(matcher, np.array(simple[0]), simple[1], pattern.repeated)


@implements(p.Tokens, prepare=_prepare_tokens)
def _tokens(run: Run, expr: p.Tokens, x: Column) -> Column:
    from leapstream.executors.vectorized import textkernels

    tokenizer: _Tokenizer = run.prepared[id(expr)]
    if tokenizer.table is None:
        return _matched_tokens(run, expr, tokenizer.matcher, x.values)
    offsets, data = utf8(x.values)
    given = (offsets, data, tokenizer.table, tokenizer.other, tokenizer.repeated, expr.gaps)
    starts = np.zeros(run.rows + 1, np.int64)
    count, size = textkernels.tokens(*given, False, starts, np.zeros(0, np.int32), np.zeros(0, np.uint8))
    token_offsets, out = np.zeros(count + 1, np.int32), np.empty(size, np.uint8)
    textkernels.tokens(*given, True, starts, token_offsets, out)
    return Column(list_array(starts, string_array(token_offsets, out)))


def _matched_tokens(run: Run, expr: p.Tokens, matcher: Matcher, texts: pa.Array) -> Column:
    find = matcher.gaps if expr.gaps else matcher.matches
    parts = []
    for start in range(0, run.rows, _TEXTS_AT_ONCE):
        found: list[list[str]] = []
        for row, text in enumerate(texts_of(texts.slice(start, _TEXTS_AT_ONCE)), start):
            try:
                found.append([] if text is None else find(text))
            except UncertainMatchError as error:
                found.append([])
                run.fail_row(row, failures.uncertain_match(expr.pattern, str(error)))
            except TimeoutError:
                found.append([])
                run.fail_row(row, failures.too_slow(expr.pattern))
        parts.append(text_lists(found))
    return Column(pa.concat_arrays(parts) if parts else pa.array([], pa.list_(pa.string())))


@implements(p.TokensOfLength)
def _long_tokens(run: Run, expr: p.TokensOfLength, x: Column) -> Column:
    from leapstream.executors.vectorized import textkernels

    tokens = x.values.flatten()
    if tokens.null_count:
        run.fail(owners(list_starts(x.values), nulls(tokens)), failures.missing_token())
    kept = np.zeros(len(tokens), dtype=bool)
    letters = java_letters() if expr.letters else np.zeros(0, dtype=bool)
    textkernels.long_tokens(*utf8(tokens), letters, expr.letters, expr.min_length, kept)
    return filtered(x.values, kept)


def _prepare_other_tokens(expr: p.WithoutWords) -> pa.Array:
    words = text_array(expr.words)
    return words if expr.case_sensitive else _lower_strings(words)


@implements(p.WithoutWords, prepare=_prepare_other_tokens)
def _other_tokens(run: Run, expr: p.WithoutWords, x: Column) -> Column:
    import pyarrow.compute as pc

    encoded = x.values.flatten().dictionary_encode()
    distinct = encoded.dictionary if expr.case_sensitive else _lower_strings(encoded.dictionary)
    # A missing token is kept.
    kept = np.append(~np.asarray(pc.is_in(distinct, value_set=run.prepared[id(expr)])), True)
    return filtered(x.values, kept[np.asarray(encoded.indices.fill_null(len(distinct)))])


@implements(p.NGrams)
def _ngrams(run: Run, expr: p.NGrams, x: Column) -> Column:
    from leapstream.executors.vectorized import textkernels

    if expr.n < 1:
        run.fail(np.ones(run.rows, dtype=bool), failures.no_ngrams(expr.n))
        return x
    tokens = x.values.flatten().fill_null("null")
    given = (*utf8(tokens), list_starts(x.values), expr.n)
    starts = np.zeros(run.rows + 1, np.int64)
    count, size = textkernels.ngrams(*given, False, starts, np.zeros(0, np.int32), np.zeros(0, np.uint8))
    if size > _MOST_BYTES:
        run.fail(np.ones(run.rows, dtype=bool), failures.too_many_ngrams())
        return x
    offsets, out = np.zeros(count + 1, np.int32), np.empty(size, np.uint8)
    textkernels.ngrams(*given, True, starts, offsets, out)
    return Column(list_array(starts, string_array(offsets, out)))
