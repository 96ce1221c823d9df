"""Contracts: a bundle with recorded frames, and how far a backend's answers are from them.

A contract is a folder: ``bundle.zip`` or ``bundle/``, an ``input`` and an ``expected`` leap frame (``.json``, or ``.leap`` where
JSON cannot hold a value), and ``case.json``, whose keys are those of the cases that MLeap's own runtime recorded
(``tests/golden/README.md``).
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.tensor import Tensor
from leapstream.bundle.types import BasicType, Field, ScalarType, Schema
from leapstream.bundle.writer import write_bundle
from leapstream.errors import BundleError, LeapstreamError, PredictionError, SchemaError
from leapstream.model import Backend, Model, load

EXACT = frozenset(
    {
        "pipeline",
        *("string_indexer", "reverse_string_indexer", "string_map", "regex_indexer", "map_entry_selector", "tokenizer"),
        *("regex_tokenizer", "ngram", "stopwords_remover", "word_filter", "binarizer", "sklearn_binarizer"),
        *("bucketizer", "one_hot_encoder", "vector_indexer", "vector_slicer", "vector_assembler", "chi_sq_selector"),
        *("coalesce", "imputer", "hashing_term_frequency", "count_vectorizer", "feature_hasher", "min_hash_lsh"),
        *("bucketed_random_projection_lsh", "multinomial_labeler", "decision_tree_regression"),
        *("k_means", "bisecting_k_means"),
    }
)
"""Ops whose answers have to be equal to the last bit."""

RELATIVE = {
    **dict.fromkeys(("multi_layer_perceptron_classifier", "gaussian_mixture"), 1e-8),
    **dict.fromkeys(("generalized_linear_regression", "aft_survival_regression"), 1e-8),
    **dict.fromkeys(("als", "xgboost.classifier"), 1e-6),
}
"""Relative tolerance by op, where it is not 1e-9: powers, pseudo-inverses, single precision."""

ABSOLUTE = {"lda_local_model_op": 1e-3}
"""Absolute tolerance by op, where it is not 1e-12."""

_CHUNK = 256
_ROW = "\0row"


@dataclass(frozen=True)
class Tolerance:
    """How far a number may be from the recorded one: ``|ours - theirs| <= max(absolute, relative * |theirs|)``."""

    relative: float = 1e-9
    absolute: float = 1e-12

    @classmethod
    def of(cls, ops: Sequence[str]) -> Tolerance:
        """What the ops of a bundle are held to."""
        if EXACT.issuperset(ops):
            return cls(0.0, 0.0)
        return cls(
            max((RELATIVE.get(op, 1e-9) for op in ops), default=1e-9),
            max((ABSOLUTE.get(op, 1e-12) for op in ops), default=1e-12),
        )


# ---- running a model, row by row where it fails -----------------------------------------------------------------------


@dataclass(frozen=True)
class Answers:
    """What a model says of the rows of a frame.

    Attributes:
        schema: the columns that the model adds.
        rows: values of these columns, by the row's number in the frame.
        errors: why a row fails, by its number.
    """

    schema: Schema
    rows: dict[int, tuple[Any, ...]]
    errors: dict[int, str]


def answers(transform: Callable[[LeapFrame], LeapFrame], frame: LeapFrame) -> Answers:
    """Run a model over a frame; rows that fail are left out, and so are rows that the model drops.

    Raises:
        SchemaError: the frame does not fit the model at all.
    """
    number = Field(_ROW, ScalarType(BasicType.LONG, False))
    schema = Schema((*frame.schema.fields, number))
    width = len(schema.fields)
    found: dict[int, tuple[Any, ...]] = {}
    errors: dict[int, str] = {}
    added: Schema | None = None

    def take(start: int, stop: int) -> None:
        nonlocal added
        rows = [(*frame.rows[i], i) for i in range(start, stop)]
        result = transform(LeapFrame(schema, list(rows)))
        fields = Schema(result.schema.fields[width:])
        added = fields if added is None else added
        found.update((row[width - 1], tuple(row[width:])) for row in result.rows)

    for begin in range(0, max(len(frame.rows), 1), _CHUNK):
        start, stop = begin, min(begin + _CHUNK, len(frame.rows))
        while True:
            try:
                take(start, stop)
                break
            except PredictionError as error:
                failed = start + (error.row or 0)
                errors[failed] = str(error.reason)
                if failed > start:
                    take(start, failed)
                start = failed + 1
    return Answers(added or Schema(()), found, errors)


# ---- contracts --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contract:
    """A recorded case.

    Attributes:
        path: its folder.
    """

    path: Path

    @cached_property
    def info(self) -> Mapping[str, Any]:
        """What ``case.json`` says; empty without one."""
        file = self.path / "case.json"
        try:
            info = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        except (OSError, ValueError) as error:
            raise BundleError(f"{file}: {error}") from error
        if not isinstance(info, dict):
            raise BundleError(f"{file}: an object is expected")
        return info

    @cached_property
    def bundle(self) -> Path:
        """Where its bundle is."""
        archive = self.path / "bundle.zip"
        return archive if archive.exists() else self.path / "bundle"

    def frame(self, name: str) -> LeapFrame:
        """The ``input`` or ``expected`` frame."""
        binary = self.path / f"{name}.leap"
        return LeapFrame.read(binary if binary.exists() else self.path / f"{name}.json")

    @property
    def tolerance(self) -> Tolerance:
        """What it is held to: what it says itself, or what its ops are held to."""
        given = self.info.get("tolerance")
        if given is not None:
            return Tolerance(float(given["relative"]), float(given["absolute"]))
        return Tolerance.of(self.info.get("ops", ()))

    def verify(self, model: Model, backend: Backend, tolerance: Tolerance | None = None) -> Report:
        """Hold a model's answers against the recorded ones."""
        return self.verify_answers(
            answers(lambda frame: model.transform(frame, backend=backend), self.frame("input")), tolerance
        )

    def verify_answers(self, found: Answers, tolerance: Tolerance | None = None) -> Report:
        """Hold answers against the recorded ones, whatever gave them."""
        info = self.info
        given, expected = self.frame("input"), self.frame("expected")
        failing = {int(e["row"]) for e in info.get("error_rows", ())}
        dropped = {int(row) for row in info.get("dropped_rows", ())}
        unwritable = {int(u["row"]) for u in info.get("unwritable_rows", ())}
        recorded = [i for i in range(len(given.rows)) if i not in failing | dropped | unwritable]
        added = [f.name for f in expected.schema if f.name not in given.schema]
        special = {
            (int(n["row"]), n["column"], n["index"]): float(str(n["value"]).replace("Infinity", "inf"))
            for n in info.get("nonfinite", ())
        }
        report = Report([])
        if len(expected.rows) != len(recorded):
            report.problems.append(f"{len(expected.rows)} rows are recorded, and {len(recorded)} are accounted for")
            return report
        for row in sorted(failing):
            if row not in found.errors:
                report.problems.append(f"row {row} has to fail, and does not")
        for row, reason in sorted(found.errors.items()):
            if row not in failing:
                report.problems.append(f"row {row} fails: {reason}")
        for row in sorted(dropped & found.rows.keys()):
            report.problems.append(f"row {row} has to be dropped, and is not")
        for row in recorded:
            if row not in found.rows and row not in found.errors:
                report.problems.append(f"row {row} is dropped, and has not to be")
        names = found.schema.names
        unstable = set(info.get("unstable_outputs", ()))
        allowed = tolerance or self.tolerance
        for name in added:
            if name in unstable:
                continue
            if name not in names:
                report.problems.append(f"column {name!r} is missing")
                continue
            position = names.index(name)
            column = ColumnReport(name)
            for row, theirs in zip(recorded, expected.column(name), strict=True):
                if row in found.rows:
                    lookup = _Special(special, row, name)
                    column.compare(row, found.rows[row][position], theirs, allowed, lookup)
            report.columns.append(column)
        return report


