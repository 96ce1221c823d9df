"""The gRPC services; each module has a function ``methods``, which makes the methods that it answers."""

from leapstream.serving.grpc import mleap, oip

SERVICES = (mleap, oip)

__all__ = ["SERVICES"]
