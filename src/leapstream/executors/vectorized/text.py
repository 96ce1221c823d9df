"""Texts, tokens and maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType
from leapstream.executors.columns import WIDE, Bools, Column
from leapstream.executors.implementing import implements
from leapstream.executors.vectorized.run import Run
from leapstream.javalike.numbers import number_strings
from leapstream.javalike.text import Matcher, UncertainMatchError
from leapstream.javalike.text import letters as java_letters
from leapstream.javalike.text import lower as java_lower
from leapstream.plan import primitives as p
from leapstream.plan.primitives import Doubles

Ints = npt.NDArray[np.int64]
_MOST_BYTES = 2**31 - 1
_SEED = 42
# Python strings of so many texts exist at a time.
_TEXTS_AT_ONCE = 4096


# ---- strings and lists as arrays --------------------------------------------------------------------------------------


def _utf8(strings: pa.Array) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Where each string starts, with the end of the last, and all bytes."""
    _, offsets, data = strings.buffers()
    count = len(strings) + 1
    if offsets is None or count == 1:
        starts = np.zeros(count, dtype=np.int32)
    else:
        starts = np.frombuffer(offsets, np.int32, count, offset=4 * strings.offset)
    return starts, np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)


def _strings(offsets: npt.NDArray[np.int32], data: npt.NDArray[np.uint8]) -> pa.Array:
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))


def _starts(lists: pa.Array) -> Ints:
    """Where the elements of each list start among all, with the end of the last; a missing list has none."""
    lengths = np.asarray(pc.list_value_length(lists).fill_null(0), dtype=np.int64)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def _lists(starts: Ints, elements: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(starts, pa.int32()), elements)


def _filtered(lists: pa.Array, kept: Bools) -> Column:
    """The lists with only some of their elements."""
    before = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    return Column(_lists(before[_starts(lists)], lists.flatten().filter(pa.array(kept))))


def _owners(starts: Ints, elements: Bools) -> Bools:
    """Which lists have one of the marked elements."""
    marked = np.concatenate([np.zeros(1, np.int64), np.cumsum(elements)])
    return np.diff(marked[starts]) > 0


def _nulls(array: pa.Array) -> Bools:
    return np.asarray(array.is_null())


# ---- tokens -----------------------------------------------------------------------------------------------------------


def _lower_strings(strings: pa.Array) -> pa.Array:
    """Each string in lower case; Python sees only those that are not ASCII."""
    _, data = _utf8(strings)
    if len(data) == 0 or data.max() < 128:
        return pc.ascii_lower(strings)
    simple = pc.fill_null(pc.string_is_ascii(strings), True)
    others = pa.array([java_lower(text) for text in strings.filter(pc.invert(simple)).to_pylist()], pa.string())
    return pc.replace_with_mask(pc.ascii_lower(strings), pc.invert(simple), others)


@implements(p.LowerCase)
def _lower(run: Run, expr: p.LowerCase, x: Column) -> Column:
    return Column(_lower_strings(x.values))


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
    offsets, data = _utf8(x.values)
    given = (offsets, data, tokenizer.table, tokenizer.other, tokenizer.repeated, expr.gaps)
    starts = np.zeros(run.rows + 1, np.int64)
    count, size = textkernels.tokens(*given, False, starts, np.zeros(0, np.int32), np.zeros(0, np.uint8))
    token_offsets, out = np.zeros(count + 1, np.int32), np.empty(size, np.uint8)
    textkernels.tokens(*given, True, starts, token_offsets, out)
    return Column(_lists(starts, _strings(token_offsets, out)))


def _matched_tokens(run: Run, expr: p.Tokens, matcher: Matcher, texts: pa.Array) -> Column:
    find = matcher.gaps if expr.gaps else matcher.matches
    parts = []
    for start in range(0, run.rows, _TEXTS_AT_ONCE):
        found: list[list[str]] = []
        for row, text in enumerate(texts.slice(start, _TEXTS_AT_ONCE).to_pylist(), start):
            try:
                found.append([] if text is None else find(text))
            except UncertainMatchError as error:
                found.append([])
                run.fail_row(row, f"pattern {expr.pattern!r}: {error}")
        parts.append(pa.array(found, pa.list_(pa.string())))
    return Column(pa.concat_arrays(parts) if parts else pa.array([], pa.list_(pa.string())))


