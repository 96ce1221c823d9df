"""Decodes the files of many decision trees at once, with the operations of NumPy on whole arrays.

Nodes in the layouts that MLeap and leapstream write are decoded together. A node in another layout is decoded by
:mod:`~leapstream.bundle.trees`, which is also where files go that are not good: it finds what is wrong with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import CONTINUOUS, LEAF, Tree
from leapstream.bundle.elements import array_from_json
from leapstream.bundle.malformed import parse_json
from leapstream.bundle.numerals import Flags, Places, Text, Words, decimals, integers, slices
from leapstream.bundle.proto import tree_pb2 as pb
from leapstream.bundle.trees import TreeBuilder, decision_from_json, decision_from_protobuf
from leapstream.bundle.types import BasicType
from leapstream.memory import keep_freed_memory
from leapstream.threads import in_threads, number_of_threads, parts

Doubles = npt.NDArray[np.float64]

_TAG, _FEATURE, _THRESHOLD = np.uint64(0xFF), np.uint64(0x08), 0x11
_INNER, _SPLIT = 0x0A, 0x12
_BAD = -2
"""Takes the place of the number of missing subtrees in trees that are not complete."""
_TOGETHER = 1 << 20
"""Bytes of files that are decoded together; their arrays fit into the processor's cache."""

_SPLITS = (
    # As leapstream writes them, MLeap, MLeap's runtime, and MLeap's Python package.
    (b'{"type":"internal","split":{"featureIndex":', b',"threshold":', b',"type":"continuous"}}'),
    (b'{"type":"internal","split":{"type":"continuous","featureIndex":', b',"threshold":', b"}}"),
    (b'{"split":{"featureIndex":', b',"threshold":', b',"type":"continuous"},"type":"internal"}'),
    (
        b'{"type": "internal", "split": {"type": "continuous", "featureIndex": ',
        b', "threshold": ',
        b"}}",
    ),
)
_LEAVES = ((b'{"type":"leaf","values":[', b",", b"]}"), (b'{"type": "leaf", "values": [', b", ", b"]}"))
_WITH_POINT = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)")


def decode_many(files: Sequence[bytes], *, protobuf: bool) -> list[Tree | None]:
    """Decode the files of decision trees; ``None`` for each file that holds something else, or is damaged."""
    keep_freed_memory()
    together = list(parts(files, len, _TOGETHER))
    decoded = in_threads(_from_protobuf if protobuf else _from_json, together, number_of_threads(None))
    return [tree for trees in decoded for tree in trees]


