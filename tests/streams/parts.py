"""The jars that ``make test-streams`` fetches with Maven."""

from __future__ import annotations

from pathlib import Path

_TARGET = Path(__file__).parent / "target"
KAFKA = _TARGET / "kafka"
CONNECTORS = _TARGET / "lib"
OPERATOR = _TARGET / "operator"
GATEWAY = _TARGET / "opt"
S3_PLUGIN = _TARGET / "plugins" / "s3-fs-hadoop"
GS_PLUGIN = _TARGET / "plugins" / "gs-fs-hadoop"
