"""Encodes categories as numbers, for columns of texts and of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leapstream.bundle.types import BasicType, DataShape
from leapstream.exporters.graph import Block, Features
from leapstream.exporters.step import Step
from leapstream.ops import feature as ops

MISSING = -float(np.finfo(np.float64).max)
"""The least finite double; nodes use it in place of a missing number."""


@dataclass(frozen=True)
class CategoryCodes:
    """The codes of a feature's categories.

    Attributes:
        categories: the categories; NaN (and for texts ``None`` too) is the category of missing values.
        codes: the code of each category.
        unknown: the code of all other values; if it is ``None``, rows with other values fail.
    """

    categories: Sequence[Any]
    codes: Sequence[int]
    unknown: int | None


def encode_categories(step: Step, features: Features, tables: Sequence[CategoryCodes]) -> list[Block]:
    """Add nodes that replace each feature by its category's code; returns a number column per feature."""
    graph = step.graph
    blocks = graph.scalars(features)
    results: list[Block | None] = [
        _of_text(step, b, t) if b.text else None for b, t in zip(blocks, tables, strict=True)
    ]
    numbers = [i for i, block in enumerate(blocks) if not block.text]
    if numbers:
        found = _of_numbers(step, [blocks[i] for i in numbers], [tables[i] for i in numbers])
        for i, block in zip(numbers, found, strict=True):
            results[i] = block
    return [block for block in results if block is not None]


def _missing(category: Any) -> bool:
    return category is None or category != category


def _of_text(step: Step, block: Block, table: CategoryCodes) -> Block:
    """Encode a column of strings by ``string_indexer`` or ``string_map``. Both ops treat a missing string as unknown.

    If the table has another code for missing strings, a feature hasher with one element tells which strings are present.
    """
    graph = step.graph
    known = {str(c): int(n) for c, n in zip(table.categories, table.codes, strict=True) if not _missing(c)}
    step.require(
        all(isinstance(c, str) for c in table.categories if not _missing(c)),
        f"the column {block.column!r} holds texts, and the categories are not texts",
    )
    absent = [int(n) for c, n in zip(table.categories, table.codes, strict=True) if _missing(c)]
    if block.fill is not None:
        step.require(
            not absent, f"in the column {block.column!r} both None and NaN occur, which MLeap cannot tell apart"
        )
        absent = [known[block.fill]] if block.fill in known else [] if table.unknown is None else [table.unknown]
        step.require(bool(absent), f"the text that fills in missing values, {block.fill!r}, is not a category")
    unknown = table.unknown
    if absent and unknown is None:
        # A missing string must get a code, so the op must not fail, and an unknown string would silently get a code too.
        step.reject(
            f"in the column {block.column!r} missing texts are a category and unknown ones an error, which MLeap's ops cannot "
            "tell apart: let the encoder handle unknown categories"
        )
    labels, codes = tuple(known), tuple(known.values())
    if codes == tuple(range(len(codes))) and unknown in (None, len(codes)):
        indexer = ops.StringIndexer((labels,), "error" if unknown is None else "keep")
        columns = graph.add(indexer, [block.column], {"output0": f"{block.column}_{step.suffix}"})
        result = Block(columns["output0"])
    else:
        numbers = tuple(map(float, codes))
        mapped = (
            ops.StringMap(labels, numbers)
            if unknown is None
            else ops.StringMap(labels, numbers, "keep", float(unknown))
        )
        result = graph.apply(mapped, block, step.suffix, None)
    if not absent or unknown is None or absent[0] == unknown:
        return result
    shape = DataShape("scalar", True)
    there = ops.FeatureHasher(1, (), (shape,), (BasicType.STRING,), (block.column,))
    columns = graph.add(there, [block.column], {"output": f"{block.column}_present"})
    present = Block(columns["output"], 1, dense=False)
    # The codes are whole numbers, so the sum is exact.
    move = float(absent[0] - unknown)
    return graph.linear((result, present), "filled", np.array([1.0, -move]), move)


def _of_numbers(step: Step, blocks: Sequence[Block], tables: Sequence[CategoryCodes]) -> Iterator[Block]:
    """Encode columns of numbers by one ``vector_indexer``, whose code for unknown numbers is the number of categories."""
    graph = step.graph
    given, maps, shifts = [], {}, []
    for i, (block, table) in enumerate(zip(blocks, tables, strict=True)):
        step.require(
            all(_missing(c) or isinstance(c, (bool, int, float)) for c in table.categories),
            f"the column {block.column!r} holds numbers, and the categories are not numbers",
        )
        missing = any(_missing(c) for c in table.categories)
        given.append(graph.apply(ops.Imputer(MISSING), block, "imputed", None) if missing else block)
        shift = 0 if table.unknown is None else table.unknown - len(table.categories)
        shifts.append(float(shift))
        maps[i] = {
            MISSING if _missing(c) else float(c): int(n) - shift
            for c, n in zip(table.categories, table.codes, strict=True)
        }
    errors = {table.unknown is None for table in tables}
    step.require(len(errors) == 1, "unknown categories are an error in some columns and not in others")
    whole = graph.dense(tuple(given))
    op = ops.VectorIndexer(len(given), maps, "error" if errors == {True} else "keep")
    indexed = graph.apply(op, whole, step.suffix, whole.size)
    if any(shifts):
        indexed = graph.scale((indexed,), "codes", shift=-np.array(shifts))
    return iter(graph.scalars((indexed,)))
