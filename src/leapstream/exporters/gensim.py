"""Converts gensim's vectors of words to MLeap's op."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from leapstream.errors import SchemaError, UnsupportedExportError
from leapstream.exporters.graph import Graph
from leapstream.exporters.portable import accept
from leapstream.exporters.proof import SINGLE, Answers, Check, prove
from leapstream.model import Model
from leapstream.ops.feature import WordToVector

Kernel = Literal["default", "sqrt"]


def from_gensim(
    model: Any,
    sample: Sequence[Sequence[str]] | None = None,
    *,
    kernel: Kernel = "sqrt",
    column: str = "words",
    name: str | None = None,
    check: Check = True,
    portable: bool = False,
) -> Model:
    """Convert gensim's vectors of words to a model that gives a vector for the words of a text.

    The input is a list of strings, the output ``vector`` a vector of doubles; for a list without words it is zeros. MLeap's own
    exporter for gensim writes the kernel ``sqrt``.

    Args:
        model: a ``Word2Vec``, or the ``KeyedVectors`` of any model.
        sample: some lists of words, to compare the model with gensim.
        kernel: ``sqrt`` divides the sum of the known words' vectors by its 2-norm, as gensim's ``get_mean_vector`` does with
            ``pre_normalize=False`` and ``post_normalize=True``; if no word is known, the result is NaN. ``default`` divides it by
            the number of words, unknown ones included; so does ``get_mean_vector`` if it knows all of them.
        column: the name of the input.
        name: the model's name.
        check: compares the model with gensim over the first 1000 lists of the sample: ``True`` on the executors that run in this
            process, the names of executors on those, ``False`` not at all.
        portable: fails if a version of MLeap from 0.20.0 on cannot run the model in its own runtime; otherwise that is a warning.

    Raises:
        UnsupportedExportError: the model computes vectors of unknown words, as FastText does, or of documents.
        SchemaError: the model has no vectors of words.
        ExportError: the model gives other results than gensim for a list of the sample.
    """
    vectors = getattr(model, "wv", model)
    kind = type(model).__name__
    if not (hasattr(vectors, "index_to_key") and hasattr(vectors, "get_mean_vector")):
        raise SchemaError(f"expected gensim's Word2Vec or KeyedVectors, got {kind}")
    if hasattr(vectors, "vectors_ngrams"):
        raise UnsupportedExportError(f"gensim's {kind}: it makes vectors of unknown words, which MLeap's op cannot do")
    if hasattr(model, "dv"):
        raise UnsupportedExportError(f"gensim's {kind}: it infers vectors of documents; hand over its wv, of words")
    words = tuple(map(str, vectors.index_to_key))
    if not words:
        raise SchemaError(f"gensim's {kind} has no words: it is not trained")
    numbers = np.asarray(vectors.vectors, dtype=np.float64)[: len(words)]
    graph = Graph([column])
    op = WordToVector(words, tuple(numbers.ravel().tolist()), tuple(range(len(words))), kernel)
    made = graph.model(name or "word2vec", [graph.add(op, [column], {"output": "vector"})["output"]])
    rows = None if sample is None else {column: _lists(sample)}
    compared = partial(_answers, vectors, kernel, column)
    return prove(accept(made, portable), rows, "gensim", compared, check=check, tolerance=SINGLE)


def _lists(sample: Sequence[Sequence[str]]) -> npt.NDArray[np.object_]:
    lists = np.empty(len(sample), dtype=object)
    lists[:] = [list(words) for words in sample]
    return lists


def _answers(vectors: Any, kernel: Kernel, column: str, rows: dict[str, Any]) -> Answers:
    """The mean vectors of gensim, which keeps them in single precision and counts known words alone."""
    found = []
    for words in rows[column]:
        known = [word for word in words if word in vectors]
        if known:
            mean = vectors.get_mean_vector(known, pre_normalize=False, post_normalize=kernel == "sqrt")
            found.append(mean if kernel == "sqrt" else mean * (len(known) / len(words)))
        else:
            # gensim has no mean of nothing.
            found.append(np.full(vectors.vector_size, np.nan if words and kernel == "sqrt" else 0.0))
    return {"vector": np.array(found)}