@implements(p.TokensOfLength)
def _long_tokens(run: Run, expr: p.TokensOfLength, x: Column) -> Column:
    from leapstream.executors.vectorized import textkernels

    tokens = x.values.flatten()
    if tokens.null_count:
        run.fail(_owners(_starts(x.values), _nulls(tokens)), "a token is missing")
    kept = np.zeros(len(tokens), dtype=bool)
    letters = java_letters() if expr.letters else np.zeros(0, dtype=bool)
    textkernels.long_tokens(*_utf8(tokens), letters, expr.letters, expr.min_length, kept)
    return _filtered(x.values, kept)


def _prepare_other_tokens(expr: p.WithoutWords) -> pa.Array:
    words = pa.array(expr.words, pa.string())
    return words if expr.case_sensitive else _lower_strings(words)


@implements(p.WithoutWords, prepare=_prepare_other_tokens)
def _other_tokens(run: Run, expr: p.WithoutWords, x: Column) -> Column:
    encoded = x.values.flatten().dictionary_encode()
    distinct = encoded.dictionary if expr.case_sensitive else _lower_strings(encoded.dictionary)
    # A missing token is kept.
    kept = np.append(~np.asarray(pc.is_in(distinct, value_set=run.prepared[id(expr)])), True)
    return _filtered(x.values, kept[np.asarray(encoded.indices.fill_null(len(distinct)))])


@implements(p.NGrams)
def _ngrams(run: Run, expr: p.NGrams, x: Column) -> Column:
    from leapstream.executors.vectorized import textkernels

    if expr.n < 1:
        run.fail(np.ones(run.rows, dtype=bool), f"n-grams of {expr.n} tokens")
        return x
    tokens = x.values.flatten().fill_null("null")
    given = (*_utf8(tokens), _starts(x.values), expr.n)
    starts = np.zeros(run.rows + 1, np.int64)
    count, size = textkernels.ngrams(*given, False, starts, np.zeros(0, np.int32), np.zeros(0, np.uint8))
    if size > _MOST_BYTES:
        run.fail(np.ones(run.rows, dtype=bool), "the n-grams of these rows are too long together; give fewer at a time")
        return x
    offsets, out = np.zeros(count + 1, np.int32), np.empty(size, np.uint8)
    textkernels.ngrams(*given, True, starts, offsets, out)
    return Column(_lists(starts, _strings(offsets, out)))


# ---- vectors of tokens ------------------------------------------------------------------------------------------------


def _vector_rows(
    run: Run, row_starts: Ints, columns: npt.NDArray[np.int32], values: Doubles, stored: int, size: int
) -> Column:
    """Vectors from the arrays that a kernel filled; dense where they are short."""
    rows = csr_array((values[:stored], columns[:stored], row_starts), (run.rows, size))
    column = Column(rows)
    return column if size >= WIDE else column.to_dense(run.tracks_stored)


def _counted(run: Run, index: Ints, starts: Ints, least: Doubles, binary: bool, size: int) -> Column:
    """How often each index occurs in a list."""
    from leapstream.executors.vectorized import textkernels

    row_starts = np.zeros(run.rows + 1, np.int64)
    columns, values = np.empty(len(index), np.int32), np.empty(len(index))
    stored = textkernels.counts(index, starts, least, binary, row_starts, columns, values)
    return _vector_rows(run, row_starts, columns, values, stored, size)


def _hashes(strings: pa.Array, size: int, legacy_tail: bool = False) -> Ints:
    """The hash of each string, or the seed for a missing one, modulo ``size``."""
    from leapstream.executors.vectorized import textkernels

    index = np.empty(len(strings), np.int64)
    textkernels.hashes(*_utf8(strings), size, legacy_tail, index)
    if strings.null_count:
        index[_nulls(strings)] = _SEED % size
    return index


@implements(p.HashedCounts, sparse=True)
def _hashed_counts(run: Run, expr: p.HashedCounts, x: Column) -> Column:
    index = _hashes(x.values.flatten(), expr.size, expr.legacy_tail)
    return _counted(run, index, _starts(x.values), np.zeros(run.rows), expr.binary, expr.size)


