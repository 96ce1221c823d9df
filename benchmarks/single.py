"""One record at a time from Python, ``model.predict(dict)``, beside MLeap on one row at a time.

Run it with ``python benchmarks/single.py [--works …] [--rounds N]``.
"""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
from jvm_peer import forms_of, measure_alone
from measure import ONE_THREAD, Result, in_process, micros_per_row
from workloads import options_of_works, works

import leapstream
from leapstream.bundle.tensor import Tensor


def predict(name: str, seconds: float) -> list[float]:
    """The microseconds that a record takes."""
    work = works()[name]
    model = leapstream.load(work.bundle)
    frame = work.frame(1000)
    records: list[dict[str, Any]] = [
        {
            column: np.array(value.values) if isinstance(value, Tensor) else value
            for column, value in zip(frame.schema.names, row, strict=True)
        }
        for row in frame.rows
    ]
    given = cycle(records)
    return micros_per_row(lambda: model.predict(next(given)), 1, seconds, 5)


def main() -> None:
    """Measure both."""
    given = options_of_works(__doc__, 3, predict)
    result = Result("single", "µs a record")
    for _ in range(given.rounds):
        for name in given.works:
            forms = [form for form in forms_of(works()[name]) if form != "frame"]
            measure_alone(result, works()[name], given.seconds, forms)
            micros = in_process(__file__, [name, given.seconds], ONE_THREAD)
            result.add(name, "leapstream, predict(dict)", micros)
    result.finish()


if __name__ == "__main__":
    main()
