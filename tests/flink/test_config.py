"""Tests of the reader of ``application.conf``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyhocon import ConfigFactory

from leapstream import ConfigError
from leapstream.bundle.limits import Limits
from leapstream.flink.config import UDFEntry, read_config

ENTRY = {"udfName": "Predict", "bundlePath": "/models/a.zip"}


def config(*entries: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"mleap": {"udfRegistry": list(entries), **rest}}


def test_the_configuration_of_the_original_library_is_read() -> None:
    text = """
    mleap {
      udfRegistry = [
        { udfName = "Predict",   bundlePath = "/models/example-1.zip", bundleSource = "file" }
        { udfName = "Predictv2", bundlePath = "models/example-2.zip",  bundleSource = "gcs" }
      ]
      gcs.bucket = "my-bucket"
    }
    """
    parsed = read_config(text)
    assert parsed.gcs_bucket == "my-bucket"
    assert parsed.entries == (
        UDFEntry("Predict", "/models/example-1.zip", "file"),
        UDFEntry("Predictv2", "models/example-2.zip", "gcs"),
    )


def test_every_optional_key_is_read() -> None:
    sha256 = "ab" * 32
    keys = {"inputs": ["a"], "outputs": ["b", "c"], "backend": "jvm", "onError": "null", "loadOn": "worker"}
    (entry,) = read_config(config({**ENTRY, **keys, "sha256": sha256})).entries
    assert (entry.inputs, entry.outputs, entry.sha256) == (("a",), ("b", "c"), sha256)
    assert (entry.backend, entry.on_error, entry.load_on) == ("jvm", "null", "worker")


def test_an_entry_may_set_limits() -> None:
    (entry,) = read_config(config({**ENTRY, "limits": {"maxRatio": 1000, "maxTotalSize": 5}})).entries
    assert entry.limits == Limits(max_ratio=1000, max_total_size=5)


@pytest.mark.parametrize("limits", [{"maxRation": 1}, {"maxRatio": "many"}, {"maxTotalSize": 0.5}, {"maxDepth": -1}, 5])
def test_a_malformed_limit_is_rejected(limits: Any) -> None:
    with pytest.raises(ConfigError, match=r"mleap.udfRegistry\[0\] \(Predict\).*(maxRatio|max_|limits)"):
        read_config(config({**ENTRY, "limits": limits}))


@pytest.mark.parametrize(
    ("key", "word", "attribute", "python"),
    [
        ("onError", "fail", "on_error", "raise"),
        ("onError", "null", "on_error", "null"),
        ("backend", "python", "backend", "vectorized"),
        ("backend", "jvm", "backend", "jvm"),
    ],
)
def test_words_of_the_configuration_become_those_of_python(key: str, word: str, attribute: str, python: str) -> None:
    (entry,) = read_config(config({**ENTRY, key: word})).entries
    assert getattr(entry, attribute) == python


@pytest.mark.parametrize(("key", "word"), [("onError", "raise"), ("backend", "vectorized")])
def test_words_of_python_are_not_those_of_the_configuration(key: str, word: str) -> None:
    with pytest.raises(ConfigError, match=f"{key} must be one of .*, not '{word}'"):
        read_config(config({**ENTRY, key: word}))


def test_a_file_with_includes_substitutions_and_environment_variables_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_NAME", "a")
    (tmp_path / "base.conf").write_text('models = "/models"\n')
    path = tmp_path / "application.conf"
    path.write_text(
        'include "base.conf"\nmleap.udfRegistry = [{udfName = F, bundlePath = ${models}"/"${MODEL_NAME}".zip"}]\n'
    )
    assert read_config(path).entries[0].bundle_path == "/models/a.zip"
    assert read_config(str(path)) == read_config(path)


def test_a_parsed_tree_gives_what_its_text_gives() -> None:
    text = "mleap.udfRegistry = [{udfName = F, bundlePath = m.zip}]"
    assert read_config(ConfigFactory.parse_string(text)) == read_config(text)


def test_sections_of_other_tools_are_left_alone() -> None:
    assert len(read_config({**config(ENTRY, cache={"size": 1}), "flink": {"x": 1}}).entries) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ["no mleap"]),
        ({"mleap": {}}, ["no mleap.udfRegistry"]),
        ({"mleap": {"udfRegistries": []}}, ["udfRegistries", "did you mean udfRegistry"]),
        ({"mleap": {"udfRegistry": "F"}}, ["mleap.udfRegistry", "list"]),
        (config("F"), ["mleap.udfRegistry[0]", "object"]),  # type: ignore[arg-type]
        (config({"bundlePath": "m"}), ["mleap.udfRegistry[0]", "udfName is missing"]),
        (config(ENTRY, {"udfName": "G"}), ["mleap.udfRegistry[1] (G)", "bundlePath is missing"]),
        (config({**ENTRY, "bundelSource": "gcs"}), ["(Predict)", "bundelSource", "did you mean bundleSource"]),
        (config({**ENTRY, "udfName": "no name"}), ["mleap.udfRegistry[0]", "'no name'"]),
        (config({**ENTRY, "bundlePath": 3}), ["(Predict)", "bundlePath"]),
        (config({**ENTRY, "backend": "gpu"}), ["(Predict)", "backend", "auto, jvm, python", "'gpu'"]),
        (config({**ENTRY, "onError": "skip"}), ["(Predict)", "onError", "'skip'"]),
        (config({**ENTRY, "loadOn": "never"}), ["(Predict)", "loadOn", "'never'"]),
        (config({**ENTRY, "inputs": "a"}), ["(Predict)", "inputs", "list of column names"]),
        (config({**ENTRY, "outputs": []}), ["(Predict)", "outputs"]),
        (config({**ENTRY, "inputs": ["a", "a"]}), ["(Predict)", "inputs repeats a"]),
        (config({**ENTRY, "sha256": "12"}), ["(Predict)", "sha256"]),
        (config(ENTRY, {**ENTRY, "udfName": "PREDICT"}), ["mleap.udfRegistry[1] (PREDICT)", "mleap.udfRegistry[0]"]),
        (config(ENTRY, gcs={"bucket": 3}), ["mleap.gcs", "bucket"]),
        ("mleap { udfRegistry = [", ["not HOCON"]),
        ("mleap.udfRegistry = [{udfName = F, bundlePath = ${nowhere}}]", ["nowhere"]),
        (3, ["a path, HOCON text or a parsed configuration"]),
    ],
)
def test_what_is_malformed_is_rejected_by_name(given: Any, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(given)
    for word in words:
        assert word in str(caught.value)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere.conf: there is no such configuration file"):
        read_config(tmp_path / "nowhere.conf")


ENTRIES = '\nmleap.udfRegistry = [{udfName = "a", bundlePath = "x"}]\n'


@pytest.mark.parametrize(
    "text",
    [
        "a0 = [1, 2]\n" + "".join(f"a{i + 1} = ${{a{i}}} ${{a{i}}}\n" for i in range(40)),
        "a0 = letters\n" + "".join(f"a{i + 1} = ${{a{i}}}${{a{i}}}\n" for i in range(40)),
        "a { b = [1, 2] }\n" + "".join("a.b = ${a.b} ${a.b}\n" for _ in range(40)),
    ],
    ids=["lists", "texts", "a value and its earlier one"],
)
def test_substitutions_that_make_much_of_little_are_rejected(text: str) -> None:
    with pytest.raises(ConfigError, match="more than 1048576 letters and elements"):
        read_config(text + ENTRIES)


def test_substitutions_are_resolved() -> None:
    text = 'd = "/models"\nd = ${d}"/x"\nmleap.udfRegistry = [{udfName = "a", bundlePath = ${d}"/m.zip"}]'
    assert read_config(text).entries[0].bundle_path == "/models/x/m.zip"


def test_paths_of_bundles_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = """
    mleap.udfRegistry = [
      { udfName = a, bundlePath = "models/a.zip" }
      { udfName = b, bundlePath = "models/b.zip", bundleSource = "s3" }
      { udfName = c, bundlePath = "/models/c.zip", bundleSource = "auto" }
      { udfName = d, bundlePath = "s3://b/d.zip", bundleSource = "auto" }
      { udfName = e, bundlePath = "models/e.zip", loadOn = "worker" }
    ]
    """
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.conf").write_text(text, encoding="utf-8")
    paths = [entry.bundle_path for entry in read_config("conf/a.conf").entries]
    assert paths == ["conf/models/a.zip", "models/b.zip", "/models/c.zip", "s3://b/d.zip", "models/e.zip"]
    assert read_config(text).entries[0].bundle_path == "models/a.zip"
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "a.zip").touch()
    with pytest.warns(DeprecationWarning, match="relative to the configuration file"):
        assert read_config(tmp_path / "conf" / "a.conf").entries[0].bundle_path == "models/a.zip"
