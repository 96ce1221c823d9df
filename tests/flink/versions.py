"""Versions of a model whose predictions say which version made them, in a store that jobs of Flink read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

import leapstream
from leapstream import LeapFrame, Model
from leapstream.contract import record
from leapstream.flink import modeljar, write_model_jar
from leapstream.ops.linear import LinearRegression
from leapstream.ops.pipeline import Node, Pipeline
from leapstream.store import ModelStore, Version

from .conftest import LINEAR

INPUTS = ("feature1", "feature2", "feature3")
NAME = "loans"


def constant(value: float) -> Model:
    """A model of three doubles that predicts a number."""
    root = leapstream.load(LINEAR).root
    assert isinstance(root, Pipeline)
    last = root.nodes[-1]
    assert isinstance(last, Node) and isinstance(last.op, LinearRegression)
    op = replace(last.op, coefficients=np.zeros(3), intercept=float(value))
    return Model.from_node(replace(root, nodes=(*root.nodes[:-1], replace(last, op=op))))


def wait(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


class Versions:
    """A store with one model, whose version N predicts N."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = ModelStore(folder)

    @property
    def uri(self) -> str:
        """The place of the model, as jobs name it."""
        return f"{self.folder}/{NAME}"

    def publish(self, value: int, **options: Any) -> Version:
        """Publish the version that predicts a number, under the number as its name."""
        return self.store.publish(NAME, constant(value), version=str(value), **{"jar": write_model_jar, **options})

    def go_live(self, version: int | str) -> None:
        """Let the alias stand for a version."""
        self.store.set_alias(NAME, "live", str(version))

    def go_live_after_a_bad_one(self, bad: int, good: int) -> None:
        """Let the alias stand for a bad version for some looks of a job, and then for a good one."""
        self.go_live(bad)
        time.sleep(0.3)
        self.go_live(good)

    # ---- bad versions -------------------------------------------------------------------------------------------------

    def publish_with_another_checksum(self, value: int) -> None:
        """A version whose jar was altered."""
        self.publish(value)
        jar = self.folder / NAME / str(value) / "model.jar"
        jar.write_bytes(bytes(reversed(jar.read_bytes())))

    def publish_for_another_abi(self, value: int) -> None:
        """A version of another leapstream."""

        def write(model: Model, contract: Path | None, target: Path) -> int:
            return write_model_jar(model, contract, target) + 1

        self.publish(value, jar=write)

    def publish_with_another_signature(self, value: int) -> None:
        """A version whose model gives another column."""
        root = constant(value).root
        assert isinstance(root, Pipeline)
        last = root.nodes[-1]
        assert isinstance(last, Node)
        named = replace(last, outputs=(replace(last.outputs[0], name="score"),))
        model = Model.from_node(replace(root, nodes=(*root.nodes[:-1], named)))
        self.store.publish(NAME, model, version=str(value), jar=write_model_jar)

    def publish_with_another_contract(self, value: int) -> None:
        """A version that differs in Java from the rows of its contract, which nobody saw when it was published."""
        other = self.folder.parent / f"contract-{value}"
        rows = LeapFrame(leapstream.load(LINEAR).schema.inputs, [(1.0, 2.0, 3.0)])
        record(constant(value + 0.5), rows, other)

        def write(model: Model, contract: Path | None, target: Path) -> int:
            compare, modeljar._compare = modeljar._compare, lambda model, jar: None
            try:
                return write_model_jar(model, other, target)
            finally:
                modeljar._compare = compare

        self.publish(value, jar=write)

    def publish_without_jar(self, value: int) -> None:
        """A version that the JVM does not run."""
        self.publish(value, jar=None)

    def publish_with_a_damaged_manifest(self, value: int) -> None:
        """A version whose manifest is not JSON, with an alias to it."""
        self.publish(value)
        (self.folder / NAME / str(value) / "manifest.json").write_bytes(b"{")
        content = {"format": 1, "alias": "live", "version": str(value), "sha256": sha256(b"{").hexdigest()}
        (self.folder / NAME / "live.json").write_text(json.dumps(content))


BAD: dict[str, tuple[Callable[[Versions, int], None], str]] = {
    "checksum": (Versions.publish_with_another_checksum, "the checksum of its jar is not that of its manifest"),
    "abi": (Versions.publish_for_another_abi, "its jar was compiled by leapstream .* for ABI"),
    "signature": (Versions.publish_with_another_signature, "its signature is .*score DOUBLE.*, and the job has"),
    "contract": (
        Versions.publish_with_another_contract,
        "it differs from its contract: row 0 of its contract has another",
    ),
    "no jar": (Versions.publish_without_jar, "it has no model.jar"),
    "manifest": (Versions.publish_with_a_damaged_manifest, "its manifest is damaged"),
}
"""Versions that must never be live, with the reasons."""