def _prepare_vocabulary(expr: p.VocabularyCounts) -> tuple[pa.Array, Ints]:
    positions = {word: i for i, word in enumerate(expr.vocabulary)}
    return pa.array(list(positions), pa.string()), np.array([*positions.values(), -1], dtype=np.int64)


def _found(tokens: pa.Array, words: pa.Array) -> Ints:
    """Position of each token among some words; behind the last where it is none of them."""
    return np.asarray(pc.index_in(tokens, value_set=words, skip_nulls=True).fill_null(len(words)), dtype=np.int64)


@implements(p.VocabularyCounts, prepare=_prepare_vocabulary, sparse=True)
def _vocabulary_counts(run: Run, expr: p.VocabularyCounts, x: Column) -> Column:
    words, positions = run.prepared[id(expr)]
    starts = _starts(x.values)
    index = positions[_found(x.values.flatten(), words)]
    beyond = index >= expr.size
    if beyond.any():
        run.fail(_owners(starts, beyond), "a word repeats in the vocabulary, which leaves no element for another")
        index = np.where(beyond, -1, index)
    count = np.diff(starts).astype(np.float64)
    least = np.full(run.rows, expr.min_count) if expr.min_count >= 1.0 else count * expr.min_count
    return _counted(run, index, starts, least, expr.binary, expr.size)


def _categories(x: Column, base: BasicType, name: str, size: int) -> Ints:
    """The hash of ``name=value``; each distinct value is written once."""
    if isinstance(x.values, pa.Array):
        encoded = x.values.dictionary_encode()
        distinct, position = encoded.dictionary, np.asarray(encoded.indices.fill_null(0))
    elif base is BasicType.BOOLEAN:
        distinct, position = pa.array(["false", "true"]), x.values.astype(np.intp)
    else:
        # -0.0 is not 0.0 in Java's words, nor is one NaN another to NumPy's view of bits.
        bits = x.values.view(f"i{x.values.dtype.itemsize}")
        values, position = np.unique(bits, return_inverse=True)
        distinct = pa.array(number_strings(values.view(x.values.dtype), base), pa.string())
    if len(distinct) == 0:
        return np.zeros(len(x), np.int64)
    index: Ints = _hashes(pc.binary_join_element_wise(f"{name}=", distinct, ""), size)[position]
    return index


@implements(p.HashedFeatures, sparse=True)
def _hashed_features(run: Run, expr: p.HashedFeatures, *xs: Column) -> Column:
    from leapstream.executors.vectorized import textkernels

    index = np.empty((run.rows, len(xs)), np.int64)
    numbers = np.ones((run.rows, len(xs)))
    for at, (x, operand, name, category) in enumerate(zip(xs, expr.xs, expr.names, expr.categories, strict=True)):
        if category:
            index[:, at] = _categories(x, operand.type.base, name, expr.size)
        else:
            index[:, at] = _hashes(pa.array([name]), expr.size)[0]
            numbers[:, at] = x.values
        present = x.present()
        if present is not None:
            index[~present, at] = -1
    row_starts = np.zeros(run.rows + 1, np.int64)
    columns, values = np.empty(index.size, np.int32), np.empty(index.size)
    stored = textkernels.sums(index, numbers, row_starts, columns, values)
    return _vector_rows(run, row_starts, columns, values, stored, expr.size)


def _prepare_word_vectors(expr: p.WordVectors) -> tuple[pa.Array, Doubles]:
    return pa.array(expr.words, pa.string()), np.ascontiguousarray(expr.vectors, dtype=np.float64)


@implements(p.WordVectors, prepare=_prepare_word_vectors)
def _word_vectors(run: Run, expr: p.WordVectors, x: Column) -> Column:
    from leapstream.executors.vectorized import textkernels

    words, vectors = run.prepared[id(expr)]
    starts = _starts(x.values)
    index = _found(x.values.flatten(), words)
    broken = np.append(~np.array(expr.complete, dtype=bool), False)[index]
    if broken.any():
        run.fail(_owners(starts, broken), "the vector of a word is incomplete")
    index[(index == len(words)) | broken] = -1
    total = np.zeros((run.rows, vectors.shape[1]))
    textkernels.sum_vectors(index, starts, vectors, total)
    count = np.diff(starts)[:, None]
    if expr.normalize:
        total /= np.where(count == 0, 1.0, np.sqrt((total * total).sum(axis=1, keepdims=True)))
    else:
        total *= 1.0 / np.maximum(count, 1)
    stored = np.broadcast_to(count > 0, total.shape) if run.tracks_stored else None
    return Column(total, stored=stored)


