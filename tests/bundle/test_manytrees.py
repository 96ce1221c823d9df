"""Trees decoded together are equal to those decoded one by one; damaged files are left to the reader that names the damage."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from leapstream.bundle import manytrees, trees
from leapstream.bundle.definition import CATEGORICAL, CATEGORICAL_NOT, LEAF, BundleDef, Format, ModelDef, NodeDef, Tree
from leapstream.bundle.reader import decode_files
from leapstream.bundle.trees import TreeBuilder
from leapstream.bundle.writer import encode_files
from leapstream.errors import BundleError

Decode = Callable[[bytes], trees.AnyTree]
FORMATS = {False: (trees.encode_json, trees.decode_json), True: (trees.encode_protobuf, trees.decode_protobuf)}


def random_tree(rng: random.Random, values: int = 1, categorical: float = 0.1, leaf: float = 0.45) -> Tree:
    """A tree of any shape, of up to about 200 nodes."""
    builder = TreeBuilder()
    missing = 1
    while missing:
        if len(builder.kind) > 100 or rng.random() < leaf:
            builder.add(
                LEAF, -1, np.nan, [rng.choice([0.0, -0.0, 3.0, 1e-7, rng.gauss(0, 9)]) for _ in range(values)], 0
            )
            missing -= 1
        elif rng.random() < categorical:
            kind = rng.choice([CATEGORICAL, CATEGORICAL_NOT])
            builder.add(kind, rng.randrange(9), np.nan, sorted(rng.sample(range(9), rng.randint(1, 5))), 9)
            missing += 1
        else:
            feature = rng.choice([0, 5, 200, 40_000, 3_000_000])
            builder.add(1, feature, rng.choice([0.0, 1e300, rng.gauss(0, 1), rng.gauss(0, 1)]), (), 0)
            missing += 1
    return builder.build()


def assert_same(tree: trees.AnyTree, other: Tree) -> None:
    """Equal to the bit, and of the same types."""
    assert isinstance(tree, Tree)
    for name in Tree.__dataclass_fields__:
        mine, theirs = getattr(tree, name), getattr(other, name)
        assert mine.dtype == theirs.dtype, name
        assert mine.tobytes() == theirs.tobytes(), name


@pytest.mark.parametrize("protobuf", [False, True])
@pytest.mark.parametrize("values", [1, 3, 20, 70])
def test_trees_decoded_together_are_equal_to_the_bit(protobuf: bool, values: int) -> None:
    encode, decode = FORMATS[protobuf]
    rng = random.Random(values)
    files = [encode(random_tree(rng, values if n % 5 < 4 else 1)) for n in range(60)]
    found = manytrees.decode_many(files, protobuf=protobuf)
    assert sum(tree is not None for tree in found) > 40 or values > 20
    for data, tree in zip(files, found, strict=True):
        if tree is not None:
            assert_same(decode(data), tree)


@pytest.mark.parametrize(
    "rewritten",
    [
        lambda text: text,
        lambda text: text.replace(b'"split":{"featureIndex"', b'"split":{"type":"continuous","featureIndex"').replace(
            b',"type":"continuous"}}', b"}}"
        ),
        lambda text: text.replace(b'{"type":"internal",', b"{").replace(
            b',"type":"continuous"}}', b',"type":"continuous"},"type":"internal"}'
        ),
        lambda text: text.replace(b",", b", ").replace(b":", b": "),
        lambda text: text.rstrip(b"\n"),
    ],
    ids=["leapstream", "MLeap", "MLeap's runtime", "MLeap's Python", "no line feed at the end"],
)
def test_every_writer_s_layout_is_decoded_together(rewritten: Callable[[bytes], bytes]) -> None:
    rng = random.Random(1)
    files = [rewritten(trees.encode_json(random_tree(rng, 2, categorical=0.0))) for _ in range(20)]
    for data, tree in zip(files, manytrees.decode_many(files, protobuf=False), strict=True):
        assert tree is not None
        assert_same(trees.decode_json(data), tree)


def damaged(rng: random.Random, data: bytes, protobuf: bool) -> bytes:
    """A file with a few random changes."""
    changed = bytearray(data)
    for _ in range(rng.randint(0, 3)):
        at, way = rng.randrange(len(changed) or 1), rng.random()
        if way < 0.4 and changed:
            changed[at] = rng.choice(b'0123456789.-+eE,[]{}" \n\r') if not protobuf else rng.randrange(256)
        elif way < 0.6:
            del changed[at : at + rng.randint(1, 30)]
        elif way < 0.8:
            start = rng.randrange(len(changed) or 1)
            changed[at:at] = changed[start : start + rng.randint(1, 120)]
        else:
            del changed[at:]
    return bytes(changed)


@pytest.mark.parametrize("protobuf", [False, True])
def test_a_damaged_file_is_decoded_as_alone_or_left_to_the_other_reader(protobuf: bool) -> None:
    encode, decode = FORMATS[protobuf]
    rng = random.Random(2)
    files = [encode(random_tree(rng, rng.choice([1, 3]), leaf=0.55)) for _ in range(20)]
    for _ in range(40):
        batch = [damaged(rng, rng.choice(files), protobuf) for _ in range(10)]
        for data, tree in zip(batch, manytrees.decode_many(batch, protobuf=protobuf), strict=True):
            if tree is not None:
                assert_same(decode(data), tree)


@pytest.mark.parametrize("protobuf", [False, True])
def test_a_forest_with_one_damaged_tree_is_rejected_with_the_name_of_its_file(protobuf: bool) -> None:
    rng = random.Random(3)
    models = {f"tree{n}": ModelDef("decision_tree_regression", tree=random_tree(rng)) for n in range(300)}
    root = NodeDef("forest", (), (), ModelDef("random_forest_regression", models=models))
    written: Format = "protobuf" if protobuf else "json"
    files = encode_files(BundleDef("b", "u", "1", None, written, root), written)
    for name, model in decode_files(files).root.model.models.items():
        assert_same(models[name].tree, model.tree)
    path = f"root/tree7/tree.{'pb' if protobuf else 'json'}"
    files[path] += files[path]
    with pytest.raises(BundleError, match=rf"bundle: {path}: nodes go on after the tree is complete"):
        decode_files(files)
