"""Counts what hot paths do, and fails where one does a fifth more than ``guard.json`` says.

Counts do not depend on the machine's load: bytecodes of Python, calls from Python, bytes of memory at the peak, calls of compiled
kernels, and, where ``perf stat`` has them, instructions. Bytecodes differ by version of Python, so there are references for each.

Run it with ``python benchmarks/guard.py``, or with ``--update`` after a change that is meant to cost more, or that costs less.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

import leapstream
from leapstream.bundle.tensor import Tensor
from leapstream.executors.vectorized.sums import KERNELS

ROOT = Path(__file__).resolve().parents[1]
REFERENCES = ROOT / "benchmarks" / "guard.json"
MORE = 1.2
"""A path fails if it counts this many times as much as its reference."""
_NOISE = {"bytes at the peak": 64}
"""Counts that make no difference, as of a cache of Python that grows."""
_KERNELS = ("vectorized.kernels", "vectorized.rankkernels", "vectorized.textkernels", "rowwise.treekernels")
_ROWS = 2048
_CALLS = 20

Predict = Callable[[], object]
Counts = dict[str, int]

# ---- hot paths --------------------------------------------------------------------------------------------------------


def _bench(name: str) -> leapstream.Model:
    return leapstream.load(ROOT / "tests" / "bench" / f"{name}.zip")


def _golden(name: str) -> tuple[leapstream.Model, list[dict[str, Any]]]:
    folder = ROOT / "tests" / "golden" / "pipeline" / name
    model = leapstream.load(next(folder.glob("*bundle*")))
    frame = leapstream.LeapFrame.read(next(folder.glob("input*")))
    return model, [
        {n: v.to_dense().tolist() if isinstance(v, Tensor) else v for n, v in zip(frame.schema.names, row, strict=True)}
        for row in frame.rows
    ]


def _record_of_three(name: str) -> Predict:
    model = _bench(name)
    names, values = model.schema.inputs.names, [0.25, 0.5, 0.75]
    record: dict[str, Any] = {names[0]: values} if len(names) == 1 else dict(zip(names, values, strict=True))
    return lambda: model.predict(record, outputs=("prediction",))


def _record_of_golden(name: str) -> Predict:
    model, records = _golden(name)
    return lambda: model.predict(records[0])


def _batch_of_three(name: str) -> Predict:
    model = _bench(name)
    names, rows = model.schema.inputs.names, np.random.default_rng(1).random((_ROWS, 3))
    if len(names) == 1:
        batch = pa.table({names[0]: pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), 3)})
    else:
        batch = pa.table(dict(zip(names, rows.T, strict=True)))
    return lambda: model.predict(batch, outputs=["prediction"], threads=1)


def _frame_of_golden(name: str) -> Predict:
    model, records = _golden(name)
    frame = pd.DataFrame([records[i % len(records)] for i in range(_ROWS)])
    return lambda: model.predict(frame, threads=1)


PATHS: dict[str, Callable[[], Predict]] = {
    "record, linear": lambda: _record_of_three("linear3"),
    "record, forest of 100 trees": lambda: _record_of_three("forest3-100x8"),
    "record, categories and logistic": lambda: _record_of_golden("loans-logistic"),
    "record, hashed text and logistic": lambda: _record_of_golden("text-hashing-logistic"),
    "batch, linear": lambda: _batch_of_three("linear3"),
    "batch, forest of 20 trees": lambda: _batch_of_three("forest3-20x5"),
    "batch, forest of 100 trees": lambda: _batch_of_three("forest3-100x8"),
    "batch, categories and logistic": lambda: _frame_of_golden("loans-logistic"),
    "batch, hashed text and logistic": lambda: _frame_of_golden("text-hashing-logistic"),
}
"""The hot paths by name: each makes a function that predicts once."""


# ---- counts -----------------------------------------------------------------------------------------------------------


class KernelCalls:
    """A context that counts the calls of compiled kernels by plans that are made in it."""

    def __init__(self) -> None:
        self.count = 0
        self._kernels: list[tuple[ModuleType, str, Any]] = []

    def __enter__(self) -> KernelCalls:
        for name in _KERNELS:
            module = importlib.import_module(f"leapstream.executors.{name}")
            for attribute, value in vars(module).copy().items():
                # The kernel for one record is the entry point of a compiled function.
                compiled = type(value).__name__ == "CPUDispatcher" and not attribute.startswith("_")
                if compiled or attribute == "sum_leaves":
                    self._kernels.append((module, attribute, value))
                    setattr(module, attribute, self._counted(value))
        return self

    def __exit__(self, *_: object) -> None:
        for module, attribute, value in self._kernels:
            setattr(module, attribute, value)

    def _counted(self, kernel: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.count += 1
            return kernel(*arguments)

        return call


def count(predict: Predict, kernels: KernelCalls) -> Counts:
    """The counts of a prediction, after some that warm it up."""
    for _ in range(5):
        predict()
    # Python 3.12 does not tell of bytecodes before a frame asked for them once.
    _bytecodes(predict)
    kernels.count = 0
    predict()
    found = {"kernel calls": kernels.count, "bytecodes": _bytecodes(predict), "calls": _calls(predict)}
    tracemalloc.start()
    predict()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    predict()
    found["bytes at the peak"] = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    return found


def _bytecodes(predict: Predict) -> int:
    executed = 0

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal executed
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        executed += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        predict()
    finally:
        sys.settrace(None)
    return executed


def _calls(predict: Predict) -> int:
    called = 0

    def profile(_: object, event: str, __: object) -> None:
        nonlocal called
        called += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        predict()
    finally:
        sys.setprofile(None)
    return called


def instructions(name: str) -> int | None:
    """The processor's instructions of a prediction, as ``perf stat`` counts them; ``None`` where it does not."""

    if not _perf_works():
        return None
    few, many = (_executed([sys.executable, __file__, "--run", name, str(calls)]) for calls in (_CALLS, 3 * _CALLS))
    return None if few is None or many is None else (many - few) // (2 * _CALLS)