@dataclass(frozen=True)
class _Special:
    """The recorded number where JSON shows null for it."""

    values: Mapping[tuple[int, str, int | None], float]
    row: int
    column: str

    def at(self, index: int | None) -> float | None:
        return self.values.get((self.row, self.column, index))


def contracts(folder: Path) -> list[Contract]:
    """The contracts below a folder, by name; those that only say that a bundle does not load are no contracts.

    Raises:
        BundleError: there are none.
    """
    parents = {path.parent for pattern in ("expected.json", "expected.leap") for path in folder.rglob(pattern)}
    found = [Contract(path) for path in sorted(parents)]
    if not found:
        raise BundleError(f"{folder}: no contracts are there (folders with a bundle, an input and an expected frame)")
    return found


def record(
    model: Model, frame: LeapFrame, folder: Path, *, backend: Backend = "vectorized", tolerance: Tolerance | None = None
) -> Contract:
    """Record what a model answers as a contract.

    Args:
        model: the model; its bundle goes into the folder.
        frame: the input.
        folder: where to; a contract that is there is replaced.
        backend: what runs the model.
        tolerance: what later runs are held to; by default what the model's ops are held to.

    Raises:
        SchemaError: the frame does not fit the model.
        BundleError: the folder cannot be written.
    """
    found = answers(lambda part: model.transform(part, backend=backend), frame)
    rows = range(len(frame.rows))
    kept = [i for i in rows if i in found.rows]
    expected = LeapFrame(
        Schema((*frame.schema.fields, *found.schema.fields)), [(*frame.rows[i], *found.rows[i]) for i in kept]
    )
    ops = sorted({node.op.op for node in model.nodes})
    allowed = tolerance or Tolerance.of(ops)
    info = {
        "ops": ops,
        "format": model.definition.format,
        "container": "zip",
        "outputs": list(found.schema.names),
        "rows_in": len(frame.rows),
        "rows_out": len(kept),
        "error_rows": [{"row": row, "error": reason} for row, reason in sorted(found.errors.items())],
        "dropped_rows": [i for i in rows if i not in found.rows and i not in found.errors],
        "tolerance": {"relative": allowed.relative, "absolute": allowed.absolute},
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in ("bundle", "bundle.zip", "input.json", "input.leap", "expected.json", "expected.leap"):
            path = folder / stale
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        (folder / "case.json").write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BundleError(f"{folder}: cannot be written: {error.strerror or error}") from error
    write_bundle(model.definition, folder / "bundle.zip")
    _write_frame(frame, folder, "input")
    _write_frame(expected, folder, "expected")
    return Contract(folder)


def _write_frame(frame: LeapFrame, folder: Path, name: str) -> None:
    """In JSON, which people can read, where that loses nothing."""
    lossless = LeapFrame.from_bytes(frame.to_bytes("json")) == frame
    frame.write(folder / (f"{name}.json" if lossless else f"{name}.leap"))


def verify_frames(
    model: Model, given: LeapFrame, expected: LeapFrame, backend: Backend, tolerance: Tolerance | None = None
) -> Report:
    """Hold a model's answers against a frame of expected ones, row by row; rows that the model drops are not in it."""
    found = answers(lambda frame: model.transform(frame, backend=backend), given)
    report = Report([f"row {row} fails: {reason}" for row, reason in sorted(found.errors.items())])
    kept = [found.rows[row] for row in sorted(found.rows)]
    if len(kept) != len(expected.rows):
        report.problems.append(f"the model gives {len(kept)} rows, and {len(expected.rows)} are expected")
        return report
    allowed = tolerance or Tolerance.of([node.op.op for node in model.nodes])
    names = found.schema.names
    compared = [f.name for f in expected.schema if f.name in names]
    if not compared:
        report.problems.append(f"the expected frame has none of the model's columns: {', '.join(names)}")
    for name in compared:
        column = ColumnReport(name)
        position = names.index(name)
        for row, ours, theirs in zip(sorted(found.rows), kept, expected.column(name), strict=True):
            column.compare(row, ours[position], theirs, allowed)
        report.columns.append(column)
    return report


# ---- how far apart ----------------------------------------------------------------------------------------------------


@dataclass
class ColumnReport:
    """How far a column's values are from the recorded ones.

    Attributes:
        name: the column.
        values: how many numbers, strings, … were compared.
        absolute, relative: greatest difference of two numbers.
        problem: the first value beyond the tolerance, in words; ``None`` when there is none.
    """

    name: str
    values: int = 0
    absolute: float = 0.0
    relative: float = 0.0
    problem: str | None = None

    def compare(self, row: int, ours: Any, theirs: Any, allowed: Tolerance, special: _Special | None = None) -> None:
        """Compare the values of a row."""
        count, differing = _differing(ours, theirs)
        self.values += count
        for index, mine, other in differing:
            recorded = None if special is None or not isinstance(mine, float) else special.at(index)
            if not self._agree(mine, other if recorded is None else recorded, allowed) and self.problem is None:
                place = "" if index is None else f"[{index}]"
                self.problem = f"row {row}: {self.name}{place} is {mine!r}, and {other!r} is expected"

    def _agree(self, ours: Any, theirs: Any, allowed: Tolerance) -> bool:
        if isinstance(ours, float) and isinstance(theirs, (int, float)):
            if ours == theirs or (math.isnan(ours) and math.isnan(theirs)):
                return True
            difference = abs(ours - theirs)
            if not math.isfinite(difference):
                return False
            self.absolute = max(self.absolute, difference)
            self.relative = max(self.relative, difference / abs(theirs) if theirs else math.inf)
            return difference <= max(allowed.absolute, allowed.relative * abs(theirs))
        return type(ours) is type(theirs) and bool(ours == theirs)


class _Other:
    """A value of another kind or length than the recorded one: unequal to everything."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _differing(ours: Any, theirs: Any) -> tuple[int, Iterable[tuple[int | None, Any, Any]]]:
    """How many elements there are to compare, and those pairs that are not equal, with their place in a tensor or list."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return len(ours), [(None, _plain(ours[key]), _plain(theirs[key])) for key in ours]
    mine, other = _listed(ours), _listed(theirs)
    if mine is None and other is None:
        return 1, [(None, _plain(ours), _plain(theirs))]
    if mine is None or other is None:
        return 1, [(None, _Other(repr(ours)), theirs)]
    if len(mine) != len(other):
        return 1, [(None, _Other(f"of {len(mine)} elements"), _Other(f"one of {len(other)} elements"))]
    # Hashed vectors have a million elements, nearly all of them 0.
    arrays = isinstance(mine, np.ndarray) and isinstance(other, np.ndarray) and mine.dtype == other.dtype
    places = np.flatnonzero(mine != other).tolist() if arrays else range(len(mine))
    return len(mine), ((i, _plain(mine[i]), _plain(other[i])) for i in places)


def _listed(value: Any) -> Any:
    """The elements of a tensor or list, as an array or a list; ``None`` for anything else."""
    if isinstance(value, Tensor):
        return value.to_dense().reshape(-1)
    return value if isinstance(value, (list, tuple, np.ndarray)) else None


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


@dataclass
class Report:
    """What came of a verification.

    Attributes:
        problems: what is wrong beside values: rows that fail, columns that are missing, …
        columns: the columns that were compared.
    """

    problems: list[str]
    columns: list[ColumnReport] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.problems and all(column.problem is None for column in self.columns)

    @property
    def reasons(self) -> list[str]:
        """All that does not."""
        return [*self.problems, *(c.problem for c in self.columns if c.problem is not None)]


def verify_folder(
    folder: Path, backends: Sequence[Backend], tolerance: Tolerance | None = None
) -> Iterator[tuple[Contract, Backend, Report]]:
    """Verify every contract below a folder on some backends.

    Raises:
        BundleError: there are no contracts.
    """
    for contract in contracts(folder):
        for backend in backends:
            yield contract, backend, _verified(contract, backend, tolerance)


def _verified(contract: Contract, backend: Backend, tolerance: Tolerance | None) -> Report:
    try:
        return contract.verify(load(contract.bundle), backend, tolerance)
    except (SchemaError, PredictionError) as error:
        rows = {int(e["row"]) for e in contract.info.get("error_rows", ())}
        refused = len(rows) == len(contract.frame("input").rows)
        return Report([] if refused else [str(error)])
    except LeapstreamError as error:
        return Report([str(error)])


__all__ = [
    "Answers",
    "ColumnReport",
    "Contract",
    "Report",
    "Tolerance",
    "answers",
    "contracts",
    "record",
    "verify_folder",
    "verify_frames",
]
