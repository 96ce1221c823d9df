"""One record at a time from Python, ``model.predict(dict)``, beside MLeap on one row at a time.

Run it with ``python benchmarks/single.py [--works …] [--rounds N]``.
"""

from __future__ import annotations

from typing import Any

from jvm_peer import forms_of, measure_alone
from measure import ONE_THREAD, Result, in_process, micros_per_row
from workloads import options_of_works, works

import leapstream
from leapstream.bundle.tensor import Tensor


def measure(name: str, seconds: float) -> list[float]:
    """The microseconds that a record takes."""
    work = works()[name]
    model = leapstream.load(work.bundle)
    frame = work.frame(1000)
    records: list[dict[str, Any]] = [
        {
            column: value.to_dense().tolist() if isinstance(value, Tensor) else value
            for column, value in zip(frame.schema.names, row, strict=True)
        }
        for row in frame.rows
    ]
    predict = model.predict

    def all_records() -> None:
        for record in records:
            predict(record)

    # A clock asked for each record would take a third as long as a small model does.
    return micros_per_row(all_records, len(records), seconds, 5)


def main() -> None:
    """Measure both."""
    given = options_of_works(__doc__, 3, measure)
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
