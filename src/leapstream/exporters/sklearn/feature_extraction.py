"""Texts and dicts as vectors (``sklearn.feature_extraction``)."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from leapstream.errors import UnsupportedExportError
from leapstream.exporters.categories import CategoryCodes, encode_categories
from leapstream.exporters.dispatch import Transformer
from leapstream.exporters.graph import Block, Features, with_sparsity
from leapstream.exporters.kernels import each
from leapstream.exporters.patterns import WORD as _WORD
from leapstream.exporters.patterns import PatternError, to_java
from leapstream.exporters.sklearn.preprocessing import norm_of, one_hot
from leapstream.exporters.step import Step
from leapstream.ops.feature import IDF, CountVectorizer, Imputer, NGram, OneHotEncoder, RegexTokenizer, StopWordsRemover
from leapstream.ops.own import AccentStripper, CharacterGrams, HashingVectorizer, LowerCase

_PATTERNS = {
    r"(?u)\b\w\w+\b": _WORD + "{2,}",
    r"\b\w\w+\b": _WORD + "{2,}",
    r"(?u)\b\w+\b": _WORD + "+",
    r"\b\w+\b": _WORD + "+",
    r"(?u)\w+": _WORD + "+",
    r"\w+": _WORD + "+",
    r"(?u)\b[a-zA-Z]+\b": rf"(?<!{_WORD})[a-zA-Z]+(?!{_WORD})",
    r"[a-zA-Z]+": "[a-zA-Z]+",
    r"[a-z]+": "[a-z]+",
}
"""Java's regular expression for each supported ``token_pattern`` of Python."""


def count_vectorizer(step: Step, features: Features) -> Features:
    """The number of occurrences of each word, or n-gram, of the vocabulary."""
    return with_sparsity((_counts(step, features),), True)


def _tokens(step: Step, features: Features) -> Block:
    """The words of a text, or with another analyzer than ``word`` all substrings."""
    estimator, graph = step.estimator, step.graph
    step.require(len(features) == 1 and features[0].text, "it takes one column of texts")
    step.require(features[0].fill is None, "a text that stands for missing ones is not supported here")
    for option in ("tokenizer", "preprocessor"):
        step.require(getattr(estimator, option) is None, f"{option} is a function, and a bundle holds no code")
    step.require(isinstance(estimator.analyzer, str), "analyzer is a function, and a bundle holds no code")
    text, lower = _stripped(step, features[0]), bool(estimator.lowercase) and not estimator.strip_accents
    if estimator.analyzer != "word":
        if lower:
            text = graph.apply(LowerCase(), text, "lower", None)
        least, greatest = map(int, estimator.ngram_range)
        return graph.apply(CharacterGrams(least, greatest, estimator.analyzer == "char_wb"), text, "grams", None)
    tokens = graph.apply(RegexTokenizer(_java_pattern(step), False, 1, lower), text, "tokens", None)
    stop_words = estimator.get_stop_words()
    if stop_words:
        remover = StopWordsRemover(tuple(sorted(stop_words)), True)
        tokens = graph.apply(remover, tokens, "words", None)
    return tokens


def _counts(step: Step, features: Features) -> Block:
    estimator, graph = step.estimator, step.graph
    tokens = _tokens(step, features)
    if estimator.analyzer != "word":
        return _of_characters(step, tokens)
    vocabulary = {str(word): int(index) for word, index in estimator.vocabulary_.items()}
    step.require(
        sorted(vocabulary.values()) == list(range(len(vocabulary))), "the vocabulary's numbers are not 0, 1, …"
    )
    least, greatest = estimator.ngram_range
    blocks, positions = [], []
    for n in range(least, greatest + 1):
        # A token may contain blanks; they tell the length of a sequence only where there are sequences.
        own = [word for word in vocabulary if greatest == 1 or word.count(" ") == n - 1]
        words = sorted(own, key=vocabulary.__getitem__)
        if not words:
            continue
        grams = tokens if n == 1 else graph.apply(NGram(n), tokens, f"{n}grams", None)
        op = CountVectorizer(tuple(words), bool(estimator.binary), 1.0)
        blocks.append(graph.apply(op, grams, step.suffix, len(words), dense=False))
        positions += [vocabulary[word] for word in words]
    step.require(len(positions) == len(vocabulary), "the vocabulary has words of other lengths than ngram_range")
    if positions == sorted(positions):
        return graph.vector(tuple(blocks))
    (result,) = graph.take((graph.vector(tuple(blocks)),), np.argsort(positions).tolist())
    return result


def _java_pattern(step: Step) -> str:
    """The estimator's ``token_pattern`` in Java's syntax."""
    pattern = step.estimator.token_pattern
    if pattern in _PATTERNS:
        return _PATTERNS[pattern]
    try:
        return to_java(pattern)
    except PatternError as error:
        step.reject(f"token_pattern {pattern!r} is not supported: {error}")


def _stripped(step: Step, text: Block) -> Block:
    """The text without accents, in lower case if the estimator says so, where it has ``strip_accents``."""
    estimator, graph = step.estimator, step.graph
    if not estimator.strip_accents:
        return text
    step.require(isinstance(estimator.strip_accents, str), "strip_accents is a function, and a bundle holds no code")
    if estimator.lowercase:
        text = graph.apply(LowerCase(), text, "lower", None)
    return graph.apply(AccentStripper(estimator.strip_accents == "ascii"), text, "stripped", None)


