"""The nodes of a pipeline, grouped by the steps that they were exported from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from leapstream.ops.pipeline import Node, Pipeline, Root

_BETWEEN = " > "
_NAMED = re.compile(r"'(.*)' \((.*)\)", re.DOTALL)


@dataclass(frozen=True)
class Group:
    """A step of a pipeline, or a pipeline inside another one.

    Attributes:
        name: the step's name and class.
        members: its nodes and the steps in it, in the order in which they run.
    """

    name: str
    members: tuple[Member, ...]

    @property
    def title(self) -> tuple[str, str]:
        """The step's own name, and its class or an empty text."""
        match = _NAMED.fullmatch(self.name)
        return (match[1], match[2]) if match else (self.name, "")

    def nodes(self) -> Iterator[Node]:
        """All nodes in it."""
        for member in self.members:
            if isinstance(member, Group):
                yield from member.nodes()
            else:
                yield member


Member: TypeAlias = "Node | Group"


def outline(root: Root) -> tuple[Member, ...]:
    """The steps of a model in the order in which they run; nodes whose step is not known stand for themselves.

    A step appears twice if nodes of others run between its nodes.
    """
    members = _members(root)
    # A pipeline is not one of its own steps.
    while len(members) == 1 and isinstance(members[0], Group):
        members = members[0].members
    return members


def _members(root: Root) -> tuple[Member, ...]:
    if isinstance(root, Node):
        return _grouped([(_path(root), root)])
    return _grouped(
        [
            ((), Group(node.name, _members(node))) if isinstance(node, Pipeline) else (_path(node), node)
            for node in root.nodes
        ]
    )


def _path(node: Node) -> tuple[str, ...]:
    return () if node.step is None else tuple(node.step.split(_BETWEEN))


def _grouped(placed: Sequence[tuple[tuple[str, ...], Member]]) -> tuple[Member, ...]:
    """The nodes below the steps that their paths begin with."""
    found: list[Member] = []
    for name, run in groupby(placed, key=lambda pair: pair[0][:1]):
        if name:
            found.append(Group(name[0], _grouped([(path[1:], member) for path, member in run])))
        else:
            found += [member for _, member in run]
    return tuple(found)


class Flow:
    """The columns that steps of a pipeline read from outside, and those that they give.

    Args:
        nodes: the nodes of the pipeline.
        outputs: its final outputs.
    """

    def __init__(self, nodes: Iterable[Node], outputs: Iterable[str]) -> None:
        self._readers = _readers(nodes)
        self._readers.update(outputs)

    def of(self, group: Group) -> tuple[list[str], list[str]]:
        """The columns that a step reads, and those that it gives to other steps or as final outputs."""
        nodes = list(group.nodes())
        inside = _readers(nodes)
        made = [column for node in nodes for column in node.used_columns().values()]
        return (
            [column for column in inside if column not in set(made)],
            [column for column in made if self._readers[column] > inside[column]],
        )


def _readers(nodes: Iterable[Node]) -> Counter[str]:
    """The number of nodes that read a column."""
    return Counter(column for node in nodes for column in dict.fromkeys(node.input_columns().values()))
