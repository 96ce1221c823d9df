"""``leapstream export``: models that other libraries saved, as bundles."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leapstream.bundle.definition import Format
from leapstream.cli.console import err, one_line
from leapstream.cli.savedmodels import KINDS, Kind, Options, recognized
from leapstream.errors import BundleError
from leapstream.exporters.portable import accept
from leapstream.exporters.progress import doing, shown
from leapstream.model import Model, save


@dataclass(frozen=True)
class Exported:
    """The result of an export."""

    source: str
    kind: Kind
    bundle: str
    model: Model

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON holds it."""
        schema = self.model.schema
        return {
            "source": self.source,
            "from": self.kind.name,
            "bundle": self.bundle,
            "name": self.model.name,
            "inputs": [{"name": f.name, "type": str(f.type)} for f in schema.inputs],
            "outputs": [{"name": f.name, "type": str(f.type)} for f in schema.outputs],
            "ops": [node.op.op for node in self.model.nodes],
        }


def export(source: str, target: str, kind: str | None, options: Options, format: Format | None) -> Exported:
    """Write a saved model as a bundle.

    Args:
        source: file or directory that a library wrote.
        target: the bundle.
        kind: name of the kind; by default the file tells.
        options: the other options.
        format: the format of the nodes.

    Raises:
        LackingError: the library is not installed.
        LeapstreamError: the file cannot be read, or MLeap's ops cannot compute the model.
    """
    path = Path(source)
    if not path.exists():
        raise BundleError(f"{source}: no such file or directory")
    chosen = KINDS[kind] if kind is not None else recognized(path)
    with warnings.catch_warnings(record=True) as caught, shown():
        warnings.simplefilter("always")
        doing(f"reading {source}")
        model = chosen.read(path, options)
    if options.portable:
        accept(model, portable=True)
    for message in dict.fromkeys(one_line(str(warning.message)) for warning in caught):
        err().print(f"warning: {path}: {message}", soft_wrap=True)
    with shown():
        doing(f"writing {target}")
        save(model, target, format=format)
    return Exported(source, chosen, target, model)


__all__ = ["Exported", "Options", "export"]
