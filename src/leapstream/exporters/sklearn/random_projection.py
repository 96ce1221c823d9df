"""Random projections (``sklearn.random_projection``)."""

from __future__ import annotations

from leapstream.exporters.dispatch import Transformer
from leapstream.exporters.graph import Features, is_sparse, with_sparsity
from leapstream.exporters.sklearn.decomposition import projected
from leapstream.exporters.step import Step


def random_projection(step: Step, features: Features) -> Features:
    """``x @ components.T``."""
    components = step.estimator.components_
    sparse = is_sparse(features) and hasattr(components, "toarray") and not step.estimator.dense_output
    matrix = components.toarray() if hasattr(components, "toarray") else components
    return with_sparsity(projected(step, features, matrix), sparse)


TRANSFORMERS: dict[str, Transformer] = {
    "GaussianRandomProjection": random_projection,
    "SparseRandomProjection": random_projection,
}
