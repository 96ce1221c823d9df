"""Runs a plan on one record with plain Python numbers, where arrays would cost more than the arithmetic."""
