"""The conformance corpus: cases recorded from the JVM MLeap (tests/golden/README.md says what is in one)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from leapstream import LeapFrame, Model, PredictionError, SchemaError, Tensor, load
from leapstream.ops import REGISTRY

GOLDEN = Path(__file__).parent / "golden"

EXACT = {
    "pipeline",
    *("string_indexer", "reverse_string_indexer", "string_map", "regex_indexer", "map_entry_selector", "tokenizer"),
    *("regex_tokenizer", "ngram", "stopwords_remover", "word_filter", "binarizer", "sklearn_binarizer", "bucketizer"),
    *(
        "one_hot_encoder",
        "vector_indexer",
        "vector_slicer",
        "vector_assembler",
        "chi_sq_selector",
        "coalesce",
        "imputer",
    ),
    *("hashing_term_frequency", "count_vectorizer", "feature_hasher", "min_hash_lsh", "bucketed_random_projection_lsh"),
    *("multinomial_labeler", "decision_tree_regression", "k_means", "bisecting_k_means"),
}
RELATIVE = {
    **dict.fromkeys(("multi_layer_perceptron_classifier", "gaussian_mixture"), 1e-8),
    **dict.fromkeys(("generalized_linear_regression", "aft_survival_regression"), 1e-8),
    "als": 1e-6,
    **dict.fromkeys(("xgboost.classifier", "xgboost.regressor"), 1e-6),
}
"""Relative tolerance by op, where it is not 1e-9 (tests/golden/README.md)."""
ABSOLUTE = {"lda_local_model_op": 1e-3}
"""Absolute tolerance by op, where it is not 1e-12."""


@dataclass(frozen=True)
class Case:
    """One recorded case."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(GOLDEN))

    @cached_property
    def info(self) -> dict[str, Any]:
        return json.loads((self.path / "case.json").read_text())

    @cached_property
    def bundle(self) -> Path:
        archive = self.path / "bundle.zip"
        return archive if archive.exists() else self.path / "bundle"

    def model(self) -> Model:
        return load(self.bundle)

    def input(self) -> LeapFrame:
        return LeapFrame.read(self.path / "input.json")

    @property
    def known(self) -> bool:
        """Whether leapstream has all of its ops."""
        return set(self.info["ops"]) <= {*REGISTRY, "pipeline"}

    @property
    def error_rows(self) -> list[int]:
        return [e["row"] for e in self.info.get("error_rows", [])]

    def tolerance(self) -> tuple[float, float]:
        """Relative and absolute tolerance of the case's numbers."""
        ops = set(self.info["ops"])
        if ops <= EXACT:
            return 0.0, 0.0
        return max(RELATIVE.get(op, 1e-9) for op in ops), max(ABSOLUTE.get(op, 1e-12) for op in ops)


def cases() -> list[Case]:
    """All cases, by name."""
    return sorted((Case(p.parent) for p in GOLDEN.rglob("case.json")), key=lambda case: case.name)


def check(case: Case, transform: Callable[[LeapFrame], LeapFrame]) -> None:
    """Compare what ``transform`` makes of a case's input with what MLeap made of it.

    Rows that MLeap raises for have to raise one by one, with their row; all others have to agree at once.
    """
    given = case.input()
    errors = set(case.error_rows)
    for row in sorted(errors):
        try:
            transform(LeapFrame(given.schema, [given.rows[row]]))
        except (PredictionError, SchemaError):
            continue
        raise AssertionError(f"row {row} has to raise")
    fine = [i for i in range(len(given.rows)) if i not in errors]
    if not fine and errors:
        return
    result = transform(LeapFrame(given.schema, [given.rows[i] for i in fine]))
    dropped, unwritable = (
        set(case.info.get("dropped_rows", [])),
        {u["row"] for u in case.info.get("unwritable_rows", [])},
    )
    kept = [i for i in fine if i not in dropped]
    assert len(result.rows) == len(kept), f"{len(result.rows)} rows, and {len(kept)} are expected"
    expected = LeapFrame.read(case.path / "expected.json")
    recorded = [i for i in kept if i not in unwritable]
    assert len(expected.rows) == len(recorded)
    special = {
        (n["row"], n["column"], n["index"]): float(n["value"].replace("Infinity", "inf"))
        for n in case.info.get("nonfinite", [])
    }
    rtol, atol = case.tolerance()
    unstable = set(case.info.get("unstable_outputs", []))
    for column in case.info["outputs"]:
        if column in unstable:
            continue
        ours = dict(zip(kept, result.column(column), strict=True))
        for row, theirs in zip(recorded, expected.column(column), strict=True):
            compare(
                ours[row],
                theirs,
                rtol,
                atol,
                lambda index, r=row, c=column: special.get((r, c, index)),
                f"row {row}, {column}",
            )


def compare(
    ours: Any, theirs: Any, rtol: float, atol: float, special: Callable[[int | None], float | None], at: str
) -> None:
    """Assert that a value agrees with the recorded one."""
    if isinstance(ours, Tensor):
        assert isinstance(theirs, Tensor), at
        ours, theirs = ours.to_dense().reshape(-1).tolist(), theirs.to_dense().reshape(-1).tolist()
    if isinstance(ours, (list, np.ndarray)):
        assert len(ours) == len(theirs), f"{at}: sizes {len(ours)} and {len(theirs)}"
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            compare(a, b, rtol, atol, lambda _, i=i: special(i), f"{at}[{i}]")
        return
    if isinstance(ours, float):
        recorded = special(None)
        theirs = recorded if recorded is not None else theirs
        assert theirs is not None, f"{at}: {ours!r}, and missing is expected"
        if math.isnan(theirs) or math.isnan(ours):
            assert math.isnan(theirs) and math.isnan(ours), f"{at}: {ours!r} != {theirs!r}"
            return
        assert ours == theirs or abs(ours - theirs) <= max(atol, rtol * abs(theirs)), f"{at}: {ours!r} != {theirs!r}"
        return
    assert ours == theirs, f"{at}: {ours!r} != {theirs!r}"