# ---- choices ----------------------------------------------------------------------------------------------------------


@implements(p.FirstMatch, prepare=lambda expr: [Matcher.of(pattern) for pattern in expr.patterns])
def _first_match(run: Run, expr: p.FirstMatch, x: Column) -> Column:
    encoded = x.values.dictionary_encode()
    matchers = run.prepared[id(expr)]
    values = np.zeros(len(encoded.dictionary) + 1, np.int32)
    reasons: dict[int, str] = {}

    def choose(place: int, text: str | None) -> None:
        value = expr.default
        try:
            if matchers and text is None:
                reasons[place] = "the value is missing"
                return
            for matcher, wanted in zip(matchers, expr.values, strict=True):
                if matcher.found(text):
                    value = wanted
                    break
        except UncertainMatchError as error:
            reasons[place] = str(error)
            return
        if value is None:
            reasons[place] = "no pattern matches" if text is None else f"no pattern matches {text!r}"
        else:
            values[place] = value

    for place, text in enumerate(encoded.dictionary.to_pylist()):
        choose(place, text)
    index = np.asarray(encoded.indices.fill_null(len(encoded.dictionary)))
    if encoded.indices.null_count:
        choose(len(encoded.dictionary), None)
    if reasons:
        run.fail(np.isin(index, list(reasons)), lambda row: reasons[index[row]])
    return Column(values[index])


@implements(p.ValueAt)
def _pick(run: Run, expr: p.ValueAt, x: Column) -> Column:
    return Column(expr.values[x.values.astype(np.intp)])


@implements(p.MapEntry)
def _map_entry(run: Run, expr: p.MapEntry, x: Column, key: Column) -> Column:
    offsets = np.asarray(x.values.offsets, dtype=np.int64)
    first, last = int(offsets[0]), int(offsets[-1])
    keys, items = x.values.keys.slice(first, last - first), x.values.items.slice(first, last - first)
    owner = np.repeat(np.arange(run.rows), np.diff(offsets))
    hits = np.flatnonzero(np.asarray(pc.equal(keys, key.values.take(pa.array(owner))).fill_null(False)))
    # Of a key that repeats the last counts.
    position = np.full(run.rows, -1)
    position[owner[hits]] = hits
    found = position >= 0
    taken = items.take(pa.array(position[found]))
    if expr.type.base is BasicType.STRING:
        chosen = pa.array([expr.default], pa.string()).take(pa.array(np.zeros(run.rows, np.intp)))
        return Column(pc.replace_with_mask(chosen, pa.array(found), taken))
    numbers = np.full(run.rows, expr.default, dtype=NUMPY_DTYPES[expr.type.base])
    if taken.null_count:
        missing = np.zeros(run.rows, dtype=bool)
        missing[found] = _nulls(taken)
        run.fail(missing, "the map's value is missing")
        taken = taken.fill_null(False if pa.types.is_boolean(taken.type) else 0)
    numbers[found] = np.asarray(taken)
    return Column(numbers)


@implements(p.Coalesce)
def _coalesce(run: Run, expr: p.Coalesce, *xs: Column) -> Column:
    values, present = np.zeros(run.rows), np.zeros(run.rows, dtype=bool)
    for x in xs:
        there = x.present()
        values = np.where(present, values, x.values)
        present = present | (True if there is None else there)
    return Column(values, None if present.all() else present)


@implements(p.ElementsAtLeast)
def _at_least(run: Run, expr: p.ElementsAtLeast, x: Column) -> Column:
    if x.values.ndim != 2:
        run.fail(np.ones(run.rows, dtype=bool), "a vector is expected")
        return Column(pa.array([[]] * run.rows, pa.list_(pa.float64())))
    high = x.values >= expr.threshold
    run.fail(high[:, expr.limit :].any(axis=1), f"an element beyond the {expr.limit} labels is at least the threshold")
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(high.sum(axis=1))])
    chosen = x.values[high] if expr.gives == "elements" else np.nonzero(high)[1]
    return Column(_lists(starts, pa.array(chosen, pa.float64())))
