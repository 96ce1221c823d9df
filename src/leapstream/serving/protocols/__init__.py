"""The protocols; each module has a function ``routes``, which makes the routes that it answers."""

from leapstream.serving.protocols import drift, health, invocations, mleap, mlflow, oip, page, plain, sagemaker

PROTOCOLS = (drift, health, invocations, mleap, mlflow, oip, page, plain, sagemaker)

__all__ = ["PROTOCOLS"]
