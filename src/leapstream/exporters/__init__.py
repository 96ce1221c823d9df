"""From the libraries in which models are trained to MLeap: fitted objects become models of MLeap's ops.

Nothing here imports a library at once: the objects that are handed in have been made by one, and TensorFlow reads its own files.
"""

from leapstream.exporters.lightgbm import from_lightgbm
from leapstream.exporters.sklearn import from_sklearn
from leapstream.exporters.spark import from_spark, to_spark
from leapstream.exporters.tensorflow import from_keras, from_tensorflow
from leapstream.exporters.xgboost import from_xgboost

__all__ = ["from_keras", "from_lightgbm", "from_sklearn", "from_spark", "from_tensorflow", "from_xgboost", "to_spark"]
