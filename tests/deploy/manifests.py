"""The files of ``deploy/``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"


@dataclass(frozen=True)
class Manifest:
    """A manifest: its file, and what it says."""

    path: Path
    content: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.path.stem}, {self.content['kind']}"

    @property
    def pod(self) -> dict[str, Any]:
        """The part that describes a pod."""
        spec: dict[str, Any] = self.content["spec"]
        template: dict[str, Any] = spec.get("template", {}).get("spec", spec)
        return template

    @property
    def container(self) -> dict[str, Any]:
        """Its only container."""
        (container,) = self.pod["containers"]
        return dict(container)


def manifests(*kinds: str) -> list[Manifest]:
    """All manifests of the server, or those of some kinds."""
    found = [
        Manifest(path, content)
        for path in sorted(DEPLOY.glob("k*/*.yaml"))
        for content in yaml.safe_load_all(path.read_text())
    ]
    return [manifest for manifest in found if not kinds or manifest.content["kind"] in kinds]


def instructions(name: str, dockerfile: Path = DOCKERFILE) -> Iterator[str]:
    """The texts behind an instruction of a Dockerfile."""
    text = re.sub(r"\\\n\s*", "", dockerfile.read_text())
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == name:
            yield rest
