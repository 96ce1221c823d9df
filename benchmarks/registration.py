"""Measures registrations of functions: seconds in a warm process and in a new one, and bytes that they add to a job.

Each round runs two new processes, one that registers and one that predicts a row in the JVM. PyFlink's gateway and a table
environment are running before the clock does. A first pair of processes, with an empty cache, is reported apart. The script
measures older versions of leapstream too: ``PYTHONPATH=/older/src python benchmarks/registration.py``.

Run it with ``python benchmarks/registration.py [--rounds N]``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

BUNDLE = Path(__file__).parents[1] / "tests" / "bench" / "linear3.zip"
ROW = {"feature1": 1.0, "feature2": 2.0, "feature3": 3.0}
REGISTRATIONS = 12

MEASURES = {
    "first registration of a process": "s",
    "further registration": "s",
    "first prediction of a process in the JVM": "s",
    "first registration adds": "kB",
    "further registration adds": "kB",
}


def seconds(function: Callable[[], Any]) -> float:
    """The seconds that a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def start_gateway() -> None:
    """Start PyFlink's gateway, on a Java that leapstream finds in this version or in an older one."""
    from pyflink.java_gateway import get_gateway

    package = "leapstream.executors" if importlib.util.find_spec("leapstream.executors") else "leapstream"
    importlib.import_module(f"{package}.jvm.gateway").ensure_java()
    get_gateway()


def registering() -> dict[str, float]:
    """Register the same model under several names in this process."""
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    import leapstream
    from leapstream.flink import MLeapUDFRegistry

    def jars() -> dict[str, int]:
        urls = Configuration.parse_list_value(table_env.get_config().get("pipeline.jars", "") or "[]")
        paths = [Path(unquote(urlparse(url).path)) for url in urls]
        return {str(path): path.stat().st_size for path in paths}

    start_gateway()
    table_env = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    table_env.execute_sql("SHOW FUNCTIONS")
    taken, sizes = [], [0]
    for number in range(REGISTRATIONS):
        model = leapstream.load(BUNDLE)
        model.plan(model.schema.inputs, model.prediction_columns())
        taken.append(seconds(partial(MLeapUDFRegistry.register, f"Predict{number}", model, table_env)))
        sizes.append(sum(jars().values()))
    return {
        "first registration of a process": taken[0],
        "further registration": statistics.median(taken[2:]),
        "first registration adds": sizes[1] / 1000,
        "further registration adds": (sizes[-1] - sizes[1]) / (REGISTRATIONS - 1) / 1000,
    }


def predicting() -> dict[str, float]:
    """Predict a first row in the JVM in this process."""
    import leapstream

    start_gateway()
    model = leapstream.load(BUNDLE)
    model.predict([ROW])
    return {"first prediction of a process in the JVM": seconds(lambda: model.predict([ROW], backend="jvm"))}


def measured(cache: Path) -> dict[str, float]:
    """The measures of one round, with a cache directory."""
    found: dict[str, float] = {}
    for task in ("registering", "predicting"):
        command = [sys.executable, "-W", "ignore", __file__, "--task", task]
        environment = {**os.environ, "LEAPSTREAM_CACHE_DIR": str(cache)}
        answer = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        found |= json.loads(answer.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--task", choices=["registering", "predicting"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task is not None:
        print(json.dumps({"registering": registering, "predicting": predicting}[arguments.task]()))
        return
    with tempfile.TemporaryDirectory() as cache:
        empty = measured(Path(cache))
        rounds = [measured(Path(cache)) for _ in range(arguments.rounds)]
    print("| measure | min | median | with an empty cache |\n| --- | --- | --- | --- |")
    for measure, unit in MEASURES.items():
        values = [found[measure] for found in rounds]
        texts = [f"{value:.3g} {unit}" for value in (min(values), statistics.median(values), empty[measure])]
        print(f"| {measure} | {' | '.join(texts)} |")


if __name__ == "__main__":
    main()
