"""From the start of a process to the loaded bundle, and to the first prediction; and how long ``import leapstream`` takes.

The first prediction is taken with the compiled kernels in numba's cache (warm), and with an empty cache (cold: the first time
after an installation). Also how long ``leapstream.load`` takes for forests of many nodes, in both formats.

Run it with ``python benchmarks/loading.py [--works …] [--rounds N]``.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from jvm_peer import run_alone
from measure import ENVIRONMENT, Result, in_process
from memory import full_tree, peak
from workloads import ROWS, options_of_works, works

import leapstream
from leapstream.bundle.definition import Socket
from leapstream.ops.pipeline import Node
from leapstream.ops.trees import DecisionTreeRegression, RandomForestRegression


def load_and_predict(name: str, started: float, rows: int) -> dict[str, float]:
    """Seconds since ``started`` to the loaded bundle and to the first prediction, and those that the prediction itself took."""
    work = works()[name]
    model = leapstream.load(work.bundle)
    loaded = time.time()
    frame = work.frame(rows)
    before = time.time()
    model.predict(frame)
    after = time.time()
    return {"loaded": loaded - started, "first": after - started, "prediction": after - before}


def import_seconds() -> tuple[float, float]:
    """Seconds that ``import leapstream`` takes in a new process, and seconds of that process."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import leapstream"],
        capture_output=True,
        text=True,
        check=True,
        env=ENVIRONMENT,
    )
    process = time.perf_counter() - start
    found = re.search(r"\|\s+(\d+) \| leapstream$", done.stderr, re.MULTILINE)
    assert found, "the interpreter does not say what it imported"
    return int(found.group(1)) / 1e6, process


def write_forest(path: str, trees: int, depth: int) -> None:
    """Write a forest of full trees over 20 features; the name of ``path`` begins with its format."""
    rng = np.random.default_rng(0)
    forest = RandomForestRegression(
        20, (1.0,) * trees, tuple(DecisionTreeRegression(full_tree(rng, depth, 20), 20) for _ in range(trees))
    )
    node = Node("forest", forest, (Socket("features", "features"),), (Socket("prediction", "prediction"),))
    leapstream.save(node, path, format="json" if Path(path).name.startswith("json") else "protobuf")


def load_forest(path: str) -> dict[str, float]:
    """Seconds of ``load``, CPU seconds of the first prediction after it, and the most memory of the process in MiB."""
    start = time.perf_counter()
    model = leapstream.load(path)
    loaded = time.perf_counter() - start
    start = time.process_time()
    model.predict({"features": [0.5] * 20})
    return {"load": loaded, "first": time.process_time() - start, "peak": peak()}


def job(name: str, *arguments: Any) -> dict[str, float]:
    """A measurement in a process of its own."""
    return load_forest(name) if not arguments else load_and_predict(name, *arguments)


def measure_forests(result: Result, rounds: int) -> None:
    """Measure ``load`` of forests."""
    with tempfile.TemporaryDirectory() as folder:
        for trees, depth in ((1000, 8), (100, 12)):
            work = f"{trees:,} trees of {2 ** (depth + 1) - 1:,} nodes"
            for format in ("json", "protobuf"):
                path = str(Path(folder, f"{format}-{trees}.zip"))
                write_forest(path, trees, depth)
                for _ in range(rounds):
                    said: dict[str, float] = in_process(__file__, [path])
                    result.add(work, f"leapstream, load, {format}", [said["load"]])
                    result.add(work, f"leapstream, first prediction, {format}", [said["first"]])


def main() -> None:
    """Measure all."""
    given = options_of_works(__doc__, 5, job)
    result = Result("loading", "s")
    measure_forests(result, given.rounds)
    for name in given.works:
        # So that the kernels are in numba's cache.
        in_process(__file__, [name, time.time(), ROWS])
    for _ in range(given.rounds):
        imported, process = import_seconds()
        result.add("import leapstream", "leapstream", [imported])
        result.add("process that imports leapstream", "leapstream", [process])
        for name in given.works:
            peer = run_alone(works()[name], "row", warm_up=0, seconds=0, rounds=0)
            result.add(name, "MLeap, bundle loaded", [peer.loaded])
            result.add(name, "MLeap, first prediction", [peer.first])
            _add(result, name, "warm", None)
            with tempfile.TemporaryDirectory() as empty:
                _add(result, name, "cold", {"NUMBA_CACHE_DIR": empty})
    result.finish()


def _add(result: Result, name: str, state: str, environment: dict[str, str] | None) -> None:
    said: dict[str, Any] = in_process(__file__, [name, time.time(), 1], environment)
    batch: dict[str, Any] = in_process(__file__, [name, time.time(), ROWS], environment)
    if environment is None:
        result.add(name, "leapstream, bundle loaded", [said["loaded"]])
    result.add(name, f"leapstream, first prediction, {state}", [said["first"]])
    result.add(name, f"leapstream, that prediction alone, {state}", [said["prediction"]])
    result.add(name, f"leapstream, a first batch of {ROWS:,} alone, {state}", [batch["prediction"]])


if __name__ == "__main__":
    main()
