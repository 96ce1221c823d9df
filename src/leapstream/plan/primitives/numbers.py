"""Arithmetic, and vectors made of vectors."""
