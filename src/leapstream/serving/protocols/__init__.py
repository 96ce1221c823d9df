"""The protocols; each module has a function ``routes``, which makes the routes that it answers."""

from leapstream.serving.protocols import health, plain

PROTOCOLS = (health, plain)

__all__ = ["PROTOCOLS"]
