"""Recordings of Spark, made by ``record.py``, and nodes to make models of."""

from __future__ import annotations

import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from leapstream import LeapFrame
from leapstream.bundle.definition import Socket
from leapstream.bundle.types import Schema
from leapstream.ops.pipeline import Node
from tests.exporters.spark.cases import REJECTED

ARCHIVES = sorted(Path(__file__).parent.glob("spark-[34].*.zip"))
"""An archive for each version of Spark that the tests run."""

OLDER = sorted(Path(__file__).parent.glob("spark-2.*.zip"))
"""Archives of versions whose layouts differ; ``record_spark2.py`` made them."""


@cache
def archive(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


@cache
def given(path: Path) -> LeapFrame:
    """The frame that the stages were fitted on."""
    return LeapFrame.from_bytes(archive(path).read("input.leap"))


def names(path: Path) -> list[str]:
    return sorted({name.split("/")[0] for name in archive(path).namelist() if "/" in name})


RECORDED = [(path, name) for path in (*OLDER, *ARCHIVES) for name in names(path)]
READABLE = [(path, name) for path, name in RECORDED if name not in REJECTED]


def ids(pairs: list[tuple[Path, str]]) -> list[str]:
    return [f"{path.stem}-{name.replace(' ', '-')}" for path, name in pairs]


def extracted(path: Path, name: str, folder: Path) -> Path:
    """The saved model of a case as a directory."""
    prefix = f"{name}/model/"
    for entry in archive(path).namelist():
        if entry.startswith(prefix):
            target = folder / "saved" / entry[len(prefix) :]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive(path).read(entry))
    return folder / "saved"


def restricted(frame: LeapFrame, columns: tuple[str, ...]) -> LeapFrame:
    places = [frame.schema.names.index(name) for name in columns]
    return LeapFrame(
        Schema(tuple(frame.schema[name] for name in columns)), [[r[i] for i in places] for r in frame.rows]
    )


def node(name: str, op: Any, *columns: str, result: str | None = None) -> Node:
    ports = tuple(Socket(port, column) for port, column in zip(op.inputs(), columns, strict=True))
    first = next(iter(op.outputs()))
    return Node(name, op, ports, (Socket(first, result or name),))
