"""Models of the ops over texts, tokens and maps, and rows for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from leapstream import LeapFrame, Tensor
from leapstream.bundle.types import BasicType, DataShape, DataType, ListType, MapType, ScalarType, Schema
from leapstream.ops.base import Op
from leapstream.ops.feature import (
    IDF,
    Coalesce,
    CountVectorizer,
    FeatureHasher,
    HashingTermFrequency,
    MapEntrySelector,
    MultinomialLabeler,
    NGram,
    RegexIndexer,
    RegexTokenizer,
    StopWordsRemover,
    StringMap,
    Tokenizer,
    WordLengthFilter,
    WordToVector,
)
from tests.ops.numbers import NUMBERS, model_of, vectors

STRING = BasicType.STRING
WIDE = 1 << 18
WORDS = ("a", "the", "été", "Straße", "σ", "日本語", "😀")
SCALARS = [b for b in BasicType if b is not BasicType.BYTE_STRING]


def hasher(size: int, nullable: bool, categorical: tuple[str, ...] = ()) -> FeatureHasher:
    """A hasher of one column of every type."""
    shapes = tuple(DataShape("scalar", nullable) for _ in SCALARS)
    return FeatureHasher(size, categorical, shapes, tuple(SCALARS), tuple(f"{b}-ü" for b in SCALARS))


DEFAULTS: dict[BasicType, Any] = {
    BasicType.BOOLEAN: True,
    BasicType.BYTE: -3,
    BasicType.SHORT: 300,
    BasicType.INT: -70_000,
    BasicType.LONG: -(2**63),
    BasicType.FLOAT: 0.1,
    BasicType.DOUBLE: 0.1,
    BasicType.STRING: 'défaut "😀"\n',
}

OPS: list[Op] = [
    Tokenizer(),
    RegexTokenizer(r"\W+", True, 1, True),
    RegexTokenizer(r"\w", False, 0, False),
    RegexTokenizer(r"(?i)a|é", True, 2, False),
    RegexTokenizer(r"\p{L}++", False, 1, True),
    StopWordsRemover(WORDS, False),
    StopWordsRemover(WORDS, True),
    StopWordsRemover((), False),
    WordLengthFilter(1),
    WordLengthFilter(-1),
    NGram(1),
    NGram(2),
    NGram(0),
    HashingTermFrequency(7),
    HashingTermFrequency(100, True, 1),
    HashingTermFrequency(WIDE, False, 2),
    CountVectorizer(WORDS, False, 1.0),
    CountVectorizer(WORDS, True, 0.25),
    CountVectorizer(("a", "the", "a"), False, 2.0),
    CountVectorizer((), False, 0.0),
    IDF(np.array([0.5, 0.0, 2.0])),
    IDF(np.array([0.5, -1.5, np.inf, np.nan]), (1, 2, 3, 4), 9),
    WordToVector(WORDS, tuple(i / 4 for i in range(3 * len(WORDS)))),
    WordToVector(WORDS, tuple(i / 4 for i in range(2 * len(WORDS))), tuple(range(len(WORDS)))[::-1], "default"),
    WordToVector(("a", "the", "a"), (1.0, 2.0, 3.0, 4.0, 5.0), (0, 2, 1), "sqrt"),
    WordToVector(("a",), ()),
    RegexIndexer((r"^a", r"(?i)é", r"\d{2,3}$"), (3, -1, 7)),
    RegexIndexer((r"^a", r"\bthe\b"), (3, 1), 0),
    RegexIndexer((), (), 5),
    StringMap(WORDS, tuple(i / 4 for i in range(len(WORDS))), "error", 0.0),
    StringMap(("a", "the", "a"), (1.0, 2.0, 3.0), "keep", -1.0),
    StringMap(("a", "the"), (1.0,), "keep"),
    *(MapEntrySelector(STRING, base, default) for base, default in DEFAULTS.items()),
    Coalesce((True, True, True)),
    Coalesce((True, False)),
    Coalesce(()),
    MultinomialLabeler(0.5, ("un", "deux", "trois")),
    MultinomialLabeler(-1.0, ("un", "deux")),
    hasher(64, False),
    hasher(64, True, ("double-ü", "int-ü")),
    hasher(WIDE, True),
]


def run(op: Op, *rows: Any, backend: Any = "vectorized") -> list[Any]:
    """The op's outputs for each row, the only one by itself; ``None`` where it fails."""
    frame = LeapFrame(Schema.of(list(op.inputs().items())), [tuple(row) for row in rows])
    found = model_of(op).transform(frame, backend=backend, on_error="null")
    columns = [list(found.column(output)) for output in op.outputs()]
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


# Whitespace, case, accents, punctuation, and characters beyond the Basic Multilingual Plane.
characters = st.sampled_from([*"aAbthe éÉß12 \t\n.,-_'ΣσςİKſ日本", "\x85", "\u2028", "\u0301", "😀", "𝔘"])
texts = st.text(characters, max_size=12) | st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
words = st.sampled_from(WORDS) | st.text(characters, max_size=5)

SCALAR_VALUES: dict[BasicType, st.SearchStrategy[Any]] = {
    BasicType.BOOLEAN: st.booleans(),
    BasicType.BYTE: st.integers(-128, 127),
    BasicType.SHORT: st.integers(-(2**15), 2**15 - 1),
    BasicType.INT: st.integers(-(2**31), 2**31 - 1),
    BasicType.LONG: st.integers(-(2**63), 2**63 - 1),
    BasicType.FLOAT: st.floats(width=32),
    BasicType.DOUBLE: NUMBERS,
    BasicType.STRING: texts,
}


def values_of(data_type: DataType) -> st.SearchStrategy[Any]:
    """Values for a port of one of :data:`OPS`."""
    if isinstance(data_type, ScalarType):
        values = SCALAR_VALUES[data_type.base]
    elif isinstance(data_type, ListType):
        values = st.lists(words, max_size=8)
    elif isinstance(data_type, MapType):
        values = st.dictionaries(st.sampled_from(["a", "b", "é", ""]), SCALAR_VALUES[data_type.base], max_size=3)
    else:
        values = vectors(3)
    return st.none() | values if data_type.nullable else values


def rows_of(op: Op, most: int = 12) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Rows for an op."""
    if isinstance(op, MapEntrySelector):
        key = st.sampled_from(["a", "é", "zz"])
        return st.lists(st.tuples(values_of(op.inputs()["input"]), key), min_size=1, max_size=most)
    return st.lists(st.tuples(*map(values_of, op.inputs().values())), min_size=1, max_size=most)


def plain(value: Any) -> Any:
    """A value that compares by itself, NaN aside."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value.to_dense().tolist() if isinstance(value, Tensor) else value
