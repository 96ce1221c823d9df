"""MLeap's own runtime: its jars from Maven Central, our code over it in ``peers/``, and its times outside of Flink.

The jars, and the compiled code, are kept in ``~/.cache/leapstream-bench``. Where there is no ``mvn``, the environment variable
``LEAPSTREAM_BENCH_JARS`` may name a directory that has ``ml.combust.mleap:mleap-runtime_2.12:0.20.0``, a newer ``commons-io``
and all that they need.

Run it with ``python benchmarks/jvm_peer.py [--works …] [--rounds N]``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from measure import Result
from workloads import Work, options_of_works, works

from leapstream.bundle.types import ScalarType
from leapstream.executors.jvm.gateway import compile_java, ensure_java
from leapstream.executors.jvm.jar import write_jar

PEERS = Path(__file__).resolve().parent / "peers"
PACKAGE = "leapstream.bench"
FORMS = {"frame1": "one-row frame", "row": "prepared row", "frame": "whole frame", "bare": "bare predict"}
"""The names of the ways to give rows to MLeap."""

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leapstream-bench"
_JARS = "LEAPSTREAM_BENCH_JARS"
# The one that Flink brings comes first wherever both are there.
_FLINK_HAS = "slf4j-api"


def forms_of(work: Work) -> list[str]:
    """The forms that a work can be had in."""
    return [form for form in FORMS if work.bare or form != "bare"]


def mleap_jars() -> list[Path]:
    """MLeap's jars, from the cache or by Maven.

    Exits with what is missing when there is neither.
    """
    given = os.environ.get(_JARS)
    if given:
        jars = sorted(Path(given).glob("*.jar"))
        if not any(jar.name.startswith("mleap-runtime") for jar in jars):
            sys.exit(f"{_JARS}={given} has no mleap-runtime among its {len(jars)} jars")
        return jars
    return maven_jars(PEERS / "pom.xml")


def maven_jars(pom: Path) -> list[Path]:
    """The jars that a project of Maven depends on, from the cache or by Maven."""
    directory = _CACHE / f"jars-{_digest(pom.read_bytes())}"
    if not directory.is_dir():
        maven = shutil.which("mvn")
        if maven is None:
            sys.exit(
                f"the JVM peers need the jars of {pom}: install Maven (mvn), or, for MLeap alone, let {_JARS} name a directory "
                "that has ml.combust.mleap:mleap-runtime_2.12:0.20.0, commons-io 2.17.0 and what they depend on"
            )
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as scratch:
            copied = Path(scratch) / "jars"
            command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={copied}"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"Maven cannot fetch the jars of {pom}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
            copied.rename(directory)
    return sorted(directory.glob("*.jar"))


def _digest(*contents: bytes) -> str:
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()[:16]


def peer_jar(extra: dict[str, str] | None = None) -> Path:
    """A jar of the code in ``peers/``, with generated classes besides; compiled by Janino when it is not there yet."""
    sources = {f"{PACKAGE}.{path.stem}": path.read_text() for path in sorted(PEERS.glob("*.java"))} | (extra or {})
    return java_jar(sources, mleap_jars())


def java_jar(sources: dict[str, str], jars: list[Path]) -> Path:
    """A jar of classes that use other jars; compiled by Janino when it is not there yet."""
    jar = _CACHE / f"peer-{_digest(*(source.encode() for source in sources.values()))}.jar"
    if not jar.is_file():
        write_jar(jar, compile_java(sources, jars), {}, {"Created-By": "leapstream benchmarks"})
    return jar


def flink_classpath() -> list[Path]:
    """Flink's own jars, those of PyFlink."""
    return sorted(Path(str(files("pyflink"))).glob("lib/*.jar"))


def flink_jars(extra: dict[str, str]) -> list[Path]:
    """The jars that a Flink job with the peer needs."""
    return [peer_jar(extra), *(jar for jar in mleap_jars() if not jar.name.startswith(_FLINK_HAS))]


def write_rows(work: Work) -> Path:
    """The rows of a work in the form that ``Alone.java`` reads."""
    frame = work.frame()
    names = [f"{f.name}:{f.type.base.value if isinstance(f.type, ScalarType) else 'tensor'}" for f in frame.schema]
    lines = ["\t".join(names)]
    for row in frame.rows:
        lines.append("\t".join(_text(value) for value in row))
    path = _CACHE / "rows" / f"{work.name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def _text(value: object) -> str:
    elements = getattr(value, "values", None)
    return str(value) if elements is None else " ".join(repr(float(element)) for element in elements)


@dataclass
class Alone:
    """The output of a measurement in its own JVM.

    Attributes:
        process: seconds from its start, seen from outside, to its end.
        loaded, first: seconds from its start to the loaded bundle, and to the first prediction.
        sum: of the predictions of all rows.
        micros: microseconds a row, in each round.
    """

    process: float
    loaded: float
    first: float
    sum: float
    micros: list[float]


def run_alone(work: Work, form: str, *, warm_up: float, seconds: float, rounds: int) -> Alone:
    """One form in a JVM of its own."""
    path = os.pathsep.join(map(str, [peer_jar(), *mleap_jars()]))
    java = str(ensure_java() / "bin" / "java")
    command = [java, "-cp", path, f"{PACKAGE}.Alone", str(work.bundle), str(write_rows(work)), work.prediction, form]
    start = time.perf_counter()
    done = subprocess.run(
        [*command, str(warm_up), str(seconds), str(rounds)], capture_output=True, text=True, check=False
    )
    process = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"the JVM peer failed with {work.name}, {form}:\n{done.stderr[-4000:]}")
    said = [line.split() for line in done.stdout.splitlines()]
    values = {key: float(value) for key, value in said if key != "round"}
    micros = [float(value) / 1000 for key, value in said if key == "round"]
    return Alone(process, values["loaded"] / 1000, values["first"] / 1000, values["sum"], micros)


def measure_alone(result: Result, work: Work, seconds: float, forms: list[str]) -> None:
    """Add a round of each form to a result; the forms take turns, each in a JVM of its own."""
    for form in forms:
        said = run_alone(work, form, warm_up=2 * seconds, seconds=seconds / 3, rounds=3)
        result.add(work.name, f"MLeap, {FORMS[form]}", said.micros)


def main() -> None:
    """Measure all forms."""
    given = options_of_works(__doc__, 3)
    result = Result("jvm_peer", "µs a row")
    for _ in range(given.rounds):
        for name in given.works:
            work = works()[name]
            measure_alone(result, work, given.seconds, forms_of(work))
    result.finish()


if __name__ == "__main__":
    main()
