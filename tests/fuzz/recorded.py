"""Fuzz cases: bundles and frames of edge values with the answers of MLeap's JVM (README.md has the format)."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from leapstream import LeapFrame, Model
from leapstream.bundle.reader import read_bundle
from leapstream.bundle.tensor import NUMPY_DTYPES, Tensor
from leapstream.bundle.types import BasicType, DataType, Field, ListType, MapType, ScalarType, Schema, TensorType

ARCHIVE = Path(__file__).with_name("cases.tar.xz")

_BASES: dict[str, BasicType] = {
    "b": BasicType.BOOLEAN,
    "i": BasicType.LONG,
    "f": BasicType.FLOAT,
    "d": BasicType.DOUBLE,
    "s": BasicType.STRING,
    "y": BasicType.BYTE_STRING,
}
"""Basic types by the letter before an answered value; the letter is the same for all integers."""


@dataclass(frozen=True)
class Answer:
    """The answer to one row.

    Attributes:
        kind: ``values``, or the row ``fails``, or is ``dropped``.
        values: the values of the columns that the model adds.
        reason: the text of the failure.
    """

    kind: Literal["values", "fails", "dropped"]
    values: dict[str, Any]
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Case:
    """A bundle, a frame and the JVM's answers.

    Attributes:
        number: its name in the archive.
        op: the op that it draws, or ``pipelines``.
    """

    number: str
    op: str
    bundle: bytes
    given: str
    answered: str

    def model(self) -> Model:
        return Model(read_bundle(self.bundle))

    @cached_property
    def frame(self) -> LeapFrame:
        head, _, body = self.given.partition("BEGIN\n")
        fields = []
        for line in head.splitlines():
            _, name, data_type = line.split("\t")
            fields.append(Field(_text(name), _type(data_type)))
        rows = [
            tuple(_given(f.type, cell) for f, cell in zip(fields, line.split("\t"), strict=True)) if fields else ()
            for line in body.split("\n")[:-1]
        ]
        return LeapFrame(Schema(tuple(fields)), rows)

    @property
    def loads(self) -> bool:
        """True if MLeap's JVM loads the bundle."""
        return not self.answered.startswith("LOAD\t")

    @cached_property
    def answers(self) -> list[Answer]:
        """The answer to each row."""
        return list(self._answers())

    def _answers(self) -> Iterator[Answer]:
        for line in self.answered.split("\n"):
            kind, *cells = line.split("\t")
            if kind == "E":
                yield Answer("fails", {}, "\t".join(cells))
            elif kind == "D":
                yield Answer("dropped", {})
            elif kind == "R":
                pairs = (cell.split("=", 1) for cell in cells)
                yield Answer("values", {_text(name): _answered(value) for name, value in pairs})


@lru_cache
def cases() -> tuple[Case, ...]:
    """All cases that the JVM loads."""
    with tarfile.open(ARCHIVE) as archive:
        files = {member.name.removeprefix("./"): _content(archive, member) for member in archive if member.isfile()}
    names: dict[str, str] = json.loads(files["names.json"])
    every = (
        Case(number, op, files[f"{number}.zip"], files[f"{number}.in"].decode(), files[f"{number}.out"].decode())
        for number, op in names.items()
    )
    return tuple(case for case in every if case.loads)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    assert file is not None
    return file.read()


# ---- the text of values -----------------------------------------------------------------------------------------------


def _text(word: str) -> str:
    """A string, written as ``s`` and its UTF-16 in hexadecimal digits."""
    return bytes.fromhex(word[1:]).decode("utf-16-be", "surrogatepass")


def _type(words: str) -> DataType:
    kind, base, *rest = words.split(" ")
    if kind == "map":
        return MapType(BasicType(base), BasicType(rest[0]), rest[1] == "1")
    nullable = rest[0] == "1"
    if kind == "scalar":
        return ScalarType(BasicType(base), nullable)
    if kind == "list":
        return ListType(BasicType(base), nullable)
    dimensions = None if int(rest[1]) < 0 else tuple(map(int, rest[2:]))
    return TensorType(BasicType(base), dimensions, nullable)


def _element(base: BasicType, word: str) -> Any:
    if word == "N":
        return None
    if base is BasicType.BOOLEAN:
        return word == "1"
    if base in (BasicType.FLOAT, BasicType.DOUBLE):
        number = float(word.replace("Infinity", "inf"))
        return float(np.float32(number)) if base is BasicType.FLOAT else number
    if base is BasicType.STRING:
        return _text(word)
    return _text(word).encode("latin-1") if base is BasicType.BYTE_STRING else int(word)


def _given(data_type: DataType, cell: str) -> Any:
    """A value of a frame: ``N``, or a letter for its shape and the words of its elements."""
    shape, *words = cell.split(" ")
    base = data_type.base
    if shape == "N":
        return None
    if shape == "v":
        return _element(base, words[0])
    if shape == "l":
        return [_element(base, word) for word in words[1 : 1 + int(words[0])]]
    if shape == "m":
        assert isinstance(data_type, MapType)
        pairs = iter(words[1 : 1 + 2 * int(words[0])])
        return {_element(data_type.key, key): _element(base, value) for key, value in zip(pairs, pairs, strict=True)}
    return _tensor(shape == "p", words, base, lambda word: _element(base, word))


def _answered(cell: str) -> Any:
    """A value of an answer; each of its elements has a letter for its type."""
    shape, *words = cell.split(" ")
    if shape in ("l", "a"):
        return [_atom(word) for word in words[1 : 1 + int(words[0])]]
    if shape == "m":
        pairs = iter(words[1 : 1 + 2 * int(words[0])])
        return {_atom(key): _atom(value) for key, value in zip(pairs, pairs, strict=True)}
    if shape in ("t", "p"):
        first = words[-1].removeprefix("O")
        return _tensor(shape == "p", words, _BASES.get(first[:1], BasicType.STRING), _atom)
    return _atom(shape)


def _atom(word: str) -> Any:
    if word == "N" or word == "ONone":
        return None
    if word.startswith("O"):
        return _atom(word[1:])
    base = _BASES[word[0]]
    value = _element(base, word if base in (BasicType.STRING, BasicType.BYTE_STRING) else word[1:])
    return np.float32(value) if base is BasicType.FLOAT else value


def _tensor(sparse: bool, words: list[str], base: BasicType, element: Callable[[str], Any]) -> Tensor:
    """A tensor: the number of its dimensions and these, the number of stored elements, their indices if sparse, and they."""
    count = int(words[0])
    dimensions = tuple(map(int, words[1 : 1 + count]))
    stored = int(words[1 + count])
    at = 2 + count
    indices = None
    if sparse:
        # An empty word stands for an index without numbers.
        end = at + stored * max(count, 1)
        indices = np.array([int(word) for word in words[at:end] if word], dtype=np.int32).reshape(stored, count)
        at = end
    values = np.empty(stored, dtype=NUMPY_DTYPES[base])
    values[:] = [element(word) for word in words[at : at + stored]]
    return Tensor(base, values, dimensions, indices)
