"""The difference from a recorded number that a contract allows, by op."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

EXACT = frozenset(
    {
        "pipeline",
        *("string_indexer", "reverse_string_indexer", "string_map", "regex_indexer", "map_entry_selector", "tokenizer"),
        *("regex_tokenizer", "ngram", "stopwords_remover", "word_filter", "binarizer", "sklearn_binarizer"),
        *("bucketizer", "one_hot_encoder", "vector_indexer", "vector_slicer", "vector_assembler", "chi_sq_selector"),
        *("coalesce", "imputer", "hashing_term_frequency", "count_vectorizer", "feature_hasher", "min_hash_lsh"),
        *("bucketed_random_projection_lsh", "multinomial_labeler", "decision_tree_regression"),
        *("k_means", "bisecting_k_means"),
    }
)
"""Ops whose answers have to be equal to the last bit."""

RELATIVE = {
    **dict.fromkeys(("multi_layer_perceptron_classifier", "gaussian_mixture"), 1e-8),
    **dict.fromkeys(("generalized_linear_regression", "aft_survival_regression"), 1e-8),
    **dict.fromkeys(("als", "xgboost.classifier"), 1e-6),
}
"""Relative tolerance by op, where it is not 1e-9: powers, pseudo-inverses, single precision."""

ABSOLUTE = {"lda_local_model_op": 1e-3}
"""Absolute tolerance by op, where it is not 1e-12."""


@dataclass(frozen=True)
class Tolerance:
    """The allowed difference from a recorded number: ``|ours - theirs| <= max(absolute, relative * |theirs|)``."""

    relative: float = 1e-9
    absolute: float = 1e-12

    @classmethod
    def of(cls, ops: Sequence[str]) -> Tolerance:
        """The tolerance for the answers of a bundle with some ops."""
        if EXACT.issuperset(ops):
            return cls(0.0, 0.0)
        return cls(
            max((RELATIVE.get(op, 1e-9) for op in ops), default=1e-9),
            max((ABSOLUTE.get(op, 1e-12) for op in ops), default=1e-12),
        )
