"""Compiles the runtime jar that a wheel brings; ``make wheel`` runs it before it builds the wheel.

Flink's Janino compiles the classes, as on the machines of users. So they depend on the sources and the version of Flink alone:
no JDK and no Maven takes part, and Janino gives the same bytes on every Java. The jar is not compressed, because compressed
bytes depend on the version of zlib.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from leapstream.executors.jvm.gateway import runtime
from leapstream.executors.jvm.runtime_jar import BROUGHT


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=BROUGHT, help="older jars in it are removed")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("leapstream-runtime-*.jar"):
        old.unlink()
    print(runtime().write_wheel_jar(folder))


if __name__ == "__main__":
    main()
