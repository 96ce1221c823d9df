"""Measures times, runs measurements in processes of their own, and saves the figures for the report."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "build" / "bench"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""For processes that are measured: Python keeps compiled modules, as it does for users."""
PARALLEL = "parallelism"
"""The work by which degrees of parallelism are compared."""
WHOLE = "whole job"
"""The work by which jobs with a function are compared to that without."""

_SHOWN = 3000
"""Characters of the beginning and of the end of what a process said that failed."""

_TASKS = ("Source: ", "Legacy Source T")
"""The beginnings of the names of the threads of a job that is one chain of operators."""

ONE_THREAD = dict.fromkeys(
    ("ARROW_NUM_THREADS", "LEAPSTREAM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"
)


@dataclass
class Figure:
    """The measurements of one variant.

    Attributes:
        work: the bundle or model that is run.
        variant: the library that runs it, and the form of the data.
        samples: the measured numbers, in the unit of the benchmark.
        x: the position on the axis of a curve, if the figure belongs to one.
    """

    work: str
    variant: str
    samples: list[float]
    x: float | None = None

    @property
    def median(self) -> float:
        """The middle one of the samples."""
        return median(self.samples)


@dataclass
class Result:
    """The figures of one benchmark.

    Attributes:
        benchmark: its name.
        unit: of its figures.
        figures: in the order in which they were measured.
        about: facts that belong to it, such as versions and settings.
    """

    benchmark: str
    unit: str
    figures: list[Figure] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)

    def add(self, work: str, variant: str, samples: Sequence[float], x: float | None = None) -> None:
        """Add samples to the figure of that variant, and show it."""
        figure = self.find(work, variant, x)
        if figure is None:
            figure = Figure(work, variant, [], x)
            self.figures.append(figure)
        figure.samples.extend(samples)
        # What was measured is kept should the rest be cut off.
        self.save()
        where = "" if x is None else f" at {x:g}"
        shown = ", ".join(f"{sample:.3g}" for sample in samples)
        print(f"{work}{where}, {variant}: {shown} {self.unit}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)

    def find(self, work: str, variant: str, x: float | None = None) -> Figure | None:
        """The figure of a variant, if it was measured."""
        return next((f for f in self.figures if (f.work, f.variant, f.x) == (work, variant, x)), None)

    def save(self) -> Path:
        """Write the figures to where the report looks for them."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        path = RESULTS / f"{self.benchmark}.json"
        content = {**asdict(self), "machine": machine(), "time": time.strftime("%Y-%m-%d %H:%M:%S %z")}
        path.write_text(json.dumps(content, indent=1) + "\n")
        return path

    @classmethod
    def load(cls, path: Path) -> tuple[Result, dict[str, str], str]:
        """The figures in a file, the machine that they are from, and the time."""
        content = json.loads(path.read_text())
        figures = [Figure(**figure) for figure in content["figures"]]
        result = cls(content["benchmark"], content["unit"], figures, content["about"])
        return result, content["machine"], content["time"]

    def finish(self) -> None:
        """Print the figures as a table."""
        print(f"\n{self.benchmark}, {self.unit}\n{'':<52} {'median':>9} {'min':>9} {'max':>9}")
        for figure in self.figures:
            where = "" if figure.x is None else f" at {figure.x:g}"
            name = f"{figure.work}{where}, {figure.variant}"
            print(f"{name:<52} {figure.median:>9.3f} {min(figure.samples):>9.3f} {max(figure.samples):>9.3f}")


def micros_per_row(function: Callable[[], object], rows: int, seconds: float, samples: int) -> list[float]:
    """Microseconds a row of a function that handles some rows, in samples of some seconds each, after a warm-up."""
    _timed(function, seconds / 2)
    return [_timed(function, seconds / samples) * 1e6 / rows for _ in range(samples)]


def _timed(function: Callable[[], object], seconds: float) -> float:
    """Seconds of a call, over as many as fill some seconds."""
    calls = 0
    start = now = time.perf_counter()
    while now < start + seconds or not calls:
        function()
        calls += 1
        now = time.perf_counter()
    return (now - start) / calls


def in_process(
    script: str, job: Sequence[Any], environment: dict[str, str] | None = None, *, python: Path = Path(sys.executable)
) -> Any:
    """Run ``script --job JOB`` in a new process of a Python; returns its last line, parsed as JSON."""
    text = json.dumps(job)
    # Flink starts its Python workers with the python on PATH.
    path = os.pathsep.join([str(python.parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        [str(python), "-W", "ignore", script, "--job", text],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT | {"PATH": path} | (environment or {}),
    )
    if done.returncode:
        said = done.stderr if len(done.stderr) < 2 * _SHOWN else f"{done.stderr[:_SHOWN]}\n…\n{done.stderr[-_SHOWN:]}"
        sys.exit(f"{Path(script).name} --job {text!r} failed:\n{done.stdout[-_SHOWN:]}{said}")
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> dict[str, str]:
    """The facts about the machine that a reader of the figures needs."""
    described = {
        "Processor": _processor(),
        "Cores": str(os.cpu_count()),
        "Memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "System": platform.platform(),
        "Python": platform.python_version(),
    }
    for name in ("numpy", "numba", "pyarrow", "pandas", "apache-flink"):
        try:
            described[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return described


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"model name\s*:\s*(.+)", text)
    return found.group(1) if found else platform.machine()


def nanos_of_a_row(
    jobs: Mapping[str, Callable[[int], float]], rows: tuple[int, int], rounds: int
) -> Iterator[tuple[str, float]]:
    """Nanoseconds of CPU time that each job takes for a row, round by round, after each job has run once.

    A job gives its CPU seconds for so many rows. The difference of many rows and few leaves out what it takes to start.
    """
    few, many = rows
    for job in jobs.values():
        job(few)
    for _ in range(rounds):
        for name, job in jobs.items():
            yield name, (job(many) - job(few)) * 1e9 / (many - few)


def cpu_seconds() -> float:
    """The CPU time that the processes which this one started, a JVM's, have had; Linux alone tells it."""
    ticks = 0
    for child in _descendants():
        with suppress(FileNotFoundError):
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def task_seconds(work: Callable[[], object]) -> float:
    """The CPU time of the threads that run Flink's tasks during some work; Linux alone tells it.

    It leaves out the threads of the JVM that compile and collect garbage, whose time differs most between two runs. A thread ends
    with its job, so that another one looks at them 50 times a second.
    """
    nanos: dict[Path, int] = {}
    processes = list(_descendants())
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            for thread in (thread for process in processes for thread in Path(f"/proc/{process}/task").iterdir()):
                # It may end meanwhile.
                with suppress(FileNotFoundError, ProcessLookupError):
                    if thread in nanos or (thread / "comm").read_text().startswith(_TASKS):
                        nanos[thread] = int((thread / "schedstat").read_text().split()[0])

    looking = threading.Thread(target=look)
    looking.start()
    try:
        work()
    finally:
        ended.set()
        looking.join()
    return sum(nanos.values()) / 1e9


def _descendants() -> Iterator[int]:
    """The processes that this one started, and those that they started."""
    waiting = [os.getpid()]
    while waiting:
        for children in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            # A thread may end meanwhile, and a process that it started with it.
            with suppress(FileNotFoundError):
                found = [int(child) for child in children.read_text().split()]
                yield from found
                waiting.extend(found)
