"""Counts the rows of requests in the bins of the models' profiles, by windows of time."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from leapstream.bundle.writer import write_atomically
from leapstream.drift import Profile
from leapstream.drift.profiles import Side
from leapstream.errors import LeapstreamError
from leapstream.model import Model
from leapstream.serving.logs import LOG
from leapstream.serving.observing import ObservedModel, Outputs, every, rows_of
from leapstream.serving.settings import DriftSettings

if TYPE_CHECKING:
    from leapstream.drift import Counts
    from leapstream.frames.running import RowResults
    from leapstream.serving.registry import ModelRegistry, ServedModel

# Seconds between two counts of what has come, and between two reports to the other workers.
_PAUSE, _REPORT_PAUSE = 0.25, 1.0
_PREFIX = "drift-"
_WINDOWS = 2


@dataclass(frozen=True)
class Window:
    """The counts of a window of time.

    Attributes:
        start, end: its bounds, in seconds since 1970.
        counts: the counts of all workers.
    """

    start: float
    end: float
    counts: Counts

    def as_json(self) -> dict[str, Any]:
        """The window for people and programs: PSI and missing rate of each column, and its counts."""
        columns = []
        for drift, column, counts in zip(
            self.counts.drift(), self.counts.profile.columns, self.counts.as_lists(), strict=True
        ):
            columns.append(
                {
                    "name": drift.name,
                    "side": drift.side,
                    "psi": drift.psi,
                    "missing_rate": drift.missing_rate,
                    "missing_rate_in_training": drift.missing_rate_in_training,
                    "rows": drift.rows,
                    "bins": list(column.edges or column.values),
                    "counts": counts[:-1],
                }
            )
        return {"start": _moment(self.start), "end": _moment(self.end), "rows": self.counts.rows, "columns": columns}


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat()


@dataclass(eq=False)
class _Watched:
    """A version whose rows are counted. It looks at rows as long as it may count some.

    Attributes:
        model: the version's model.
        profile: its profile.
        digest: tells profiles apart.
        left: the rows that it may count before time gives it more.
    """

    model: Model
    profile: Profile
    digest: str
    observed: ObservedModel
    left: float
    records: list[tuple[Mapping[str, Any], dict[str, Any] | None, bool]] = field(default_factory=list)
    frames: list[tuple[Any, Any]] = field(default_factory=list)
    windows: dict[float, Counts] = field(default_factory=dict)

    def record(self, record: Mapping[str, Any], outputs: Outputs, answer: dict[str, Any] | None, failed: bool) -> None:
        """Keep a record, to be counted later."""
        self.left -= 1
        if self.left < 1:
            self.observed.pause(self)
        self.records.append((record, answer, failed and outputs is None))

    def rows(self, frame: Any, outputs: Outputs, results: RowResults | None) -> None:
        """Keep some rows of a batch, to be counted later."""
        rows = rows_of(frame)
        step = max(1, -int(-rows // max(self.left, 1)))
        self.left -= rows // step
        if self.left < 1:
            self.observed.pause(self)
        self.frames.append((every(frame, step), None if results is None else every(results.frame, step)))

    def count(self, now: float, window: float) -> bool:
        """Count what was kept; returns false if there was nothing."""
        records, self.records = self.records, []
        frames, self.frames = self.frames, []
        if not records and not frames:
            return False
        start = now // window * window
        if start not in self.windows:
            self.windows[start] = _counts(self)
            for old in sorted(self.windows)[:-_WINDOWS]:
                del self.windows[old]
        counts = self.windows[start]
        _add(counts, [record for record, _, _ in records], "input")
        answers: dict[Any, list[Any]] = defaultdict(list)
        for _, answer, failed in records:
            if answer is not None:
                answers[tuple(answer)].append(answer)
            elif failed:
                names = self.model.schema.outputs.names
                answers[names].append(dict.fromkeys(names))
        for alike in answers.values():
            _add(counts, alike, "output")
        for frame, results in frames:
            _add(counts, frame, "input")
            if results is not None:
                _add(counts, results, "output")
        return True


def _counts(watched: _Watched) -> Counts:
    # A server without profiles has no need of what counts.
    from leapstream.drift import Counts

    return Counts(watched.profile, watched.model.schema)


def _add(counts: Counts, frame: Any, side: Side) -> None:
    if not rows_of(frame):
        return
    try:
        counts.add_frame(frame, side)
    except LeapstreamError:
        # A value that is of no use to the model spoils a frame; then its good rows are counted.
        for record in frame if isinstance(frame, list) and len(frame) > 1 else ():
            _add(counts, [record], side)


class DriftMonitor(Collector):
    """The drift of the models of a server that have a profile; of all workers together.

    Args:
        models: the served models.
        settings: windows, and how many rows are counted.
        directory: where the workers tell each other their counts; ``None`` for one process.
    """

    def __init__(self, models: ModelRegistry, settings: DriftSettings, directory: Path | None) -> None:
        self._models = models
        self._settings = settings
        self._directory = directory
        self._watched: dict[tuple[str, str], _Watched] = {}
        self._counting = threading.Lock()
        self._thread: threading.Thread | None = None
        for served in models:
            self._changed(served.name, served)
        models.listen(self._changed)

    # ---- what is watched ----------------------------------------------------------------------------------------------

    def _changed(self, name: str, served: ServedModel | None) -> None:
        live = [] if served is None else [served] if served.group is None else list(served.group.versions)
        versions = {version.version for version in live}
        for key in [key for key in self._watched if key[0] == name and key[1] not in versions]:
            watched = self._watched.pop(key)
            watched.observed.pause(watched)
        for version in live:
            self._watch(version)

    def _watch(self, served: ServedModel) -> None:
        profile = served.profile
        if profile is None or self._settings.rows_per_second == 0:
            return
        if not isinstance(served.model, ObservedModel):
            served.model = ObservedModel(served.model)
        before = self._watched.get((served.name, served.version))
        digest = hashlib.sha256(profile.as_bytes()).hexdigest()
        watched = _Watched(served.model, profile, digest, served.model, self._settings.burst)
        if before is not None and before.digest == digest:
            watched.windows = before.windows
        self._watched[served.name, served.version] = watched
        served.model.resume(watched)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="leapstream-drift", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        reported = time.monotonic()
        changed = False
        while True:
            time.sleep(_PAUSE)
            try:
                changed |= self.count()
                for watched in list(self._watched.values()):
                    more = watched.left + self._settings.rows_per_second * _PAUSE
                    watched.left = min(more, self._settings.burst)
                    if watched.left >= 1:
                        watched.observed.resume(watched)
                if changed and time.monotonic() - reported > _REPORT_PAUSE:
                    self._report()
                    changed, reported = False, time.monotonic()
            except Exception as error:
                LOG.error("rows not counted", exc_info=error)

    def count(self) -> bool:
        """Count the rows that have come since the last time; returns false if there were none."""
        with self._counting:
            now = time.time()
            found = [watched.count(now, self._settings.window) for watched in list(self._watched.values())]
            return any(found)

    def _report(self) -> None:
        if self._directory is None:
            return
        with self._counting:
            content = [
                [name, version, watched.digest, start, counts.as_lists()]
                for (name, version), watched in self._watched.items()
                for start, counts in watched.windows.items()
            ]
        write_atomically(self._directory / f"{_PREFIX}{os.getpid()}.json", json.dumps(content).encode())

    # ---- what is told -------------------------------------------------------------------------------------------------

    def windows(self, name: str, version: str) -> list[Window]:
        """The windows of a version, the newest first: the current one, if rows have come, and the one before."""
        watched = self._watched.get((name, version))
        if watched is None:
            return []
        self.count()
        sums: dict[float, Counts] = {}

        def add(start: float, lists: list[list[int]]) -> None:
            if start not in sums:
                sums[start] = _counts(watched)
            sums[start].add_lists(lists)

        with self._counting:
            for start, counts in watched.windows.items():
                add(start, counts.as_lists())
        for other, of, digest, start, lists in self._reports():
            if (other, of, digest) == (name, version, watched.digest):
                add(start, lists)
        window = self._settings.window
        newest = sorted(sums, reverse=True)[:_WINDOWS]
        return [Window(start, start + window, sums[start]) for start in newest]

    def _reports(self) -> Iterator[Any]:
        """The counts of the other workers, also of those that ended."""
        if self._directory is None:
            return
        own = f"{_PREFIX}{os.getpid()}.json"
        for file in self._directory.glob(f"{_PREFIX}*.json"):
            if file.name != own:
                yield from json.loads(file.read_bytes())

    def report(self, name: str) -> dict[str, Any]:
        """The drift of a model's live versions, for people and programs."""
        now = time.time()
        versions = []
        for of, version in list(self._watched):
            if of != name:
                continue
            windows = self.windows(name, version)
            current = next((window.as_json() for window in windows if window.end > now), None)
            last = next((window.as_json() for window in windows if window.end <= now), None)
            versions.append({"version": version, "current": current, "last": last})
        return {"model": name, "window_seconds": self._settings.window, "versions": versions}

    def describe(self) -> list[Metric]:
        """Nothing: there are no metrics before there are rows."""
        return []

    def collect(self) -> Iterator[Metric]:
        """PSI and missing rate of each column, of the last whole window; until there is one, of the current."""
        by_column = ("model", "version", "side", "column")
        psi = GaugeMetricFamily(
            "leapstream_drift_psi", "Population stability index of a column against its profile.", labels=by_column
        )
        missing = GaugeMetricFamily(
            "leapstream_drift_missing_rate", "The share of missing values of a column.", labels=by_column
        )
        rows = GaugeMetricFamily(
            "leapstream_drift_rows", "Rows that were counted in the window.", labels=("model", "version")
        )
        now = time.time()
        for name, version in sorted(self._watched):
            windows = self.windows(name, version)
            if not windows:
                continue
            window = next((found for found in windows if found.end <= now), windows[0])
            rows.add_metric([name, version], window.counts.rows)
            for drift in window.counts.drift():
                labels = [name, version, drift.side, drift.name]
                missing.add_metric(labels, drift.missing_rate)
                if drift.psi is not None:
                    psi.add_metric(labels, drift.psi)
        yield from (psi, missing, rows)
