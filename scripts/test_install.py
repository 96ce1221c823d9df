"""Builds the wheel and the sdist, and installs the wheel into empty environments: each Python that is found, and each extra.

In each environment the version, ``leapstream doctor --need EXTRA`` and a prediction have to be right. The wheel is also installed
beside the newest numpy, pandas, pyarrow, protobuf and scikit-learn, and may change none of them. Prints seconds and size of each
installation, and exits with 1 if one of them fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
BESIDE = ("numpy", "pandas", "pyarrow", "protobuf", "scikit-learn")
HIDDEN = {"all", "dev", "docs", "test"}
"""The extras of those who develop leapstream; ``all`` is every other one."""

LOAN = {"state": "CA", "home": "rent", "amount": 5000.0, "income": 40000.0, "age": 30.0, "late": 0.0, "flag": 0.0}
CHECK = f"""
import leapstream
from leapstream.demo import bundle
model = leapstream.load(bundle("loans"))
assert model.predict({LOAN!r})["prediction"] in (0.0, 1.0)
"""
BATCHES = f"{CHECK}\nassert len(model.transform([{LOAN!r}] * 3)) == 3\n"
IMPORTS = {
    "flink": "leapstream.flink",
    "grpc": "leapstream.serving.grpc.server",
    "mlflow": "leapstream.mlflow",
    "serve": "leapstream.serving.server",
    "spark": "leapstream.spark",
}
"""The module of an extra that fails to import without its packages."""


class InstallationError(Exception):
    """A step that failed, with what it printed."""


def main() -> int:
    """Test the installations; 0 if all are right."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--extras", nargs="*", help="extras to install, with the first Python; by default all")
    options = arguments.parse_args()
    pythons = dict(found_pythons())
    print(
        f"Pythons: {', '.join(pythons)}; not found here: {', '.join(set(PYTHONS) - set(pythons)) or 'none'}", flush=True
    )
    extras = options.extras
    if extras is None:
        extras = sorted(set(metadata("leapstream").get_all("Provides-Extra") or []) - HIDDEN)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        wheel = build(Path(folder))
        print(
            f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB; wheel and sdist have the same bytes when built again"
        )
        mine = "{}.{}".format(*sys.version_info)
        work = [(version, "", False) for version in pythons] + [(version, "batch", True) for version in pythons]
        work += [(mine if mine in pythons else next(iter(pythons)), extra, False) for extra in extras]
        print("| Python | installed | s | MB | |\n| --- | --- | --- | --- | --- |")
        for version, extra, beside in work:
            row = f"| {version} | {named(extra)}{', beside the newest' if beside else ''} "
            try:
                seconds, size = install(wheel, pythons[version], extra, beside, Path(folder) / "environment")
                print(f"{row}| {seconds:.0f} | {size} | right |", flush=True)
            except InstallationError as error:
                failed += 1
                print(f"{row}| | | **{error}** |", flush=True)
    print(f"{len(work) - failed} of {len(work)} installations are right")
    return 1 if failed else 0


def found_pythons() -> Iterator[tuple[str, Path]]:
    """The Pythons on PATH, and those of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for version in PYTHONS:
        on_path = shutil.which(f"python{version}")
        for python in [*([Path(on_path)] if on_path else []), *sorted(pyenv.glob(f"{version}.*/bin/python"))]:
            # A shim of pyenv may be there for a Python that is not.
            code = "import sys, venv; print(sys.executable)"
            done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                yield version, Path(done.stdout.strip())
                break


def build(folder: Path) -> Path:
    """The wheel; it and the sdist are built twice, and have the same bytes. Both pass ``twine check``."""
    for name in ("first", "second"):
        run(uv(), "build", "--quiet", "--out-dir", str(folder / name), str(ROOT))
    files = sorted(file for file in (folder / "first").iterdir() if file.suffix in (".whl", ".gz"))
    for file in files:
        if digest(file) != digest(folder / "second" / file.name):
            raise InstallationError(f"{file.name} has other bytes when it is built again")
    run(uv(), "tool", "run", "--quiet", "twine", "check", "--strict", *map(str, files))
    return next(file for file in files if file.suffix == ".whl")


def install(wheel: Path, python: Path, extra: str, beside: bool, environment: Path) -> tuple[float, int]:
    """Seconds and MB of an installation into an empty environment, whose checks pass."""
    shutil.rmtree(environment, ignore_errors=True)
    run(uv(), "venv", "--quiet", "--python", str(python), str(environment))
    inside = environment / "bin" / "python"
    before: dict[str, str] = {}
    if beside:
        run(uv(), "pip", "install", "--quiet", "--python", str(inside), *BESIDE)
        before = versions(inside)
    started = time.monotonic()
    run(uv(), "pip", "install", "--quiet", "--python", str(inside), f"{wheel}[{extra}]" if extra else str(wheel))
    seconds = time.monotonic() - started
    after = versions(inside)
    changed = [
        f"{name} {version} to {after.get(name)}" for name, version in before.items() if after.get(name) != version
    ]
    if changed:
        raise InstallationError(f"changed {', '.join(changed)}")
    check(environment, inside, extra, after)
    return seconds, size_of(environment)


def check(environment: Path, inside: Path, extra: str, installed: dict[str, str]) -> None:
    """Run what an installation has to be able to."""
    command = str(environment / "bin" / "leapstream")
    run(command, "--version")
    run(command, "doctor", *(("--need", extra) if extra else ()))
    run(str(inside), "-W", "error", "-c", BATCHES if "numba" in installed else CHECK)
    if extra in IMPORTS:
        run(str(inside), "-c", f"import {IMPORTS[extra]}")


def versions(python: Path) -> dict[str, str]:
    """The packages of an environment."""
    found = run(uv(), "pip", "list", "--quiet", "--format", "json", "--python", str(python))
    return {package["name"]: package["version"] for package in json.loads(found)}


def size_of(environment: Path) -> int:
    """MB of the packages."""
    (packages,) = environment.glob("lib/python*/site-packages")
    return round(sum(file.stat().st_size for file in packages.rglob("*") if file.is_file()) / 1e6)


def named(extra: str) -> str:
    """The words of a requirement."""
    return f"leapstream[{extra}]" if extra else "leapstream"


def digest(file: Path) -> str:
    """The hash of a file's bytes."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def uv() -> str:
    """The uv of this environment."""
    return str(Path(sys.executable).with_name("uv"))


def run(*command: str) -> str:
    """The output of a command, which is run outside of the repository, without the variables of another Python."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env=environment)
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise InstallationError(re.sub(r"\s+", " ", " ".join(lines[-3:])))
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
