"""Frames of any kind: rows go in, rows of the same kind come out."""
