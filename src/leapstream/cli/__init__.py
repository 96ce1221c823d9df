"""The command line: ``leapstream``."""

from leapstream.cli.app import app, main

__all__ = ["app", "main"]
