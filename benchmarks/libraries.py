"""Models as users train them, in leapstream and in the library that trained each, ONNX Runtime and treelite.

One record and batches of 10,000 rows, in CPU time, one thread. The libraries of a work take turns in one process, so that their
ratio does not depend on what else the machine does.

Run it with ``.venv-bench/bin/python benchmarks/libraries.py [--rounds N] [--works NAME …]``, after
``make .venv-bench/.setup-stamp``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib import metadata
from statistics import median

from measure import ONE_THREAD, Result, in_process
from workloads import add_options, options

SINGLE, BATCH = "one record", "batch"
NAMES = (
    "scaler + linear",
    "text imputer + one-hot + logistic",
    "text imputer + one-hot",
    "ordinal encoder with unknowns + forest of 10",
    "XGBoost 100 x 6",
    "XGBoost 1000 x 6",
    "LightGBM 300 x 63 leaves",
    "histogram boosting 100",
    "forest 100, any depth",
    "hashed text + logistic",
    "counted text + naive Bayes",
    "word2vec",
)


def measure(name: str, seconds: float, turns: int) -> dict[str, dict[str, float]]:
    """Microseconds of CPU time a row, by kind and library."""
    import estimators

    work = estimators.WORKS[name]()
    work.check()
    single = {"leapstream": work.predict_record, **work.singles}
    batch = {"leapstream": work.predict_rows, **work.batches}
    return {SINGLE: in_turns(single, 1, seconds, turns), BATCH: in_turns(batch, len(work.rows), seconds, turns)}


def in_turns(predictors: dict[str, Callable[[], object]], rows: int, seconds: float, turns: int) -> dict[str, float]:
    """The medians over some turns of the microseconds of CPU time a row."""
    calls: dict[str, int] = {}
    for name, predict in predictors.items():
        for _ in range(50 if rows == 1 else 2):
            predict()
        calls[name] = max(1, int(seconds / turns / max(_seconds(predict, 10 if rows == 1 else 1), 1e-7)))
    samples: dict[str, list[float]] = {name: [] for name in predictors}
    for _ in range(turns):
        for name, predict in predictors.items():
            samples[name].append(_seconds(predict, calls[name]) * 1e6 / rows)
    return {name: median(found) for name, found in samples.items()}


def _seconds(function: Callable[[], object], calls: int) -> float:
    """Seconds of CPU time of a call."""
    start = time.process_time()
    for _ in range(calls):
        function()
    return (time.process_time() - start) / calls


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, rounds=3)
    parser.add_argument("--works", nargs="+", choices=NAMES, default=NAMES, metavar="WORK", help=", ".join(NAMES))
    given = options(parser, measure)
    result = Result("libraries", "µs of CPU time a row")
    for name in ("scikit-learn", "xgboost-cpu", "lightgbm", "onnxruntime", "skl2onnx", "treelite"):
        result.about[name] = metadata.version(name)
    for _ in range(given.rounds):
        for work in given.works:
            for kind, found in in_process(__file__, [work, given.seconds, 5], ONE_THREAD).items():
                for name, micros in found.items():
                    result.add(f"{work}, {kind}", name, [micros])
    result.finish()


if __name__ == "__main__":
    main()