@cache
def _perf_works() -> bool:
    return _executed(["true"]) is not None


def _executed(command: Sequence[str]) -> int | None:
    """The instructions of a process, if they are counted here."""
    try:
        done = subprocess.run(
            ["perf", "stat", "-x,", "-e", "instructions:u", *command], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
    fields = [line.split(",") for line in done.stderr.splitlines() if "instructions" in line]
    return int(fields[-1][0]) if fields and fields[-1][0].isdigit() else None


def run(name: str, calls: int) -> None:
    """Predict some times."""
    predict = PATHS[name]()
    for _ in range(calls):
        predict()


# ---- comparison -------------------------------------------------------------------------------------------------------


def judge(name: str, found: Counts, wanted: Counts) -> list[str]:
    """The counts of a path that are a fifth above their references."""
    return [
        f"{name}: {found[what]} {what}, {found[what] / max(wanted[what], 1):.2f} times the {wanted[what]} in {REFERENCES.name}"
        for what in wanted
        if what in found and found[what] > wanted[what] * MORE + _NOISE.get(what, 0)
    ]


def main(given: Iterable[str] | None = None) -> int:
    """Count, and compare or keep what was counted; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write guard.json")
    parser.add_argument("--paths", nargs="+", choices=list(PATHS), default=list(PATHS), metavar="PATH")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(None if given is None else list(given))
    KERNELS.load()
    if options.run:
        run(options.run[0], int(options.run[1]))
        return 0
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    references = json.loads(REFERENCES.read_text()) if REFERENCES.is_file() else {}
    wanted = references.setdefault(python, {})
    failures = []
    for name in options.paths:
        with KernelCalls() as kernels:
            found = count(PATHS[name](), kernels)
        if (executed := instructions(name)) is not None:
            found["instructions"] = executed
        print(f"{name}: " + ", ".join(f"{value} {what}" for what, value in found.items()))
        if options.update:
            wanted[name] = found
        elif name in wanted:
            failures += judge(name, found, wanted[name])
        else:
            print(f"{name}: {REFERENCES.name} has no counts for Python {python}")
    if options.update:
        REFERENCES.write_text(json.dumps(references, indent=1) + "\n")
    for failure in failures:
        print(failure, file=sys.stderr)
    if failures:
        print("make bench-guard UPDATE=1 keeps these counts, if the change is worth them", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    # One thread, and sets in one order.
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {"PYTHONHASHSEED": "0"})
    sys.exit(main())
