"""More fitted estimators with rows to predict, as in :mod:`tests.exporters.estimators`, and by the same names."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import (
    AffinityPropagation,
    Birch,
    BisectingKMeans,
    FeatureAgglomeration,
    KMeans,
    MeanShift,
)
from sklearn.compose import TransformedTargetRegressor
from sklearn.covariance import EllipticEnvelope
from sklearn.cross_decomposition import CCA, PLSSVD, PLSCanonical, PLSRegression
from sklearn.decomposition import FactorAnalysis, FastICA, KernelPCA, MiniBatchSparsePCA, SparsePCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
    VotingRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, DotProduct, Matern, RationalQuadratic, WhiteKernel
from sklearn.impute import KNNImputer
from sklearn.isotonic import IsotonicRegression
from sklearn.kernel_approximation import AdditiveChi2Sampler, Nystroem, RBFSampler, SkewedChi2Sampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    MultiTaskElasticNet,
    MultiTaskLasso,
    RANSACRegressor,
    Ridge,
    SGDOneClassSVM,
)
from sklearn.mixture import BayesianGaussianMixture
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsOneClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import CategoricalNB, GaussianNB
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    KNeighborsTransformer,
    LocalOutlierFactor,
    NearestCentroid,
    NeighborhoodComponentsAnalysis,
    RadiusNeighborsClassifier,
    RadiusNeighborsRegressor,
    RadiusNeighborsTransformer,
)
from sklearn.neural_network import BernoulliRBM, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    KernelCenterer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.random_projection import GaussianRandomProjection, SparseRandomProjection
from sklearn.semi_supervised import LabelPropagation, LabelSpreading, SelfTrainingClassifier
from sklearn.svm import SVC, SVR, LinearSVC, NuSVC, NuSVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.exporters.estimators import (
    ROWS,
    TEXTS,
    UNSEEN_TEXTS,
    Case,
    amount,
    fitted,
    frame,
    holes,
    numbers,
    odd,
    over,
    positive,
    three,
    two,
)


def codes() -> npt.NDArray[np.int64]:
    """Three features of four categories each."""
    return np.random.default_rng(5).integers(0, 4, (160, 3))


def both() -> npt.NDArray[np.float64]:
    """Two targets of regressions."""
    return np.column_stack([amount(), numbers()[:, 0] - amount()])


def pairs() -> npt.NDArray[np.int64]:
    """Two targets of classifications, one of two and one of three classes."""
    return np.column_stack([two(), odd()])


def bits() -> npt.NDArray[np.int64]:
    """Two targets of two classes each."""
    return np.column_stack([two(), (numbers()[:, 0] > 0).astype(int)])


def asked() -> npt.NDArray[np.float64]:
    """Rows of the training data, and others."""
    return np.vstack([numbers()[:5], numbers()[:ROWS] + 0.1])


def some() -> npt.NDArray[np.int64]:
    """Two classes, of which most are not known."""
    return np.where(np.arange(160) % 3 == 0, two(), -1)


def steps() -> npt.NDArray[np.float64]:
    """Numbers of which many repeat."""
    return numbers().round()


def first() -> npt.NDArray[np.float64]:
    """The first feature only."""
    return numbers()[:, :1]


def outside() -> npt.NDArray[np.float64]:
    """Numbers within and beyond those of :func:`first`."""
    return np.array([[-9.0], [-0.5], [0.0], [0.3], [9.0]])


def kernel() -> npt.NDArray[np.float64]:
    """A matrix of inner products."""
    return numbers() @ numbers().T


TRANSFORMERS: dict[str, Case] = {
    "LinearDiscriminantAnalysis as a step": over(
        make_pipeline(LinearDiscriminantAnalysis(), LogisticRegression()), three
    ),
    "LinearDiscriminantAnalysis eigen as a step": over(
        make_pipeline(LinearDiscriminantAnalysis(solver="eigen"), LogisticRegression()), three
    ),
    "RandomTreesEmbedding": over(RandomTreesEmbedding(5, max_depth=3, random_state=0)),
    "PowerTransformer": over(PowerTransformer()),
    "PowerTransformer of NaN": fitted(PowerTransformer(), lambda: holes(numbers())),
    "PowerTransformer Box-Cox": fitted(PowerTransformer("box-cox", standardize=False), lambda: np.exp(numbers())),
    "QuantileTransformer": fitted(
        QuantileTransformer(n_quantiles=20),
        numbers,
        None,
        lambda: np.vstack([numbers()[:ROWS], [[-99.0] * 4, [99.0] * 4]]),
    ),
    "QuantileTransformer normal": fitted(
        QuantileTransformer(n_quantiles=20, output_distribution="normal"),
        numbers,
        None,
        lambda: np.vstack([numbers()[:ROWS], [[-99.0] * 4, [99.0] * 4]]),
    ),
    "QuantileTransformer normal of repeated numbers": fitted(
        QuantileTransformer(n_quantiles=50, output_distribution="normal"),
        lambda: holes(steps()) * [1.0, 1.0, 1.0, 0.0],
    ),
    "QuantileTransformer of repeated numbers": fitted(QuantileTransformer(n_quantiles=50), lambda: holes(steps())),
    "TargetEncoder": fitted(
        TargetEncoder(random_state=0),
        lambda: frame()[["city", "rooms", "heating"]],
        amount,
        lambda: frame()[["city", "rooms", "heating"]][:ROWS].replace({"city": {"Rome": "Paris"}, "rooms": {5: 77}}),
    ),
    "TargetEncoder of classes": fitted(TargetEncoder(random_state=0), lambda: frame()[["city", "rooms"]], three),
    **{
        f"SplineTransformer {extrapolation}": fitted(
            SplineTransformer(4, extrapolation=extrapolation, include_bias=extrapolation != "linear"),
            numbers,
            None,
            numbers if extrapolation == "error" else lambda: np.vstack([numbers()[:ROWS], numbers()[:5] * 9]),
        )
        for extrapolation in ("constant", "linear", "continue", "periodic", "error")
    },
    "SplineTransformer of degree 1": fitted(
        SplineTransformer(3, degree=1, knots="quantile", extrapolation="linear"), first, None, outside
    ),
    "SplineTransformer of degree 0": over(SplineTransformer(3, degree=0)),
    "KNNImputer": fitted(KNNImputer(n_neighbors=3), lambda: holes(numbers())),
    "KNNImputer by distance": fitted(
        KNNImputer(n_neighbors=2, weights="distance", add_indicator=True), lambda: holes(numbers())
    ),
    **{
        name: fitted(vectorizer, TEXTS, None, UNSEEN_TEXTS)
        for name, vectorizer in {
            "CountVectorizer characters": CountVectorizer(analyzer="char", ngram_range=(1, 3)),
            "CountVectorizer characters of words": CountVectorizer(
                analyzer="char_wb", ngram_range=(2, 6), lowercase=False, binary=True
            ),
            "CountVectorizer ascii": CountVectorizer(strip_accents="ascii"),
            "CountVectorizer unicode": CountVectorizer(strip_accents="unicode", lowercase=False, ngram_range=(1, 2)),
            "CountVectorizer characters unicode": CountVectorizer(analyzer="char", strip_accents="unicode"),
            "HashingVectorizer": HashingVectorizer(n_features=1 << 14),
            "HashingVectorizer of pairs": HashingVectorizer(n_features=50, ngram_range=(2, 2), norm=None),
            "HashingVectorizer of characters": HashingVectorizer(
                n_features=1000, analyzer="char", ngram_range=(1, 2), alternate_sign=False, binary=True, norm="l1"
            ),
            "TfidfVectorizer sublinear": TfidfVectorizer(sublinear_tf=True),
            "TfidfTransformer sublinear": make_pipeline(CountVectorizer(), TfidfTransformer(sublinear_tf=True)),
            **{
                f"CountVectorizer {pattern}": CountVectorizer(token_pattern=pattern)
                for pattern in (
                    *(r"\b[a-z]{2,4}\b", r"\S+", r"[^\W\d_]+", r"(?:\w+'\w+)|\w\w+", r"\w+?(?=\s)"),
                    *(r"[.;!?]|\w{2,}", r"(?<!\w)x?\d+", "\\d|é."),
                )
            },
        }.items()
    },
    "KernelCenterer": fitted(KernelCenterer(), kernel),
    "FactorAnalysis": over(FactorAnalysis(2, random_state=0)),
    "FastICA": over(FastICA(2, random_state=0, whiten="unit-variance")),
    "SparsePCA": over(SparsePCA(2, random_state=0, max_iter=20)),
    "MiniBatchSparsePCA": over(MiniBatchSparsePCA(2, random_state=0, max_iter=20)),
    "GaussianRandomProjection": over(GaussianRandomProjection(3, random_state=0)),
    "SparseRandomProjection": over(SparseRandomProjection(3, random_state=0)),
    "PLSSVD": over(PLSSVD(2), both),
    **{
        f"{type(steps).__name__} as a step": over(make_pipeline(FrozenEstimator(steps), Ridge()), amount)
        for steps in (least.fit(numbers(), both()) for least in (PLSRegression(2), PLSCanonical(2), CCA(2)))
    },
    "NeighborhoodComponentsAnalysis": over(NeighborhoodComponentsAnalysis(2, random_state=0, max_iter=5)),
    "BernoulliRBM": fitted(BernoulliRBM(3, random_state=0), lambda: (numbers() > 0).astype(float)),
    "FeatureAgglomeration": over(FeatureAgglomeration(2)),
    "KMeans as a step": over(make_pipeline(KMeans(3, random_state=0, n_init=1), Ridge()), amount),
    # At centres, scikit-learn's distances are rounded differently.
    "Birch as a step": fitted(
        make_pipeline(Birch(n_clusters=None, threshold=0.8), Ridge()), numbers, amount, lambda: numbers()[:ROWS] + 0.1
    ),
    **{
        f"KernelPCA {kernel}": over(KernelPCA(3, kernel=kernel, degree=2))
        for kernel in ("linear", "poly", "rbf", "sigmoid", "cosine")
    },
    "Nystroem": over(Nystroem(n_components=6, random_state=0)),
    "Nystroem laplacian": over(Nystroem("laplacian", gamma=0.3, n_components=6, random_state=0)),
    "RBFSampler": over(RBFSampler(n_components=6, random_state=0)),
    "SkewedChi2Sampler": fitted(SkewedChi2Sampler(n_components=6, random_state=0), positive),
    "AdditiveChi2Sampler": fitted(AdditiveChi2Sampler(), lambda: np.where(positive() < 0.3, 0.0, positive())),
    "KNeighborsTransformer": over(KNeighborsTransformer(n_neighbors=3)),
    "KNeighborsTransformer connectivity": over(KNeighborsTransformer(mode="connectivity", n_neighbors=3)),
    "RadiusNeighborsTransformer": over(RadiusNeighborsTransformer(radius=1.5, metric="manhattan")),
    "FrozenEstimator of a scaler": fitted(FrozenEstimator(StandardScaler().fit(numbers())), numbers),
}


def _targets(case: Any) -> Case:
    return over(case, both)


REGRESSORS: dict[str, Case] = {
    "MultiTaskLasso": _targets(MultiTaskLasso(0.1)),
    "MultiTaskElasticNet": _targets(MultiTaskElasticNet(0.1)),
    "LinearRegression of two targets": _targets(LinearRegression()),
    "DecisionTreeRegressor of two targets": _targets(DecisionTreeRegressor(max_depth=4)),
    "RandomForestRegressor of two targets": _targets(RandomForestRegressor(5, random_state=0)),
    "MLPRegressor of two targets": _targets(
        make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(5,), max_iter=20, random_state=0))
    ),
    "MLPRegressor identity of two targets": _targets(
        make_pipeline(
            StandardScaler(), MLPRegressor(hidden_layer_sizes=(5,), activation="identity", max_iter=20, random_state=0)
        )
    ),
    "VotingRegressor of a tree and a line": over(
        VotingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor())]), amount
    ),
    "MultiOutputRegressor": _targets(MultiOutputRegressor(Ridge())),
    "RegressorChain": _targets(RegressorChain(Ridge(), order=[1, 0])),
    "PLSRegression": _targets(PLSRegression(2)),
    "PLSRegression of one target": over(PLSRegression(2), amount),
    "PLSCanonical": _targets(PLSCanonical(2)),
    "CCA": _targets(CCA(2)),
    "RANSACRegressor": over(RANSACRegressor(random_state=0), amount),
    "BaggingRegressor": over(BaggingRegressor(n_estimators=4, max_features=0.7, random_state=0), amount),
    "BaggingRegressor of two targets": _targets(BaggingRegressor(Ridge(), 3, random_state=0)),
    "DummyRegressor": over(DummyRegressor(), amount),
    "DummyRegressor of two targets": _targets(DummyRegressor(strategy="median")),
    "IsotonicRegression": fitted(IsotonicRegression(), first, amount, outside),
    "IsotonicRegression clipped": fitted(IsotonicRegression(out_of_bounds="clip"), first, amount, outside),
    "IsotonicRegression that fails": fitted(IsotonicRegression(out_of_bounds="raise"), first, amount),
    "TransformedTargetRegressor": over(
        TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1), lambda: np.exp(amount() / 9)
    ),
    **{
        f"TransformedTargetRegressor {type(scaler).__name__}": over(
            TransformedTargetRegressor(Ridge(), transformer=scaler), targets
        )
        for scaler, targets in (
            (StandardScaler(), amount),
            (RobustScaler(), both),
            (MaxAbsScaler(), amount),
            (make_pipeline(MinMaxScaler((2, 3)), StandardScaler()), both),
        )
    },
    "AdaBoostRegressor": over(AdaBoostRegressor(n_estimators=6, random_state=0), amount),
    "AdaBoostRegressor of lines": over(AdaBoostRegressor(Ridge(), n_estimators=3, random_state=0), amount),
    "KNeighborsRegressor": over(KNeighborsRegressor(3), amount),
    "KNeighborsRegressor by distance": fitted(KNeighborsRegressor(4, weights="distance", p=1), numbers, both, asked),
    "RadiusNeighborsRegressor": over(RadiusNeighborsRegressor(radius=1.0), amount),
    "KernelRidge": over(KernelRidge(kernel="rbf", gamma=0.2), both),
    "KernelRidge polynomial": over(make_pipeline(StandardScaler(), KernelRidge(kernel="poly")), amount),
    **{
        f"SVR {kernel}": over(make_pipeline(StandardScaler(), SVR(kernel=kernel)), amount)
        for kernel in ("rbf", "poly", "sigmoid")
    },
    "NuSVR": over(NuSVR(), amount),
    **{
        f"GaussianProcessRegressor {number}": over(GaussianProcessRegressor(kernel, optimizer=None, alpha=0.1), targets)
        for number, (kernel, targets) in enumerate(
            (
                (None, amount),
                (2.0 * RBF([1.0, 0.5, 2.0, 1.0]) + WhiteKernel(), both),
                (Matern(nu=0.5) * Matern(nu=1.5) + Matern(nu=2.5), amount),
                (RationalQuadratic(alpha=0.7) + 0.5 * DotProduct() ** 2, amount),
                (Matern(nu=np.inf) + 0.3, amount),
            )
        )
    },
    "FrozenEstimator of a regression": fitted(FrozenEstimator(Ridge().fit(numbers(), amount())), numbers, amount),
}

CLASSIFIERS: dict[str, Case] = {
    "LinearDiscriminantAnalysis": over(LinearDiscriminantAnalysis(), three),
    "LinearDiscriminantAnalysis, two": over(LinearDiscriminantAnalysis(solver="lsqr"), two),
    "QuadraticDiscriminantAnalysis": over(QuadraticDiscriminantAnalysis(), three),
    "QuadraticDiscriminantAnalysis, two": over(QuadraticDiscriminantAnalysis(reg_param=0.1), two),
    "AdaBoostClassifier": over(AdaBoostClassifier(n_estimators=6, random_state=0)),
    "AdaBoostClassifier, three": over(
        AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=6, random_state=0), three
    ),
    "AdaBoostClassifier of lines": over(AdaBoostClassifier(LogisticRegression(), n_estimators=3, random_state=0), odd),
    "AdaBoostClassifier of lines, two": over(AdaBoostClassifier(LogisticRegression(), n_estimators=3, random_state=0)),
    "BaggingClassifier": over(BaggingClassifier(n_estimators=4, max_features=0.6, random_state=0), three),
    "BaggingClassifier of lines": over(BaggingClassifier(LogisticRegression(), 3, random_state=0), three),
    "BaggingClassifier of margins": over(BaggingClassifier(LinearSVC(random_state=0), 3, random_state=0)),
    "BaggingClassifier of few rows": over(
        BaggingClassifier(LogisticRegression(), 4, max_samples=4, random_state=1), three
    ),
    "IsolationForest": over(IsolationForest(n_estimators=9, random_state=0, contamination=0.2), None),
    "IsolationForest of some features": over(IsolationForest(n_estimators=5, max_features=2, random_state=0), None),
    "EllipticEnvelope": over(EllipticEnvelope(random_state=0), None),
    "SGDOneClassSVM": over(make_pipeline(StandardScaler(), SGDOneClassSVM(random_state=0)), None),
    "NearestCentroid": over(NearestCentroid(), three),
    "NearestCentroid, two, shrunken": over(
        NearestCentroid(shrink_threshold=0.1, priors="empirical"),
        lambda: (amount() > 1).astype(int),
    ),
    "NearestCentroid by priors": over(NearestCentroid(priors=[0.2, 0.3, 0.5]), three),
    "CategoricalNB": fitted(CategoricalNB(), codes, three),
    "CategoricalNB after bins": over(
        make_pipeline(KBinsDiscretizer(4, encode="ordinal", strategy="uniform"), CategoricalNB()),
        three,
    ),
    "OneVsOneClassifier": over(OneVsOneClassifier(LogisticRegression()), three),
    "OneVsOneClassifier of probabilities": over(OneVsOneClassifier(GaussianNB()), three),
    "OneVsOneClassifier, two": over(OneVsOneClassifier(LogisticRegression())),
    "OutputCodeClassifier": over(OutputCodeClassifier(LogisticRegression(), code_size=3, random_state=4), three),
    "MultiOutputClassifier": over(MultiOutputClassifier(LogisticRegression()), pairs),
    "MultiOutputClassifier of margins": over(MultiOutputClassifier(LinearSVC(random_state=0)), pairs),
    "ClassifierChain": over(ClassifierChain(LogisticRegression(), order=[1, 0]), bits),
    "ClassifierChain by probabilities": over(ClassifierChain(GaussianNB(), chain_method="predict_proba"), bits),
    "FixedThresholdClassifier": over(FixedThresholdClassifier(LogisticRegression(), threshold=0.7)),
    "FixedThresholdClassifier for the first class": over(
        FixedThresholdClassifier(LogisticRegression(), threshold=0.3, pos_label=0)
    ),
    "FixedThresholdClassifier by margin": over(
        FixedThresholdClassifier(
            LinearSVC(random_state=0), threshold=0.1, response_method="decision_function", pos_label=0
        )
    ),
    "TunedThresholdClassifierCV": over(TunedThresholdClassifierCV(LogisticRegression(), cv=2)),
    "SelfTrainingClassifier": over(SelfTrainingClassifier(GaussianNB()), some),
    "DummyClassifier": over(DummyClassifier(), three),
    "DummyClassifier most frequent": over(DummyClassifier(strategy="most_frequent"), two),
    "DummyClassifier constant": over(DummyClassifier(strategy="constant", constant="birch"), three),
    "BayesianGaussianMixture": over(BayesianGaussianMixture(n_components=3, random_state=0, max_iter=20), None),
    "BayesianGaussianMixture dirichlet": over(
        BayesianGaussianMixture(
            n_components=2,
            covariance_type="tied",
            random_state=0,
            weight_concentration_prior_type="dirichlet_distribution",
        ),
        None,
    ),
    "KNeighborsClassifier": over(KNeighborsClassifier(), three),
    "KNeighborsClassifier by distance": fitted(
        KNeighborsClassifier(3, weights="distance", metric="chebyshev"), numbers, odd, asked
    ),
    "DecisionTreeClassifier of two targets": over(DecisionTreeClassifier(max_depth=3, random_state=0), pairs),
    "ExtraTreesClassifier of two targets": over(ExtraTreesClassifier(4, max_depth=3, random_state=0), pairs),
    "RandomForestClassifier of two targets": over(RandomForestClassifier(4, max_depth=3, random_state=0), pairs),
    "KNeighborsClassifier of two targets": over(KNeighborsClassifier(3), pairs),
    "RadiusNeighborsClassifier": over(RadiusNeighborsClassifier(radius=4.0), three),
    "LocalOutlierFactor": over(LocalOutlierFactor(novelty=True), None),
    "LabelPropagation": over(LabelPropagation(gamma=0.5), some),
    "LabelSpreading": over(LabelSpreading("knn", n_neighbors=3), some),
    **{
        f"SVC {kernel}": over(make_pipeline(StandardScaler(), SVC(kernel=kernel)), three)
        for kernel in ("linear", "rbf", "poly", "sigmoid")
    },
    "SVC, two": over(SVC()),
    "SVC one against one": over(SVC(decision_function_shape="ovo"), odd),
    "SVC with ties": over(SVC(break_ties=True), three),
    "NuSVC": over(NuSVC(nu=0.3), three),
    "OneClassSVM": over(OneClassSVM(nu=0.2), None),
    "GaussianProcessClassifier": over(GaussianProcessClassifier(optimizer=None)),
    "GaussianProcessClassifier, three": over(GaussianProcessClassifier(optimizer=None), three),
    "BisectingKMeans": over(BisectingKMeans(5, random_state=0), None),
    "Birch": over(Birch(n_clusters=3, threshold=0.8), None),
    "MeanShift": over(MeanShift(), None),
    "AffinityPropagation": over(AffinityPropagation(random_state=0), None),
}

PREDICTORS: dict[str, Case] = {**REGRESSORS, **CLASSIFIERS}
