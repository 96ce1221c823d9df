"""Jars that PyPI does not have, from Maven's repository."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def fetched(artifact: str, folder: Path) -> Path:
    """The jar ``group:name:version``, copied into a folder by Maven; the test is skipped where there is no Maven."""
    maven = shutil.which("mvn")
    if maven is None:
        pytest.skip("Maven fetches the jar that this needs, and is not installed")
    command = [maven, "-q", "-B", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"]
    subprocess.run([*command, "-Dmdep.useBaseVersion=true"], check=True, capture_output=True, text=True, timeout=300)
    _, name, version = artifact.split(":")
    return folder / f"{name}-{version}.jar"
