"""Rows of loans from formulas, so that they are the same everywhere: those of training, and later ones that have drifted."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa

ROWS = 2000
_STEPS = {
    name: math.sqrt(prime) % 1
    for name, prime in zip(
        ("state", "home", "amount", "income", "age", "late", "flag"), (2, 3, 5, 7, 11, 13, 17), strict=True
    )
}


def _even(name: str) -> list[float]:
    """Numbers between 0 and 1, spread evenly and without order."""
    return [(number + 1) * _STEPS[name] % 1 for number in range(ROWS)]


def _chosen(x: float, shares: dict[str, float]) -> str:
    for value, share in shares.items():
        x -= share
        if x < 0:
            return value
    return next(reversed(shares))


def loans(*, drifted: bool = False) -> pa.Table:
    """The rows of training, or later ones: higher incomes, other states (one of them is new), some ages are missing."""
    states = {"CA": 0.2, "NY": 0.3, "TX": 0.3, "OR": 0.2} if drifted else {"CA": 0.4, "NY": 0.3, "TX": 0.2, "WA": 0.1}
    columns: dict[str, Any] = {
        "state": [_chosen(x, states) for x in _even("state")],
        "home": [_chosen(x, {"rent": 0.5, "own": 0.3, "mortgage": 0.2}) for x in _even("home")],
        "amount": [round(1000 + 30_000 * x * x, 2) for x in _even("amount")],
        "income": [round(20_000 * math.exp(1.5 * x) * (1.2 if drifted else 1.0), 2) for x in _even("income")],
        "age": [None if drifted and x > 0.9 else 20 + 50 * x for x in _even("age")],
        "late": [float(int(5 * x * x * x)) for x in _even("late")],
        "flag": [float(x > 0.7) for x in _even("flag")],
    }
    return pa.table(columns)