@dataclass
class _Nodes:
    """The nodes of several trees in pre-order, one after the other; the attributes are those of a :class:`Tree`.

    Attributes:
        count: the number of values of a leaf, or of categories of a split.
        others: the node of a builder for each node in another layout, by index.
    """

    kind: npt.NDArray[np.uint8]
    feature: npt.NDArray[np.int32]
    threshold: Doubles
    count: npt.NDArray[np.int32]
    others: dict[int, TreeBuilder]

    @classmethod
    def leaves(cls, number: int) -> _Nodes:
        """As many leaves without values."""
        return cls(
            np.full(number, LEAF, dtype=np.uint8),
            np.full(number, -1, dtype=np.int32),
            np.full(number, np.nan),
            np.zeros(number, dtype=np.int32),
            {},
        )

    def decode_others(self, at: Places, decode: Callable[[int, TreeBuilder], None]) -> Flags:
        """Decode single nodes; the result tells for each node whether it cannot be decoded."""
        broken = np.zeros(len(self.kind), dtype=np.bool_)
        for node in at.tolist():
            builder = TreeBuilder()
            try:
                decode(node, builder)
            except Exception:
                # The other reader reads the file again and raises the error.
                broken[node] = True
                continue
            self.others[node] = builder
            self.kind[node] = builder.kind[0]
            self.feature[node] = builder.feature[0]
            self.threshold[node] = builder.threshold[0]
            self.count[node] = len(builder.data)
        return broken

    def trees(self, sizes: Places, broken: Flags, values: Doubles) -> list[Tree | None]:
        """The trees of these sizes; ``values`` are those of the nodes that are not among ``others``."""
        total = len(self.kind)
        tree = np.repeat(np.arange(len(sizes)), sizes)
        starts = np.cumsum(sizes) - sizes
        ends = starts + sizes - 1
        # The number of subtrees that are missing after each node, less one: -1 after the last node of a tree, and only there.
        missing = np.cumsum(np.where(self.kind == LEAF, -1, 1))
        missing -= np.concatenate([[0], missing])[starts][tree]
        last = np.zeros(total, dtype=np.bool_)
        last[ends[sizes > 0]] = True
        good = sizes > 0
        good[tree[broken | ((missing < 0) != last)]] = False
        right = self._right_children(np.where(good[tree], missing, _BAD), starts[tree])
        bounds = np.concatenate([[0], np.cumsum(self.count, dtype=np.int64)])
        data = self._data(bounds[:-1], values)
        categories = np.zeros(total, dtype=np.int32) if self.others else np.broadcast_to(np.int32(0), total)
        for node, builder in self.others.items():
            categories[node] = builder.num_categories[0]

        def one(start: int, end: int) -> Tree:
            # What a node has in the data begins where that of the node before it ends.
            own = (bounds[start : end + 1] - bounds[start]).astype(np.int32)
            return Tree(
                kind=self.kind[start:end],
                feature=self.feature[start:end],
                threshold=self.threshold[start:end],
                right=right[start:end],
                data_start=own[:-1],
                data_end=own[1:],
                data=data[bounds[start] : bounds[end]],
                num_categories=categories[start:end],
            )

        places = zip(good.tolist(), starts.tolist(), (ends + 1).tolist(), strict=True)
        return [one(start, end) if fine else None for fine, start, end in places]

    def _right_children(self, missing: Places, start: Places) -> npt.NDArray[np.int32]:
        """The right child of each split, counted from the start of its tree; it follows the last leaf of the left subtree.

        That leaf is the next one after which fewer subtrees are missing than after the split. So the splits after which the same
        number is missing, and the leaves after which one less is, take turns.
        """
        split = np.flatnonzero((self.kind != LEAF) & (missing != _BAD))
        leaf = np.flatnonzero((self.kind == LEAF) & (missing >= 0))
        after_split, after_leaf = missing[split], missing[leaf]
        if after_split.max(initial=0) < 1 << 16:
            # Integers of 16 bits are sorted by their digits.
            after_split, after_leaf = after_split.astype(np.uint16), after_leaf.astype(np.uint16)
        parents = split[np.argsort(after_split, kind="stable")]
        last = leaf[np.argsort(after_leaf, kind="stable")]
        right = np.full(len(missing), -1, dtype=np.int32)
        right[parents] = last + 1 - start[parents]
        return right

    def _data(self, data_start: Places, values: Doubles) -> Doubles:
        if not self.others:
            return values
        data = np.empty(len(values) + sum(len(builder.data) for builder in self.others.values()))
        usual = np.ones(len(data), dtype=np.bool_)
        for node, builder in self.others.items():
            at = slice(int(data_start[node]), int(data_start[node]) + len(builder.data))
            data[at] = builder.data
            usual[at] = False
        data[usual] = values
        return data


# -- JSON -------------------------------------------------------------------------------------------------------------


def _from_json(files: Sequence[bytes]) -> list[Tree | None]:
    # Only line feeds end lines here; files with carriage returns are left to the other reader.
    files = [b"\n" if b"\r" in data else data if data.endswith(b"\n") else data + b"\n" for data in files]
    text = Text(files)
    ends = np.flatnonzero(text.bytes == ord("\n"))
    starts = np.concatenate([np.zeros(1, dtype=np.int64), ends + 1])[:-1]
    offsets = np.cumsum([len(data) for data in files])
    sizes = np.diff(np.searchsorted(starts, offsets), prepend=0)

    nodes = _Nodes.leaves(len(starts))
    left = np.arange(len(starts))
    tokens: list[_Tokens] = []
    for before, between, after in _SPLITS:
        some = np.flatnonzero(text.equal(starts[left], before))
        at = left[some]
        feature, length, good = integers(text, starts[at] + len(before), between[:1])
        middle = starts[at] + len(before) + length
        first, last = middle + len(between), ends[at] - len(after)
        good &= text.equal(middle, between) & (first < last) & text.equal(np.maximum(last, 0), after)
        at = at[good]
        nodes.kind[at], nodes.feature[at] = CONTINUOUS, feature[good]
        tokens.append(_Tokens(at, first[good], last[good]))
        left = np.delete(left, some[good])
    thresholds = _Tokens.joined(tokens)
    tokens = []
    for before, between, after in _LEAVES:
        first, last = starts[left] + len(before), ends[left] - len(after)
        good = text.equal(starts[left], before) & (first < last) & text.equal(np.maximum(last, 0), after)
        tokens.append(_Tokens.separated(text, between, left[good], first[good], last[good]))
        nodes.count += np.bincount(tokens[-1].node, minlength=len(starts)).astype(np.int32)
        left = left[~good]
    values = _Tokens.joined(tokens)
    values = values.take(np.argsort(values.node, kind="stable"))

    numbers, broken = _Tokens.joined([thresholds, values]).numbers(text, len(starts))
    nodes.threshold[thresholds.node] = numbers[: len(thresholds.node)]

    def decode(node: int, builder: TreeBuilder) -> None:
        (raw,) = parse_json(b"[" + text.bytes[starts[node] : ends[node]].tobytes() + b"]")
        decision_from_json(builder, raw)

    broken |= nodes.decode_others(left, decode)
    return nodes.trees(sizes, broken, numbers[len(thresholds.node) :])


