"""Linear maps to fewer features (``sklearn.decomposition``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from leapstream.exporters.dispatch import Transformer
from leapstream.exporters.graph import Features, with_sparsity
from leapstream.exporters.kernels import kernel, kernel_op
from leapstream.exporters.step import Step


def pca(step: Step, features: Features) -> Features:
    """``(x - mean) @ components.T``, with ``whiten`` divided by the standard deviations."""
    estimator = step.estimator
    matrix = estimator.components_.T.astype(np.float64)
    if estimator.whiten:
        scale = np.sqrt(estimator.explained_variance_)
        matrix = matrix / np.maximum(scale, np.finfo(scale.dtype).eps)
    centered = step.graph.scale(features, "centered", shift=np.asarray(estimator.mean_, dtype=np.float64))
    return with_sparsity((step.graph.matrix((centered,), step.suffix, matrix),), False)


def truncated_svd(step: Step, features: Features) -> Features:
    """``x @ components.T``."""
    matrix = step.estimator.components_.T.astype(np.float64)
    return with_sparsity((step.graph.matrix(features, step.suffix, matrix),), False)


def projected(step: Step, features: Features, components: Any, mean: Any = None) -> Features:
    """``(x - mean) @ components.T``."""
    if mean is not None:
        features = (step.graph.scale(features, "centered", shift=np.asarray(mean, dtype=np.float64)),)
    matrix = np.asarray(components, dtype=np.float64).T
    return with_sparsity((step.graph.matrix(features, step.suffix, matrix),), False)


def factor_analysis(step: Step, features: Features) -> Features:
    """The expected factors, a linear map of the centered features."""
    estimator = step.estimator
    weighted = estimator.components_ / estimator.noise_variance_
    inverse = np.linalg.inv(np.eye(len(weighted)) + weighted @ estimator.components_.T)
    return projected(step, features, (weighted.T @ inverse).T, estimator.mean_)


def independent_components(step: Step, features: Features) -> Features:
    """``(x - mean) @ components.T``, without the mean if the data were not whitened."""
    estimator = step.estimator
    return projected(step, features, estimator.components_, estimator.mean_ if estimator.whiten else None)


def sparse_pca(step: Step, features: Features) -> Features:
    """The solution of a ridge regression on the components, a linear map of the centered features."""
    estimator = step.estimator
    components = np.asarray(estimator.components_, dtype=np.float64)
    gram = components @ components.T + estimator.ridge_alpha * np.eye(len(components))
    return projected(step, features, np.linalg.solve(gram, components), estimator.mean_)


def kernel_pca(step: Step, features: Features) -> Features:
    """The centered kernel with the training rows, times the eigenvectors over the roots of their eigenvalues."""
    estimator, graph = step.estimator, step.graph
    op = kernel_op(step, estimator.X_fit_, getattr(estimator, "gamma_", estimator.gamma))
    values = np.asarray(estimator.eigenvalues_, dtype=np.float64)
    roots = np.where(values == 0.0, 1.0, np.sqrt(np.abs(values)))
    scaled = np.where(values == 0.0, 0.0, np.asarray(estimator.eigenvectors_, dtype=np.float64) / roots)
    centerer, count = estimator._centerer, len(op.rows)
    offset = (float(centerer.K_fit_all_) - np.asarray(centerer.K_fit_rows_)) @ scaled
    # Each row's mean is subtracted from it.
    matrix = scaled - np.full((count, count), 1.0 / count) @ scaled
    return (graph.matrix((kernel(graph, features, op),), step.suffix, matrix, offset),)


TRANSFORMERS: dict[str, Transformer] = {
    "FactorAnalysis": factor_analysis,
    "FastICA": independent_components,
    "IncrementalPCA": pca,
    "KernelPCA": kernel_pca,
    "MiniBatchSparsePCA": sparse_pca,
    "PCA": pca,
    "SparsePCA": sparse_pca,
    "TruncatedSVD": truncated_svd,
}
