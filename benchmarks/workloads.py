"""The bundles that are measured, and their rows."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import leapstream
from leapstream.bundle.definition import Socket
from leapstream.bundle.frame import LeapFrame
from leapstream.bundle.types import BasicType, Field, ScalarType, Schema
from leapstream.ops import linear
from leapstream.ops.feature import text
from leapstream.ops.pipeline import Node, Pipeline

ROOT = Path(__file__).resolve().parents[1]
ROWS = 10_000
"""Rows of a batch, and of a whole leap frame."""

_BENCH = ROOT / "tests" / "bench"
_MADE = ROOT / "build" / "bench"
_AIRBNB = "LEAPSTREAM_BENCH_AIRBNB"


@dataclass(frozen=True)
class Work:
    """A bundle and the frame whose rows it gets, over and over.

    Attributes:
        name: the name in tables.
        bundle: the bundle's zip.
        input: a leap frame in JSON.
        prediction: the column that is asked for.
        source: works of the same source share the Flink job without a function.
        bare: whether the last model can be called by itself with three numbers.
    """

    name: str
    bundle: Path
    input: Path
    prediction: str
    source: str
    bare: bool

    def frame(self, rows: int = ROWS) -> LeapFrame:
        """A frame of ``rows`` rows, which repeats the rows of the input."""
        given = _frame(self.input)
        return LeapFrame(given.schema, [given.rows[i % len(given.rows)] for i in range(rows)])


@cache
def _frame(path: Path) -> LeapFrame:
    return LeapFrame.from_bytes(path.read_bytes())


def airbnb_directory() -> Path:
    """The directory of the two Airbnb bundles."""
    return Path(os.environ.get(_AIRBNB) or ROOT.parent / "shared" / "airbnb")


def works() -> dict[str, Work]:
    """All works by name; those of Airbnb only where their bundles are."""
    found: dict[str, Work] = {}
    for name in ("lr", "rf"):
        bundle = airbnb_directory() / f"airbnb.model.{name}.zip"
        if bundle.is_file():
            work = Work(f"airbnb-{name}", bundle, _BENCH / "airbnb.input.json", "price_prediction", "airbnb", False)
            found[work.name] = work
    for name in ("linear3", "forest3-20x5", "forest3-100x8"):
        found[name] = Work(
            name, _BENCH / f"{name}.zip", _BENCH / f"{name}.input.json", "prediction", "three numbers", True
        )
    found["text-lr"] = _text()
    return found


_HASHES = 1 << 18
_TEXTS, _WORDS = 40, 30


@cache
def _text() -> Work:
    """Tokens without stop words, hashed and weighted, and a logistic regression; its files are made where they are missing."""
    bundle, frame = _MADE / "text-lr.zip", _MADE / "text-lr.input.json"
    if not (bundle.is_file() and frame.is_file()):
        rng = np.random.default_rng(1)
        ops = {
            "words": text.Tokenizer(),
            "kept": text.StopWordsRemover(tuple(f"word{i}" for i in range(0, 500, 4)), False),
            "counts": text.HashingTermFrequency(_HASHES),
            "weighted": text.IDF(rng.uniform(0, 8, _HASHES)),
            "prediction": linear.LogisticRegression(2, rng.normal(size=_HASHES), 0.1, 0.5),
        }
        columns = ["text", *ops]
        nodes = [
            Node(name, op, (Socket(next(iter(op.inputs())), given),), (Socket(_result(op), name),))
            for given, (name, op) in zip(columns, ops.items(), strict=False)
        ]
        words = rng.integers(0, 500, (_TEXTS, _WORDS))
        rows: list[Sequence[Any]] = [(" ".join(f"Word{word}" for word in row),) for row in words]
        _MADE.mkdir(parents=True, exist_ok=True)
        leapstream.save(leapstream.Model.from_node(Pipeline("text-lr", tuple(nodes))), bundle)
        frame.write_bytes(LeapFrame(Schema((Field("text", ScalarType(BasicType.STRING)),)), rows).to_bytes())
    return Work("text-lr", bundle, frame, "prediction", "texts", False)


def _result(op: Any) -> str:
    """The output of an op that is asked for."""
    return "prediction" if "prediction" in op.outputs() else next(iter(op.outputs()))


def skipped() -> str | None:
    """The reason for which the Airbnb works are missing; ``None`` if they exist."""
    if any(name.startswith("airbnb") for name in works()):
        return None
    return f"airbnb-lr and airbnb-rf are skipped: no bundles in {airbnb_directory()}; {_AIRBNB} names another directory"


def add_options(parser: argparse.ArgumentParser, rounds: int) -> None:
    """Add the options of all benchmarks."""
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one measurement")
    parser.add_argument("--quick", action="store_true", help="one round of short measurements")
    parser.add_argument("--job", help=argparse.SUPPRESS)


def add_works(parser: argparse.ArgumentParser) -> None:
    """Add the option that selects the works."""
    names = list(works())
    parser.add_argument("--works", nargs="+", choices=names, default=names, metavar="WORK", help=", ".join(names))


def options(parser: argparse.ArgumentParser, job: Callable[..., Any] | None = None) -> Any:
    """The parsed options; says what is skipped.

    A process that was started for one job (see :func:`measure.in_process`) runs it, prints what it gives as JSON, and ends.
    """
    given = parser.parse_args()
    if given.job and job is not None:
        print(json.dumps(job(*json.loads(given.job))))
        sys.exit()
    if given.quick:
        given.rounds, given.seconds = 1, given.seconds / 2
    if reason := skipped():
        print(reason)
    return given


def options_of_works(description: str | None, rounds: int, job: Callable[..., Any] | None = None) -> Any:
    """The options of a benchmark that takes no others."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, rounds)
    add_works(parser)
    return options(parser, job)
