"""Forests and pipelines in leapstream, scikit-learn, ONNX Runtime and treelite, one thread, and how the cost grows.

The models are trained by scikit-learn here, and all have to predict the same before they are measured. treelite's compiler takes
part where there is a C compiler. The curves are the cost against the number of trees, features, categories, and rows in a batch.

Run it with ``.venv-bench/bin/python benchmarks/python_peers.py [--rounds N]`` after ``make .venv-bench/.setup-stamp``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any

from measure import ONE_THREAD, Result, in_process, micros_per_row
from workloads import ROWS, add_options, options

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "forest, 20 trees of depth 5": ("forest", {"trees": 20, "depth": 5, "features": 10}),
    "forest, 100 trees of depth 8": ("forest", {"trees": 100, "depth": 8, "features": 10}),
    "pipeline, linear": ("pipeline", {"kind": "linear"}),
    "pipeline, forest": ("pipeline", {"kind": "forest"}),
}
CURVES: dict[str, tuple[str, str, list[int], dict[str, Any]]] = {
    "trees": ("forest", "trees", [10, 30, 100, 300], {"depth": 6, "features": 10, "compiled": False}),
    "features": ("forest", "features", [3, 10, 30, 100], {"trees": 50, "depth": 6, "compiled": False}),
    "categories": ("pipeline", "categories", [10, 100, 1000, 10_000], {"kind": "linear", "numbers": 3}),
    "rows in a batch": ("pipeline", "rows", [1, 10, 100, 1000, 10_000, 100_000], {"kind": "linear"}),
}
"""For each curve: what is trained, the argument that changes, its values, the other arguments."""


def measure(kind: str, arguments: dict[str, Any], seconds: float, samples: int) -> dict[str, list[float]]:
    """Microseconds a row of each library."""
    import trained

    builders: dict[str, Callable[..., trained.Trained]] = {"forest": trained.forest, "pipeline": trained.pipeline}
    rows = arguments.setdefault("rows", ROWS)
    model = builders[kind](**arguments)
    model.check()
    return {name: micros_per_row(f, rows, seconds, samples) for name, f in model.predictors.items()}


def curve_points(step: int) -> Iterator[tuple[str, int, str, dict[str, Any]]]:
    """Each point of each curve, or every so many-th: curve, place, what is trained, arguments."""
    for curve, (kind, changing, values, rest) in CURVES.items():
        for value in values[::step]:
            yield curve, value, kind, {**rest, changing: [value] if changing == "categories" else value}


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, rounds=3)
    given = options(parser, measure)
    result = Result("python_peers", "µs a row")
    for name in ("scikit-learn", "onnxruntime", "skl2onnx", "treelite", "tl2cgen"):
        result.about[name] = metadata.version(name)
    for _ in range(given.rounds):
        for model, (kind, arguments) in MODELS.items():
            for name, micros in in_process(__file__, [kind, arguments, given.seconds, 3], ONE_THREAD).items():
                result.add(model, name, micros)
        for curve, value, kind, arguments in curve_points(2 if given.quick else 1):
            job = [kind, arguments, given.seconds / 4, 1]
            for name, micros in in_process(__file__, job, ONE_THREAD).items():
                result.add(curve, name, micros, value)
    result.finish()


if __name__ == "__main__":
    main()
