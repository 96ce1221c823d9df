"""The vectorized executor on batches of 10,000 rows, one thread, beside MLeap on whole leap frames of as many.

From an Arrow record batch, and from a pandas data frame with strings as objects. The predictions of all rows are compared first.

Run it with ``python benchmarks/vectorized.py [--works …] [--rounds N]``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from jvm_peer import FORMS, run_alone
from measure import ONE_THREAD, Result, in_process, micros_per_row
from workloads import ROWS, Work, options_of_works, works

import leapstream
from leapstream.bundle.tensor import Tensor

FRAMES = ("Arrow", "pandas")


def arrow(work: Work) -> pa.RecordBatch:
    """The rows of a work as a record batch."""
    frame = work.frame()
    arrays = {}
    for field in frame.schema:
        values = frame.column(field.name)
        if isinstance(values[0], Tensor):
            elements = np.array([value.values for value in values])
            arrays[field.name] = pa.FixedSizeListArray.from_arrays(pa.array(elements.ravel()), elements.shape[1])
        else:
            arrays[field.name] = pa.array(values)
    return pa.RecordBatch.from_pydict(arrays)


def predict(name: str, kind: str, seconds: float) -> tuple[float, list[float]]:
    """The sum of the predictions, and the microseconds a row."""
    pa.set_cpu_count(1)
    work = works()[name]
    model = leapstream.load(work.bundle)
    batch = arrow(work)
    data: Any = batch if kind == "Arrow" else batch.to_pandas()
    outputs = [work.prediction]
    predictions = model.predict(data, outputs=outputs)[work.prediction]
    total = float(np.sum(np.asarray(predictions)))
    return total, micros_per_row(lambda: model.predict(data, outputs=outputs), ROWS, seconds, 5)


def main() -> None:
    """Measure both."""
    given = options_of_works(__doc__, 3, predict)
    result = Result("vectorized", "µs a row")
    for _ in range(given.rounds):
        for name in given.works:
            peer = run_alone(works()[name], "frame", warm_up=2 * given.seconds, seconds=given.seconds / 3, rounds=3)
            result.add(name, f"MLeap, {FORMS['frame']}", peer.micros)
            for kind in FRAMES:
                total, micros = in_process(__file__, [name, kind, given.seconds], ONE_THREAD)
                assert np.isclose(total, peer.sum, rtol=1e-12), f"{name}: predictions add up to {total}, not {peer.sum}"
                result.add(name, f"leapstream, {kind}", micros)
    result.finish()


if __name__ == "__main__":
    main()
