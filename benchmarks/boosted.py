"""Boosted trees on the JVM, row by row: leapstream's function for Flink, and libraries of XGBoost and LightGBM, in one JVM.

The models are those of ``estimators.py``, which the Python of the peers trains. The function gets a boxed number for each of its
arguments, as in a Flink job; each peer gets rows in the form that it takes. Times are CPU times of the thread.

Run it with ``python benchmarks/boosted.py [--rounds N] [--seconds S]``.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from bench import PEERS_PYTHON
from jvm_peer import PACKAGE, PEERS, flink_classpath, java_jar, maven_jars
from measure import ENVIRONMENT, Result, in_process
from workloads import add_options, options

POM = PEERS / "boosted" / "pom.xml"
CLASS = "leapstream.models.Predict"
XGBOOST, LIGHTGBM = (
    {"xgboost-predictor": "xgboost.model", "xgboost4j": "xgboost.model"},
    {"lightgbmlib": "lightgbm.txt"},
)
WORKS = {"XGBoost 100 x 6": XGBOOST, "XGBoost 1000 x 6": XGBOOST, "LightGBM 300 x 63 leaves": LIGHTGBM}
"""The peers of each work, and the files that they read."""


def train(work: str, folder: str) -> None:
    """Write the bundle of a work, the file of its library and its rows into a folder; runs in the Python of the peers."""
    import estimators

    import leapstream

    trained = estimators.WORKS[work]()
    leapstream.save(trained.model, Path(folder) / "bundle.zip")
    rows = "\n".join("\t".join(map(repr, row)) for row in trained.rows.tolist())
    (Path(folder) / "rows.tsv").write_text(rows + "\n")
    if WORKS[work] is LIGHTGBM:
        estimators.lightgbm_booster().save_model(Path(folder) / "lightgbm.txt")
    else:
        # The old binary format, which both peers read, is that of MLeap's bundles.
        with zipfile.ZipFile(Path(folder) / "bundle.zip") as bundle:
            (name,) = [name for name in bundle.namelist() if name.endswith("/xgboost.model")]
            (Path(folder) / "xgboost.model").write_bytes(bundle.read(name))


def measure(result: Result, work: str, folder: Path, seconds: float, rounds: int) -> None:
    """Add the rounds of a work to a result."""
    import leapstream
    from leapstream.executors.jvm.gateway import ensure_java
    from leapstream.flink import Target, compile_jar

    peers = WORKS[work]
    model = leapstream.load(folder / "bundle.zip")
    compile_jar([Target("Predict", model, outputs=("prediction",))], folder / "predict.jar")
    # A method of xgboost4j that nothing here calls has this class in its signature.
    hadoop = java_jar(
        {"org.apache.hadoop.fs.FileSystem": "package org.apache.hadoop.fs; public class FileSystem {}"}, []
    )
    jars = [hadoop, *maven_jars(POM)]
    sources = {f"{PACKAGE}.Boosted": (PEERS / "boosted" / "Boosted.java").read_text()}
    path = os.pathsep.join(map(str, [java_jar(sources, jars), folder / "predict.jar", *jars, *flink_classpath()]))
    libraries = {"leapstream": CLASS} | {name: str(folder / file) for name, file in peers.items()}
    command = [str(ensure_java() / "bin" / "java"), "-cp", path, f"{PACKAGE}.Boosted", str(folder / "rows.tsv")]
    named = [word for library in libraries.items() for word in library]
    done = subprocess.run(
        [*command, str(seconds), str(rounds), *named], capture_output=True, text=True, check=False, env=ENVIRONMENT
    )
    if done.returncode:
        sys.exit(f"{work} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    sums = []
    for line in done.stdout.splitlines():
        kind, number, value = line.split()
        if kind == "sum":
            sums.append(float(value))
        else:
            result.add(work, list(libraries)[int(number)], [float(value) / 1000])
    if not all(math.isclose(value, sums[0], rel_tol=1e-4) for value in sums):
        sys.exit(f"{work}: the libraries differ: {dict(zip(libraries, sums, strict=True))}")


def main() -> None:
    """Measure all works."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, rounds=5)
    given = options(parser, train)
    result = Result("boosted", "µs a row")
    for work in WORKS:
        with tempfile.TemporaryDirectory() as folder:
            in_process(__file__, [work, folder], python=PEERS_PYTHON)
            measure(result, work, Path(folder), given.seconds, given.rounds)
    result.finish()


if __name__ == "__main__":
    main()
