"""The script that looks for circles of imports."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "import_cycles.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("import_cycles", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_module_of_a_circle_is_in_a_chain_that_is_named(script: ModuleType) -> None:
    imports = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": {"c"}, "e": {"a"}}
    assert script.circles(imports) == [["b", "c", "b"], ["d", "c", "d"]]


def test_imports_inside_of_functions_and_for_type_checkers_count(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "circular"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").write_text("def late():\n    from circular import two\n")
    (package / "two.py").write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import circular.one\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = script.circles(script.imports_of("circular"))
    assert found == [["circular.one", "circular.two", "circular.one"]]


def test_leapstream_has_no_circles(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main() == 0
    assert capsys.readouterr().out.endswith(" 0 circles\n")
