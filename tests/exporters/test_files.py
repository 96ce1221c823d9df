"""Files of models are untrusted: whatever is altered in one, the outcome is a model or an ``ExportError``."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leapstream import ExportError, PredictionError, SourceError, from_lightgbm, from_xgboost
from leapstream.bundle.booster import parse_booster
from leapstream.bundle.booster_writer import encode_booster
from leapstream.exporters import files
from leapstream.exporters.files import exporting, read_bytes
from leapstream.model import Model
from tests import boosters
from tests.exporters import test_lightgbm

_NUMBER = re.compile(rb"-?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?")
_TOKENS = [
    *(b"0", b"-1", b"1", b"2", b"7", b"0.5", b"2147483647", b"-2147483648", b"4294967295", b"99999999999999999999"),
    *(
        b"1e308",
        b"1e999",
        b"nan",
        b"NaN",
        b"Infinity",
        b"",
        b"null",
        b"true",
        b"[]",
        b"{}",
        b'""',
        b"\xff",
        b"\n",
        b" ",
    ),
]


@cache
def seeds() -> list[tuple[str, bytes]]:
    """Small files of each library, format and kind of booster."""
    found: list[tuple[str, bytes]] = []
    for objective, kind in (("binary:logistic", "gbtree"), ("multi:softprob", "dart"), ("count:poisson", "gblinear")):
        options: dict[str, Any] = {} if kind == "gblinear" else {"max_depth": 2}
        booster = boosters.train(objective, kind, 2, **options)
        found += (("xgboost", boosters.saved(booster, form)) for form in ("json", "ubj"))
        found.append(("xgboost", encode_booster(parse_booster(boosters.saved(booster), "m"))))
    for objective, label, more in (("regression", "amount", {}), ("multiclass", "three", {"num_class": 3})):
        trained = test_lightgbm.train(objective, label, rounds=2, num_leaves=4, **more)
        text = trained.model_to_string()
        found.append(("lightgbm", text[: text.index("parameters:")].encode()))
        found.append(("lightgbm", json.dumps(trained.dump_model()).encode()))
    return found


def exported(library: str, data: bytes) -> Model:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        path.write_bytes(data)
        return from_xgboost(path) if library == "xgboost" else from_lightgbm(path)


@st.composite
def altered(draw: st.DrawFn) -> tuple[str, bytes]:
    library, data = draw(st.sampled_from(seeds()))
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(("number", "byte", "delete", "repeat", "cut")))
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        size = draw(st.integers(1, 200))
        numbers = list(_NUMBER.finditer(data)) if kind == "number" else []
        if numbers:
            number = numbers[at % len(numbers)]
            data = data[: number.start()] + draw(st.sampled_from(_TOKENS)) + data[number.end() :]
        elif kind == "cut":
            data = data[:at]
        elif kind == "delete":
            data = data[:at] + data[at + size :]
        elif kind == "repeat":
            data = data[:at] + data[at : at + size] + data[at:]
        else:
            data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
    return library, data


@given(altered())
@settings(max_examples=100)
def test_an_altered_file_gives_a_model_that_predicts_or_an_export_error(case: tuple[str, bytes]) -> None:
    try:
        model = exported(*case)
    except ExportError:
        return
    (field, *more) = model.schema.inputs
    size = getattr(field.type, "size", None)
    record = {field.name: [0.5] * min(size, 10)} if size is not None else {f.name: 0.5 for f in (field, *more)}
    try:
        model.predict(record)
    except PredictionError:
        pass


@given(st.sampled_from(("xgboost", "lightgbm")), st.binary(max_size=300))
def test_any_bytes_give_an_export_error(library: str, data: bytes) -> None:
    with pytest.raises(ExportError):
        exported(library, data)


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
@pytest.mark.parametrize(
    "data",
    [
        *(b"[" * 100_000, b'{"a":' * 100_000, b"{L" + b"\x7f" + b"\xff" * 7, b"{" + b"[" * 100_000),
        b'{"learner":' + b"9" * 100_000 + b"}",
        b"tree\n" + b"Tree=0\n" * 1000,
        b"tree\nversion=" + b"9" * 100_000,
    ],
    ids=["arrays", "objects", "length", "markers", "digits", "trees", "version"],
)
def test_deep_and_long_files_give_an_export_error(library: str, data: bytes) -> None:
    with pytest.raises(ExportError):
        exported(library, data)


def test_a_file_over_the_limit_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m").write_bytes(b"0" * 11)
    monkeypatch.setattr(files, "_MOST_BYTES", 10)
    with pytest.raises(ExportError, match="more than 10 bytes"):
        read_bytes(tmp_path / "m")


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="directory"):
        read_bytes(tmp_path)


@pytest.mark.parametrize("error", [KeyError("x"), OverflowError("too large"), RecursionError(), MemoryError()])
def test_any_error_of_a_reader_is_an_export_error_that_names_the_file(error: Exception) -> None:
    with pytest.raises(ExportError, match="^m: "), exporting(Path("m"), None):
        raise error
