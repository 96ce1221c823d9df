"""gensim's vectors of words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import leapstream
from leapstream import from_gensim
from leapstream.errors import ExportError, SchemaError, UnsupportedExportError
from leapstream.exporters.gensim import Kernel

models = pytest.importorskip("gensim.models", reason="gensim is not installed")

pytestmark = pytest.mark.slow

TEXTS = [["a", "blue", "house"], ["a", "red", "house"], ["the", "blue", "car"]] * 5
TRAINING: dict[str, Any] = {"vector_size": 4, "min_count": 1, "seed": 1, "workers": 1}


@pytest.fixture(scope="module")
def word2vec() -> Any:
    return models.Word2Vec(TEXTS, **TRAINING)


@pytest.mark.parametrize(("kernel", "normalized"), [("sqrt", True), ("default", False)])
def test_words_have_the_mean_vector_of_gensim(word2vec: Any, kernel: Kernel, normalized: bool, tmp_path: Path) -> None:
    leapstream.save(from_gensim(word2vec, TEXTS, kernel=kernel), tmp_path / "m.zip")
    found = leapstream.load(tmp_path / "m.zip").predict({"words": TEXTS})["vector"]
    wanted = [word2vec.wv.get_mean_vector(t, pre_normalize=False, post_normalize=normalized) for t in TEXTS]
    np.testing.assert_allclose(np.stack(list(found)), wanted, rtol=1e-5)


def test_an_unknown_word_adds_nothing_and_counts_in_the_mean_alone(word2vec: Any) -> None:
    known, given = word2vec.wv["blue"].astype(float), {"words": ["blue", "boat"]}
    sample = [["blue", "boat"], ["boat"], []]
    assert from_gensim(word2vec, sample).predict(given)["vector"] == pytest.approx(known / np.linalg.norm(known))
    assert from_gensim(word2vec.wv, sample, kernel="default").predict(given)["vector"] == pytest.approx(known / 2)


def test_the_input_has_the_name_that_is_asked_for(word2vec: Any) -> None:
    assert from_gensim(word2vec, TEXTS, column="tokens").schema.inputs.names == ("tokens",)


def test_a_model_that_differs_from_gensim_is_not_exported(word2vec: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word2vec.wv, "get_mean_vector", lambda *_, **__: np.zeros(4))
    with pytest.raises(ExportError, match=r"node 'word_to_vector_1' \(word_to_vector\).*gensim"):
        from_gensim(word2vec, TEXTS)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("FastText", "it makes vectors of unknown words"), ("Doc2Vec", "it infers vectors of documents")],
)
def test_vectors_that_the_op_cannot_compute_are_not_exported(kind: str, reason: str) -> None:
    tagged = [models.doc2vec.TaggedDocument(words, [n]) for n, words in enumerate(TEXTS)]
    model = getattr(models, kind)(tagged if kind == "Doc2Vec" else TEXTS, **TRAINING)
    with pytest.raises(UnsupportedExportError, match=f"gensim's {kind}: {reason}"):
        from_gensim(model)


def test_what_has_no_vectors_of_words_is_not_exported() -> None:
    with pytest.raises(SchemaError, match="expected gensim's Word2Vec or KeyedVectors, got dict"):
        from_gensim({})
    with pytest.raises(SchemaError, match="has no words"):
        from_gensim(models.Word2Vec(**TRAINING))