@dataclass
class _Tokens:
    """The places of numbers in a text, and the nodes that they belong to."""

    node: Places
    start: Places
    end: Places

    @classmethod
    def joined(cls, parts: Sequence[_Tokens]) -> _Tokens:
        """The tokens of some parts, one part after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("node", "start", "end")))

    @classmethod
    def separated(cls, text: Text, separator: bytes, node: Places, start: Places, end: Places) -> _Tokens:
        """The tokens of lists between ``start`` and ``end``, whose items are separated by a comma and maybe a space."""
        # Usually all leaves have equally many values. If only the first has one, the others' trees are left to the other reader.
        if not len(node) or ord(",") not in text.bytes[start[0] : end[0]]:
            return cls(node, start, end)
        commas = np.flatnonzero(text.bytes == ord(","))
        first, last = np.searchsorted(commas, start), np.searchsorted(commas, end)
        inside = slices(first, last - first)
        count = last - first + 1
        starts, ends = np.empty(int(count.sum()), dtype=np.int64), np.empty(int(count.sum()), dtype=np.int64)
        place = np.cumsum(count) - count
        begins = np.zeros(len(starts), dtype=np.bool_)
        begins[place] = True
        # Where the separator is another one, a token keeps its comma, is not a number, and goes to the other reader.
        separated = text.equal(commas[inside], separator)
        starts[begins], starts[~begins] = start, commas[inside] + np.where(separated, len(separator), 0)
        stops = np.roll(begins, -1)
        ends[stops], ends[~stops] = end, commas[inside]
        return cls(np.repeat(node, count), starts, ends)

    def take(self, order: Places) -> _Tokens:
        """The tokens in another order."""
        return _Tokens(self.node[order], self.start[order], self.end[order])

    def numbers(self, text: Text, nodes: int) -> tuple[Doubles, Flags]:
        """The numbers, and for each node whether one of its tokens is not a number."""
        numbers, good = decimals(text, self.start, self.end)
        broken = np.zeros(nodes, dtype=np.bool_)
        for token in np.flatnonzero(~good).tolist():
            written = text.bytes[self.start[token] : max(self.start[token], self.end[token])].tobytes()
            try:
                numbers[token] = _number(written)
            except Exception:
                # The other reader reads the file again and raises the error.
                broken[self.node[token]] = True
        return numbers, broken


def _number(written: bytes) -> float:
    if _WITH_POINT.fullmatch(written):
        return float(written)
    (number,) = array_from_json(BasicType.DOUBLE, parse_json(b"[" + written + b"]"))
    return float(number)


# -- protobuf ---------------------------------------------------------------------------------------------------------


def _heads(tag: int) -> Words:
    """For each length of a node below 256 its first eight bytes, those of the length among them; ones where there are none.

    A node holds two messages, the second in the first, each after a tag and a byte with its length.
    """
    heads = np.full(256, _NO_HEAD, dtype=np.uint64)
    for length in range(4, 128):
        heads[length] = length << 24 | tag << 32 | length - 2 << 40 | _INNER << 48 | length - 4 << 56
    return heads


_NO_HEAD = np.uint64(2**64 - 1)
_LEAF_HEADS, _SPLIT_HEADS = _heads(0x12), _heads(0x0A)
# The doubles of a leaf fill it, and there is at least one.
_LEAF_HEADS[:12] = _NO_HEAD
_LEAF_HEADS[np.arange(256) % 8 != 4] = _NO_HEAD


def _from_protobuf(files: Sequence[bytes]) -> list[Tree | None]:
    text = Text(files)
    offsets = np.cumsum([0, *map(len, files)])
    at, torn = _usual_places(text, offsets), np.zeros(len(files), dtype=np.bool_)
    if at is None:
        at, torn = _places(files, offsets)
    if not len(at):
        return [None] * len(files)
    sizes = np.diff(np.searchsorted(at, offsets))
    head = text.words(at)
    # Longer nodes are left to the other reader, as are those of files whose lengths do not add up.
    broken = np.repeat(torn, sizes) | ((head & np.uint64(0xFFFFFF)) != 0)
    length = text.bytes[at + 3].astype(np.int64)
    nodes = _Nodes.leaves(len(at))

    # A leaf: its messages, and the packed doubles.
    leaf = np.flatnonzero(head == _LEAF_HEADS[length])
    counts = (length[leaf] - 4) // 8
    nodes.count[leaf] = counts
    items = slices(at[leaf] + 8, counts, step=8)

    # A continuous split: its messages, and in them another one, with the feature and the threshold, each unless it is 0.
    split = np.flatnonzero(head == _SPLIT_HEADS[length])
    words = text.words(at[split] + 8)
    good = (words & np.uint64(0xFFFF)) == (_SPLIT | (length[split] - 6) << 8).astype(np.uint64)
    split, words = split[good], words[good]
    inside, left = at[split] + 10, length[split] - 6
    feature, size = _tagged_varint(words >> np.uint64(16), left)
    inside, left = inside + size, left - size
    given = (left == 9) & (text.bytes[inside] == _THRESHOLD)
    good = given | (left == 0)
    split, feature, inside, given = split[good], feature[good], inside[good], given[good]
    nodes.kind[split], nodes.feature[split] = CONTINUOUS, feature
    nodes.threshold[split] = np.where(given, text.words(inside + 1).view(np.float64), 0.0)

    other = ~broken
    other[leaf] = other[split] = False

    def decode(node: int, builder: TreeBuilder) -> None:
        message = pb.DecisionNode()
        start = at[node] + 4
        message.ParseFromString(text.bytes[start : start + length[node]].tobytes())
        decision_from_protobuf(builder, message)

    broken |= nodes.decode_others(np.flatnonzero(other), decode)
    return nodes.trees(sizes, broken, text.words(items).view(np.float64))


def _usual_places(text: Text, offsets: Places) -> Places | None:
    """The places of nodes, found by how they begin; ``None`` if they do not follow each other from start to end."""
    data = text.bytes[: offsets[-1] + 8]
    # Comparing all bytes is cheaper than looking at some places.
    good = (data[6:-2] == _INNER) & (data[2:-6] == 0) & (data[3:-5] - data[5:-3] == 2) & (data[3:-5] - data[7:-1] == 4)
    at = np.flatnonzero(good[: offsets[-1]])
    ends = np.concatenate([np.zeros(1, dtype=np.int64), at + 4 + data[at + 3]])
    if not np.array_equal(np.append(at, offsets[-1]), ends):
        return None
    firsts = np.searchsorted(at, offsets[:-1])
    return at if np.array_equal(ends[firsts], offsets[:-1]) else None


def _places(files: Sequence[bytes], offsets: Places) -> tuple[Places, Flags]:
    """The places of nodes shorter than 256 bytes, and whether the length of a file's last one is not right."""
    places: list[int] = []
    torn = []
    for data, offset in zip(files, offsets.tolist(), strict=False):
        position, size = 0, len(data)
        while position + 4 <= size:
            places.append(offset + position)
            # Whether the other three bytes of the length are 0 is checked for all nodes at once.
            position += 4 + data[position + 3]
        torn.append(position != size)
    return np.array(places, dtype=np.int64), np.array(torn)


def _tagged_varint(words: Words, left: Places) -> tuple[Places, Places]:
    """The numbers of at most three bytes after the tag of a feature, and the sizes of both; zeros where there is none."""
    value, size = ((words >> np.uint64(8)) & np.uint64(0x7F)).astype(np.int64), np.full(len(words), 2)
    longer = np.flatnonzero((words & np.uint64(0x80FF)) != _FEATURE)
    if len(longer):
        value[longer], size[longer] = _longer_varint(words[longer])
    good = size <= left
    return np.where(good, value, 0), np.where(good, size, 0)


def _longer_varint(words: Words) -> tuple[Places, Places]:
    """Like :func:`_tagged_varint`, for any words."""
    value, size, more = (
        np.zeros(len(words), dtype=np.int64),
        np.zeros(len(words), dtype=np.int64),
        words & _TAG == _FEATURE,
    )
    for byte in range(3):
        part = (words >> np.uint64(8 * byte + 8)).astype(np.int64) & 0xFF
        value[more] |= (part[more] & 0x7F) << 7 * byte
        size[more] = byte + 2
        more &= part >= 0x80
    return np.where(more, 0, value), np.where(more, 0, size)
