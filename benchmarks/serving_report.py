"""The measurements of :mod:`serving`, and the page that it writes from them: ``docs/serving-performance.md``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from load import Load
from measure import RESULTS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "serving-performance.md"

PLAIN = "a record as JSON"
LIST = "a list of 100 records as JSON"
LEAP_FRAME = "a leap frame as JSON"
OIP = "tensors by the Open Inference Protocol"
GRPC = "a leap frame by gRPC"
OIP_GRPC = "tensors by gRPC"
OURS = "leapstream"
TWO = "leapstream, `--workers 2`"
ECHO = "uvicorn, raw ASGI that sends the body back"


@dataclass
class Measured:
    """The rounds of a row of the report.

    Attributes:
        work: the kind of request.
        variant: the server.
        full, half: the rounds at the highest load, and at half of it.
        memory: megabytes after the last one.
    """

    work: str
    variant: str
    full: list[Load] = field(default_factory=list)
    half: list[Load] = field(default_factory=list)
    memory: float = 0.0

    @property
    def cpu(self) -> float:
        """Microseconds of CPU of a request: the median of the rounds at the highest load."""
        return median(load.cpu for load in self.full)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return median(load.rate for load in self.full)

    @property
    def failed(self) -> int:
        """The requests that failed."""
        return sum(load.failed for load in [*self.full, *self.half])

    def line(self) -> str:
        """The last round, for whoever waits for it."""
        full = self.full[-1]
        half = f", {self.half[-1].p99:.2f} ms p99 at {self.half[-1].rate:.0f}/s" if self.half else ""
        return f"{self.work}, {self.variant}: {full.cpu:.1f} µs, {full.rate:.0f}/s, {full.failed} failed{half};"


@dataclass
class Measurements:
    """All rows, and where and when they were measured."""

    machine: dict[str, str]
    time: str
    rows: list[Measured]

    _PATH = RESULTS / "serving.json"

    def save(self) -> None:
        """Keep them for the page."""
        _save(self._PATH, asdict(self))

    @classmethod
    def load(cls) -> Measurements:
        """Those that were kept."""
        content = json.loads(cls._PATH.read_text())
        rows = [
            Measured(
                row["work"],
                row["variant"],
                [Load(**load) for load in row["full"]],
                [Load(**load) for load in row["half"]],
                row["memory"],
            )
            for row in content["rows"]
        ]
        return cls(content["machine"], content["time"], rows)

    def find(self, work: str, variant: str) -> Measured | None:
        """A row, if it was measured."""
        return next((row for row in self.rows if (row.work, row.variant) == (work, variant)), None)


@dataclass
class Soak:
    """The memory of a server over many requests: their number and the megabytes then."""

    time: str
    memory: list[tuple[int, float]]
    failed: int

    _PATH = RESULTS / "serving_soak.json"

    @property
    def requests(self) -> int:
        """The number of requests so far."""
        return self.memory[-1][0]

    def save(self) -> None:
        """Keep it for the page."""
        _save(self._PATH, asdict(self))


@dataclass
class Kill:
    """A load during which a worker was killed, and the number of workers that took its place."""

    time: str
    load: Load
    started: int

    _PATH = RESULTS / "serving_kill.json"

    def save(self) -> None:
        """Keep it for the page."""
        _save(self._PATH, asdict(self))


def _save(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


# ---- targets ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bound:
    """The most microseconds of CPU that a request of a kind should take."""

    work: str
    micros: float


@dataclass(frozen=True)
class Below:
    """A peer whose CPU time of a request should be at least ``factor`` times ours."""

    work: str
    peer: str
    factor: float = 1.0


TARGETS: tuple[Bound | Below, ...] = (
    Bound(PLAIN, 35),
    Below(PLAIN, "JDK HttpServer, MLeap's row transformer"),
    Below(LEAP_FRAME, "JDK HttpServer, MLeap's frame reader and writer"),
    Below(LEAP_FRAME, "JDK HttpServer, MLeap's row transformer"),
    Bound(OIP, 60),
    Below(OIP, "MLServer, `model.predict`", 8),
    Bound(GRPC, 180),
    Bound(OIP_GRPC, 180),
)
P99 = 5.0
"""Milliseconds of 99 of 100 requests at half of the highest load."""

SPEED_UP = 1.7


def judged(found: Measurements) -> Iterator[tuple[str, str, str]]:
    """For each target that was measured: its text, the result, and the verdict."""
    for target in TARGETS:
        ours = found.find(target.work, OURS)
        if ours is None:
            continue
        if isinstance(target, Bound):
            wanted = f"{target.work}: at most {target.micros:g} µs of CPU a request"
            yield wanted, f"{ours.cpu:.1f} µs", _verdict(ours.cpu <= target.micros)
            continue
        peer = found.find(target.work, target.peer)
        if peer is not None:
            wanted = f"{target.work}: {target.factor:g} × below {target.peer}"
            yield wanted, f"{peer.cpu / ours.cpu:.2f} ×", _verdict(peer.cpu >= target.factor * ours.cpu)
    one = found.find(PLAIN, OURS)
    if one is not None:
        p99 = median(load.p99 for load in one.half)
        yield f"{PLAIN}: 99 % within {P99:g} ms at half of the load", f"{p99:.2f} ms", _verdict(p99 <= P99)
    for work in (PLAIN, LIST):
        one, two = found.find(work, OURS), found.find(work, TWO)
        if one is not None and two is not None:
            wanted = f"{work}: two workers answer {SPEED_UP} × as many requests as one"
            yield wanted, f"{two.rate / one.rate:.2f} ×", _verdict(two.rate >= SPEED_UP * one.rate)


def _verdict(enough: bool) -> str:
    return "met" if enough else "**missed**"


# ---- the page ---------------------------------------------------------------------------------------------------------


def write_page() -> None:
    """Write the page from all that was measured."""
    found = Measurements.load()
    described = "; ".join(f"{key} {value}" for key, value in found.machine.items())
    texts = (Path(__file__).resolve().parent / "serving.md").read_text()
    before, _, after = texts.partition("<!-- figures -->\n")
    lines = [
        before.rstrip(),
        "",
        f"Measured {found.time} by `make bench-serve`: {described}.",
        "",
        "| wanted | found | |",
        "| --- | --- | --- |",
        *(f"| {wanted} | {result} | {verdict} |" for wanted, result, verdict in judged(found)),
        "",
        *tables(found),
        *soaked(),
        *killed(),
        after.strip(),
    ]
    PAGE.write_text("\n".join(lines).rstrip() + "\n")
    print(f"{PAGE} is written")


def tables(found: Measurements) -> Iterator[str]:
    """A table for each kind of request."""
    for work in dict.fromkeys(row.work for row in found.rows):
        ours = found.find(work, OURS)
        yield from (f"## {work[0].upper()}{work[1:]}", "")
        yield (
            "| server | µs of CPU a request: median | min | max | × leapstream | requests/s | p50, p99 in ms "
            "| p99 at half the load | MB |"
        )
        yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
        for row in (row for row in found.rows if row.work == work):
            micros = [load.cpu for load in row.full]
            ratio = f"{row.cpu / ours.cpu:.2f}" if ours is not None else ""
            cells = [
                row.variant,
                f"{row.cpu:.1f}",
                f"{min(micros):.1f}",
                f"{max(micros):.1f}",
                ratio,
                f"{row.rate:,.0f}",
            ]
            if row.half:
                shares = [median(load.p50 for load in row.full), median(load.p99 for load in row.full)]
                cells += [", ".join(f"{ms:.2f}" for ms in shares), f"{median(load.p99 for load in row.half):.2f}"]
            else:
                cells += ["", ""]
            yield f"| {' | '.join([*cells, f'{row.memory:.0f}'])} |"
        failed = [f"{row.variant} {row.failed}" for row in found.rows if row.work == work and row.failed]
        yield from ("", f"Failed requests: {', '.join(failed) or 'none'}.", "")


def soaked() -> Iterator[str]:
    """The memory over many requests."""
    if not Soak._PATH.is_file():
        return
    soak = Soak(**json.loads(Soak._PATH.read_text()))
    at = [point for point in soak.memory if point[0]]
    shown = [at[0], *(at[len(at) * part // 4] for part in (1, 2, 3)), at[-1]]
    yield from ("## Memory", "")
    places = ", ".join(f"{megabytes:.1f} MB after {requests:,}" for requests, megabytes in shown)
    yield f"{soak.requests:,} requests to one process, {soak.time}, {soak.failed} of which failed: {places}."
    yield ""


def killed() -> Iterator[str]:
    """The requests that fail when a worker is killed."""
    if not Kill._PATH.is_file():
        return
    content = json.loads(Kill._PATH.read_text())
    load = Load(**content["load"])
    yield from ("## A worker that is killed", "")
    yield (
        f"One of two workers got `kill -9` in the middle of 10 s of the highest load, {content['time']}: of "
        f"{load.requests:,} requests {load.failed} failed, which are connections that ended; {content['started']} worker "
        "took its place."
    )
    yield ""
