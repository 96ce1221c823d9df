"""The protocols; each module has a function ``routes``, which makes the routes that it answers."""

from leapstream.serving.protocols import health, mleap, oip, plain

PROTOCOLS = (health, mleap, oip, plain)

__all__ = ["PROTOCOLS"]
