"""Batches in one thread and in two: the CPU time that the second thread adds, and the speed-up.

The CPU times hardly depend on what else the machine does; the speed-up means something on an idle machine only. Each number is
the median of some rounds, in which one thread and two take turns.

Run it with ``python benchmarks/threads.py [--rows N] [--rounds N]``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

import leapstream

BUNDLES = Path(__file__).resolve().parents[1] / "tests" / "bench"
CLOCKS: tuple[Callable[[], float], ...] = (time.process_time, time.perf_counter)
"""The CPU time of the process, and the time on the wall."""


def batch_of(model: leapstream.Model, rows: int) -> Any:
    """Random numbers as a table, or as vectors where the model has one input."""
    names, x = model.schema.inputs.names, np.random.default_rng(0).random((rows, 3))
    return {names[0]: x} if len(names) == 1 else pa.table(dict(zip(names, x.T, strict=True)))


def seconds(predict: Callable[[], object]) -> list[float]:
    """The seconds that a call takes, by each of :data:`CLOCKS`."""
    before = [clock() for clock in CLOCKS]
    predict()
    return [clock() - start for clock, start in zip(CLOCKS, before, strict=True)]


def measure(model: leapstream.Model, batch: Any, rounds: int) -> str:
    """The numbers of a model, as a line."""
    found: dict[int, list[list[float]]] = {1: [], 2: []}
    for count in [1, 2] * (rounds + 1):
        found[count].append(seconds(lambda count=count: model.predict(batch, threads=count)))  # type: ignore[misc]
    one, two = (np.array(samples[1:]) for samples in found.values())
    added, speed = median(two[:, 0] / one[:, 0]), median(one[:, 1] / two[:, 1])
    alone = median(one[:, 0]) * 1e3
    return f"{alone:.1f} ms of CPU time; two threads take {added:.2f} times that, and are {speed:.2f} times as fast"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    for name in ("linear3", "forest3-20x5", "forest3-100x8"):
        model = leapstream.load(BUNDLES / f"{name}.zip")
        print(f"{name}, {given.rows:,} rows: {measure(model, batch_of(model, given.rows), given.rounds)}", flush=True)


if __name__ == "__main__":
    main()