def _of_characters(step: Step, grams: Block) -> Block:
    """The number of occurrences of substrings."""
    estimator, graph = step.estimator, step.graph
    vocabulary = {str(word): int(index) for word, index in estimator.vocabulary_.items()}
    words = tuple(sorted(vocabulary, key=vocabulary.__getitem__))
    step.require(
        [vocabulary[word] for word in words] == list(range(len(words))), "the vocabulary's numbers are not 0, 1, …"
    )
    return graph.apply(CountVectorizer(words, bool(estimator.binary), 1.0), grams, step.suffix, len(words), dense=False)


def _weights(step: Step, counts: Block, transformer: Any) -> Block:
    """Counts times inverse document frequencies, divided by the norm of the row."""
    if transformer.sublinear_tf:
        # The logarithm of a number below 1 / e would be less than -1, and the op gives 0 there; counts are whole numbers.
        step.require(
            counts.sparse or step.estimator is not transformer, "sublinear_tf is set, of numbers that are no counts"
        )
        counts = each(step.graph, counts, "sublinear")
    if transformer.use_idf:
        idf = np.asarray(transformer.idf_, dtype=np.float64)
        counts = step.graph.apply(IDF(idf), counts, "idf", counts.size, dense=counts.dense)
    norms = {"l1": 1.0, "l2": 2.0}
    if transformer.norm is not None:
        counts = norm_of(step.graph, (counts,), norms[transformer.norm], step.suffix)
    return counts


def tfidf_transformer(step: Step, features: Features) -> Features:
    """Counts times inverse document frequencies, normalized."""
    return with_sparsity((_weights(step, step.graph.vector(features), step.estimator),), True)


def tfidf_vectorizer(step: Step, features: Features) -> Features:
    """Counts of words times inverse document frequencies, normalized."""
    return with_sparsity((_weights(step, _counts(step, features), step.estimator._tfidf),), True)


def hashing_vectorizer(step: Step, features: Features) -> Features:
    """The number of occurrences of each word's or n-gram's hash, normalized."""
    estimator, graph = step.estimator, step.graph
    tokens = _tokens(step, features)
    if estimator.analyzer == "word":
        least, greatest = map(int, estimator.ngram_range)
        step.require(least == greatest, "ngram_range has several lengths, which is supported of characters")
        tokens = tokens if least == 1 else graph.apply(NGram(least), tokens, f"{least}grams", None)
    size = int(estimator.n_features)
    op = HashingVectorizer(size, bool(estimator.alternate_sign), bool(estimator.binary))
    counts = graph.apply(op, tokens, "hashes", size, dense=False)
    if estimator.norm is not None:
        counts = norm_of(graph, (counts,), {"l1": 1.0, "l2": 2.0}[estimator.norm], step.suffix)
    return with_sparsity((counts,), True)


def dict_columns(vectorizer: Any) -> dict[str, list[str] | None]:
    """The keys that a ``DictVectorizer`` knows, with the values of those that hold texts and ``None`` for numbers.

    A feature of a text is called by its key, the separator and the text. The key is what comes before the first separator.

    Raises:
        UnsupportedExportError: a key holds both texts and numbers.
    """
    found: dict[str, list[str] | None] = {}
    for feature in map(str, vectorizer.feature_names_):
        key, separator, value = feature.partition(vectorizer.separator)
        known = found.setdefault(key, [] if separator else None)
        if (known is None) == bool(separator):
            raise UnsupportedExportError(f"DictVectorizer: {key!r} holds both texts and numbers")
        if known is not None:
            known.append(value)
    return found


def dict_vectorizer(step: Step, features: Features) -> Features:
    """Numbers as they are, and 1 for each known text; a missing or unknown one gives 0."""
    estimator, graph, columns = step.estimator, step.graph, dict_columns(step.estimator)
    step.require([block.column for block in features] == list(columns), "it is supported as the first step alone")
    texts = [(block, values) for block in features if (values := columns[block.column]) is not None]
    results = [graph.apply(Imputer(0.0), b, "imputed", None) for b in features if columns[b.column] is None]
    names = [block.column for block in features if columns[block.column] is None]
    if texts:
        tables = [CategoryCodes(values, range(len(values)), len(values)) for _, values in texts]
        codes = encode_categories(step, tuple(block for block, _ in texts), tables)
        widths = [len(values) for _, values in texts]
        results += one_hot(graph, OneHotEncoder(tuple(widths), "keep", True), codes, widths)
        names += [f"{block.column}{estimator.separator}{value}" for block, values in texts for value in values]
    positions = {name: position for position, name in enumerate(names)}
    taken = graph.take(tuple(results), [positions[name] for name in estimator.feature_names_])
    return with_sparsity(taken, bool(estimator.sparse))


def feature_hasher(step: Step, features: Features) -> NoReturn:
    """Reject the step, because it reads dicts or pairs."""
    step.reject(
        "it reads dicts, pairs or lists of texts of any keys, and a model reads columns; use DictVectorizer or HashingVectorizer"
    )


TRANSFORMERS: dict[str, Transformer] = {
    "CountVectorizer": count_vectorizer,
    "DictVectorizer": dict_vectorizer,
    "FeatureHasher": feature_hasher,
    "HashingVectorizer": hashing_vectorizer,
    "TfidfTransformer": tfidf_transformer,
    "TfidfVectorizer": tfidf_vectorizer,
}
