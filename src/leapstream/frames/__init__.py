"""Frames of any kind: rows go in, rows of the same kind come out.

Each kind has a module, and :mod:`leapstream.frames.registry` lists them; :mod:`leapstream.frames.running` runs plans over them.
"""
