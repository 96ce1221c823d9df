"""Converts models that other libraries have trained to models of MLeap's ops.

Importing this package imports none of these libraries. A converter reads the objects that its caller made with the library; only
TensorFlow's converters import theirs, to read its files.
"""

from leapstream.exporters.gensim import from_gensim
from leapstream.exporters.lightgbm import from_lightgbm
from leapstream.exporters.sklearn import from_sklearn
from leapstream.exporters.spark import from_spark, to_spark
from leapstream.exporters.tensorflow import from_keras, from_tensorflow
from leapstream.exporters.xgboost import from_xgboost

__all__ = [
    "from_gensim",
    "from_keras",
    "from_lightgbm",
    "from_sklearn",
    "from_spark",
    "from_tensorflow",
    "from_xgboost",
    "to_spark",
]
