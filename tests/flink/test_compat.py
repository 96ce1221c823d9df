"""Tests of the private names of PyFlink, and of the differences between Flink's versions."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyflink.datastream import DataStream
from pyflink.table import TableEnvironment, udf

import leapstream
from leapstream import BackendError
from leapstream.flink import compat

SOURCES = Path(leapstream.__file__).parent
PRIVATE = re.compile(r"\._j_\w+|from pyflink[\w.]* import .*\b_\w+|\b(?:" + "|".join(compat.PRIVATE_NAMES) + r")\b")


def test_private_names_of_pyflink_are_in_one_module() -> None:
    users = {str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*.py") if PRIVATE.search(path.read_text())}
    assert users == {"flink/compat.py"}


def test_the_list_of_private_names_is_complete() -> None:
    code = (SOURCES / "flink" / "compat.py").read_text().partition("PRIVATE_NAMES")[2]
    imported = (SOURCES / "flink" / "compat.py").read_text().partition("from leapstream")[0]
    used = re.findall(r"\.(_\w+)", code) + re.findall(r"import (_[a-z]\w+)", imported)
    assert sorted(set(used)) == sorted(compat.PRIVATE_NAMES)


def test_this_pyflink_has_the_private_names() -> None:
    assert hasattr(TableEnvironment, "_add_jars_to_j_env_config")
    assert hasattr(udf, "_get_python_env")
    assert {"_j_tenv", "_j_data_stream"} <= {
        *TableEnvironment.__init__.__code__.co_names,
        *DataStream.__init__.__code__.co_names,
    }


def test_list_options_are_read_under_the_names_of_every_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(name: str) -> None:
        function = (lambda text: text.split(";")) if name == "parse_list_value" else (lambda text, jvm: text.split(";"))
        monkeypatch.setattr(compat, "Configuration", SimpleNamespace(**{name: function}))

    monkeypatch.setattr(compat, "get_gateway", lambda: SimpleNamespace(jvm=None))
    for name in ("parse_list_value", "parse_jars_value"):
        named(name)
        assert compat.option_values("file:/a.jar;file:/b.jar") == ["file:/a.jar", "file:/b.jar"]
        assert compat.option_values("") == []


@pytest.mark.parametrize(("version", "known"), [("1.20.1", False), ("2.0.0", False), ("2.1.0", True), ("2.3.0", True)])
def test_models_need_flink_2_1(version: str, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "PYFLINK_VERSION", version)
    if known:
        compat.require_models()
    else:
        with pytest.raises(BackendError, match=rf"Flink 2\.1 or newer; this is PyFlink {version}"):
            compat.require_models()
