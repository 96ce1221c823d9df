"""Texts, tokens and maps."""
