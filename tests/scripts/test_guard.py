"""The guard of the benchmarks: a hot path that does more is named."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from leapstream import Model

PATH = "record, linear"


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "guard.py"
    spec = importlib.util.spec_from_file_location("guard", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "guard", module)
    spec.loader.exec_module(module)
    module.REFERENCES = tmp_path / "guard.json"  # type: ignore[attr-defined]
    return module


@pytest.mark.slow
def test_a_path_that_does_what_it_did_passes_and_one_that_does_it_twice_is_named(
    guard: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard.main(["--update", "--paths", PATH]) == 0
    assert guard.main(["--paths", PATH]) == 0
    predict = Model.predict

    def twice(model: Model, record: Any, **options: Any) -> Any:
        predict(model, record, **options)
        return predict(model, record, **options)

    monkeypatch.setattr(Model, "predict", twice)
    assert guard.main(["--paths", PATH]) == 1
    said = capsys.readouterr().err
    assert f"{PATH}: " in said and "bytecodes" in said and "guard.json" in said


def test_a_fifth_more_is_too_much_and_less_is_not(guard: ModuleType) -> None:
    wanted = {"bytecodes": 100, "kernel calls": 5}
    assert guard.judge("path", {"bytecodes": 120, "kernel calls": 6}, wanted) == []
    (said,) = guard.judge("path", {"bytecodes": 121, "kernel calls": 6}, wanted)
    assert said == "path: 121 bytecodes, 1.21 times the 100 in guard.json"
    assert len(guard.judge("path", {"kernel calls": 7}, wanted)) == 1
