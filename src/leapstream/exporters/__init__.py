"""From the libraries in which models are trained to MLeap: fitted objects become models of MLeap's ops.

Nothing here imports a library: the objects that are handed in have been made by one.
"""

from leapstream.exporters.lightgbm import from_lightgbm
from leapstream.exporters.sklearn import from_sklearn
from leapstream.exporters.xgboost import from_xgboost

__all__ = ["from_lightgbm", "from_sklearn", "from_xgboost"]
