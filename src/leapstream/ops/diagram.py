"""A pipeline as a diagram in HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from leapstream.bundle.types import Schema
from leapstream.escaping import html_text
from leapstream.ops.outline import Flow, Group, Member, outline
from leapstream.ops.pipeline import Node, Root, steps

_MOST_SHOWN = 12
# Colours that are readable on a light page and on a dark one.
_BOX = (
    "border:1px solid rgba(128,128,128,.6);border-radius:6px;padding:4px 8px;margin:2px 0;"
    "width:fit-content;max-width:100%;box-sizing:border-box;overflow-wrap:anywhere"
)
_GIVEN, _MADE, _STEP = "rgba(60,160,90,.15)", "rgba(60,110,220,.15)", "rgba(128,128,128,.1)"
_PLAIN = "background:none;color:inherit;padding:0"
_ARROW = "<div>&darr;</div>"


def html_diagram(name: str, root: Root, inputs: Schema, outputs: Schema) -> str:
    """Inputs, steps and outputs. A step that has several nodes is folded, and opens at a click.

    Args:
        name: the name of the model.
        root: its node or pipeline.
        inputs: its inputs.
        outputs: its final outputs.
    """
    drawing = _Drawing(Flow(steps(root), outputs.names))
    parts = [
        _box(_fields(inputs), _GIVEN),
        *drawing.members(outline(root)),
        _box(_fields(outputs), _MADE),
    ]
    return f"<div style='font-family:sans-serif;font-size:90%'><b>{html_text(name)}</b>{_ARROW.join(parts)}</div>"


class _Drawing:
    """Draws nodes and steps of a pipeline."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow

    def members(self, members: Sequence[Member]) -> Iterator[str]:
        for member in members:
            yield self._group(member) if isinstance(member, Group) else self._node(member)

    def _node(self, node: Node) -> str:
        reads, writes = node.input_columns().values(), node.used_columns().values()
        label = f"<b>{html_text(node.op.op)}</b> <small>{html_text(node.name)}</small>"
        return _box(f"{label}<br>{_code(reads)} &rarr; {_code(writes)}")

    def _group(self, group: Group) -> str:
        size = len(list(group.nodes()))
        reads, writes = self._flow.of(group)
        name, kind = group.title
        count = f"{size} op{'' if size == 1 else 's'}"
        said = ", ".join(filter(None, (html_text(kind), count)))
        summary = (
            f"<b>{html_text(name)}</b> <small>{said}</small><br>{_code(_short(reads))} &rarr; {_code(_short(writes))}"
        )
        inner = _ARROW.join(self.members(group.members))
        return (
            f"<details style='{_BOX};background:{_STEP}'><summary style='cursor:pointer'>{summary}</summary>"
            f"<div style='margin:6px 0 2px 12px'>{inner}</div></details>"
        )


def _box(inner: str, background: str = "transparent") -> str:
    return f"<div style='{_BOX};background:{background}'>{inner}</div>"


def _code(names: Iterable[str]) -> str:
    return f"<code style='{_PLAIN}'>{html_text(', '.join(names))}</code>"


def _short(names: Sequence[str]) -> list[str]:
    hidden = len(names) - _MOST_SHOWN
    return [*names[:_MOST_SHOWN], *([f"and {hidden} more"] if hidden > 0 else [])]


def _fields(schema: Schema) -> str:
    shown = [html_text(str(field)) for field in schema]
    if len(shown) <= _MOST_SHOWN:
        return "<br>".join(shown)
    more = "<br>".join(shown[_MOST_SHOWN:])
    summary = f"<summary style='cursor:pointer'>and {len(shown) - _MOST_SHOWN} more</summary>"
    return "<br>".join(shown[:_MOST_SHOWN]) + f"<details>{summary}{more}</details>"
