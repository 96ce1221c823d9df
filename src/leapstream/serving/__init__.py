"""The real-time API: an ASGI application, and the server around it, that answer requests with the predictions of models.

One registry of models stands behind all protocols; each protocol is a module of :mod:`leapstream.serving.protocols`.
"""

from leapstream.serving.application import Application, app
from leapstream.serving.registry import ModelRegistry, ServedModel
from leapstream.serving.settings import RequestLimits, Settings, SparkMLSettings

__all__ = ["Application", "ModelRegistry", "RequestLimits", "ServedModel", "Settings", "SparkMLSettings", "app"]
