"""Choices: a value, or a plan, that depends on other values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from leapstream.bundle.tensor import NUMPY_DTYPES
from leapstream.bundle.types import BasicType
from leapstream.executors import failures
from leapstream.executors.columns import Column, column_of, joined
from leapstream.executors.contract import KEPT
from leapstream.executors.implementing import implements
from leapstream.executors.texts import text_array, texts_of
from leapstream.executors.vectorized.lists import nulls
from leapstream.executors.vectorized.run import Indices, Run, UnequalSizesError
from leapstream.javalike.text import Matcher, UncertainMatchError
from leapstream.plan import primitives as p


@implements(p.FirstMatch, prepare=lambda expr: [Matcher.of(pattern) for pattern in expr.patterns])
def _first_match(run: Run, expr: p.FirstMatch, x: Column) -> Column:
    encoded = x.values.dictionary_encode()
    matchers = run.prepared[id(expr)]
    values = np.zeros(len(encoded.dictionary) + 1, np.int32)
    reasons: dict[int, str] = {}

    def choose(place: int, text: str | None) -> None:
        value = expr.default
        if matchers and text is None:
            reasons[place] = failures.missing_value()
            return
        for pattern, matcher, wanted in zip(expr.patterns, matchers, expr.values, strict=True):
            try:
                if matcher.found(text):
                    value = wanted
                    break
            except UncertainMatchError as error:
                reasons[place] = str(error)
                return
            except TimeoutError:
                reasons[place] = failures.too_slow(pattern)
                return
        if value is None:
            reasons[place] = failures.no_match(str(text))
        else:
            values[place] = value

    for place, text in enumerate(texts_of(encoded.dictionary)):
        choose(place, text)
    index = np.asarray(encoded.indices.fill_null(len(encoded.dictionary)))
    if encoded.indices.null_count:
        choose(len(encoded.dictionary), None)
    if reasons:
        run.fail(np.isin(index, list(reasons)), lambda row: reasons[index[row]])
    return Column(values[index])


@implements(p.ValueAt)
def _pick(run: Run, expr: p.ValueAt, x: Column) -> Column:
    return Column(expr.values[x.values.astype(np.intp)])


@implements(p.MapEntry)
def _map_entry(run: Run, expr: p.MapEntry, x: Column, key: Column) -> Column:
    import pyarrow.compute as pc

    offsets = np.asarray(x.values.offsets, dtype=np.int64)
    first, last = int(offsets[0]), int(offsets[-1])
    keys, items = x.values.keys.slice(first, last - first), x.values.items.slice(first, last - first)
    owner = np.repeat(np.arange(run.rows), np.diff(offsets))
    hits = np.flatnonzero(np.asarray(pc.equal(keys, key.values.take(pa.array(owner))).fill_null(False)))
    # Of a key that repeats the last counts.
    position = np.full(run.rows, -1)
    position[owner[hits]] = hits
    found = position >= 0
    taken = items.take(pa.array(position[found]))
    if expr.type.base is BasicType.STRING:
        chosen = text_array([expr.default]).take(pa.array(np.zeros(run.rows, np.intp)))
        return Column(pc.replace_with_mask(chosen, pa.array(found), taken))
    numbers = np.full(run.rows, expr.default, dtype=NUMPY_DTYPES[expr.type.base])
    if taken.null_count:
        missing = np.zeros(run.rows, dtype=bool)
        missing[found] = nulls(taken)
        run.fail(missing, failures.missing_map_value())
        taken = taken.fill_null(False if pa.types.is_boolean(taken.type) else 0)
    numbers[found] = np.asarray(taken)
    return Column(numbers)


@implements(p.Coalesce)
def _coalesce(run: Run, expr: p.Coalesce, *xs: Column) -> Column:
    values, present = np.zeros(run.rows), np.zeros(run.rows, dtype=bool)
    for x in xs:
        there = x.present()
        values = np.where(present, values, x.values)
        present = present | (True if there is None else there)
    return Column(values, None if present.all() else present)


@implements(p.Switch, sparse=True)
def _switch(run: Run, expr: p.Switch, position: Column, *xs: Column) -> Column:
    parts: list[Column] = []
    order: list[Indices] = []
    sizes: dict[tuple[int, ...], list[Indices]] = {}
    for number, executor in enumerate(run.nested[id(expr)]):
        rows = np.flatnonzero((run.states == KEPT) & (position.values == number))
        if not len(rows):
            continue
        given = {name: xs[int(name)].take(rows) for name in executor.plan.inputs.names}
        outcome = executor.run(given, len(rows))
        run.adopt(rows, outcome)
        ((_, result),) = outcome.columns.items()
        # What rows have that failed means nothing.
        kept = np.flatnonzero(outcome.kept)
        if not len(kept):
            continue
        if isinstance(result, list):
            for row in kept:
                sizes.setdefault(result[row].dimensions, []).append(rows[[row]])
            if len(sizes) > 1:
                continue
            parts.append(column_of([result[row] for row in kept], expr.type))
        else:
            sizes.setdefault(getattr(result.values, "shape", (0,))[1:], []).append(rows[kept])
            parts.append(result.take(kept))
        order.append(rows[kept])
    if len(sizes) > 1:
        raise UnequalSizesError(run.rows, [np.sort(np.concatenate(rows)) for rows in sizes.values()])
    if not parts:
        return column_of([None] * run.rows, expr.type)
    places = np.zeros(run.rows, dtype=np.intp)
    places[np.concatenate(order)] = np.arange(sum(map(len, order)))
    return joined(parts).take(places)
