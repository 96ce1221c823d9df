"""Exports that MLeap 0.20.0 does not load or answers otherwise, with the causes. A case that agrees must leave the list."""

from __future__ import annotations

CAUSES: dict[str, str] = {
    "naive_bayes": "`naive_bayes` of MLeap has the types multinomial and bernoulli only",
    "math_unary": "`math_unary` of MLeap 0.20.0 has no floor, ceil or round",
    "string_indexer": "`string_indexer` of MLeap 0.20.0 has one column only",
    "xgboost_module": "MLeap's XGBoost module (`mleap-xgboost-runtime`) of 0.20.0 for Scala 2.12 was not found on Maven Central",
    "lda": "`lda_local_model_op` of MLeap 0.20.0 starts from random numbers without a seed",
}

KNOWN: dict[str, str] = {
    "sklearn/FunctionTransformer ceil": "math_unary",
    "sklearn/FunctionTransformer floor": "math_unary",
    "spark-2.1/LDA": "lda",
    "spark-2.4/LDA": "lda",
    "spark-3.5/LDA": "lda",
    "spark-3.5/NaiveBayes complement": "naive_bayes",
    "spark-3.5/NaiveBayes gaussian": "naive_bayes",
    "spark-3.5/StringIndexer columns": "string_indexer",
    "spark-4.1/LDA": "lda",
    "spark-4.1/NaiveBayes complement": "naive_bayes",
    "spark-4.1/NaiveBayes gaussian": "naive_bayes",
    "spark-4.1/StringIndexer columns": "string_indexer",
}
"""The key of the cause by case, which is a source and a name."""

LACKING: dict[str, str] = {"xgboost": "xgboost_module"}
"""The key of the cause by source, of which MLeap 0.20.0 loads no case."""
