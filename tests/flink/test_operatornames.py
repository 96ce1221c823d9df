"""Names of operators have the model and the version, and no more characters than Flink's metrics keep."""

from __future__ import annotations

from pathlib import Path

import leapstream
from leapstream import Model
from leapstream.flink.operatornames import operator_name
from leapstream.flink.stored import StoredModel
from leapstream.ops.feature import StringIndexer
from tests.pipelines import node

from .conftest import LINEAR


def test_the_version_is_the_uid_of_a_bundle_or_the_version_or_alias_in_a_store(tmp_path: Path) -> None:
    model = leapstream.load(LINEAR)
    assert operator_name(model) == f"predict {model.name} {model.definition.uid}"
    assert operator_name(StoredModel(f"{tmp_path}/loans")) == "predict loans live"
    assert operator_name(StoredModel(f"{tmp_path}/loans", version="7")) == "predict loans 7"


def test_a_long_name_is_cut_and_the_version_is_kept() -> None:
    long = Model.from_node(node("i", StringIndexer((("a",),)), {"input": "x"}, {"output": "y"}), name="a\n" * 90)
    name = operator_name(long)
    assert name.endswith(long.definition.uid) and len(name) <= 80 and name.isprintable()
