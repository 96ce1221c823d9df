"""``leapstream doctor``: the things that this machine has and lacks, and the commands that add them."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.version import Version

from leapstream.cli.console import LackingError
from leapstream.executors.jvm.gateway import JAVA_VERSIONS, find_javas
from leapstream.executors.jvm.runtime_jar import find_runtime_jar, runtime_jar_directory, untrusted
from leapstream.fetching.schemes import schemes_of
from leapstream.installation import CACHE_DIR_VARIABLE

PYTHONS = ((3, 10), (3, 12))
_HIDDEN_EXTRAS = ("all", "dev")


@dataclass(frozen=True)
class Finding:
    """A thing that leapstream uses, found or missing.

    Attributes:
        name: its name.
        kind: ``python``, ``core``, ``extra`` or ``java``.
        needed: whether doctor fails without it.
        ok: whether it is there.
        detail: versions found, or the packages that are missing.
        fix: the command that adds it, when it is missing.
    """

    name: str
    kind: str
    needed: bool
    ok: bool
    detail: str
    fix: str | None = None


def known_extras() -> list[str]:
    """The extras that ``pip install 'leapstream[…]'`` knows."""
    extras = importlib.metadata.metadata("leapstream").get_all("Provides-Extra") or []
    return [extra for extra in extras if extra not in _HIDDEN_EXTRAS]


def examine(needed: Collection[str]) -> list[Finding]:
    """Look for everything that leapstream uses.

    Args:
        needed: the extras that have to be there.
    """
    findings = [_python(), *_packages(needed)]
    findings.append(_java("flink" in needed))
    findings += _runtime_jar()
    return findings


def missing(needed: Collection[str]) -> list[Finding]:
    """The findings that are needed and missing."""
    return [finding for finding in examine(needed) if finding.needed and not finding.ok]


def require(needed: Collection[str], what: str) -> None:
    """Check that everything that is needed is there.

    Raises:
        LackingError: something is not; ``what`` names the thing that needs it.
    """
    lacking = missing(needed)
    if lacking:
        lacks = "; ".join(f"{item.name}: {item.detail} ({item.fix})" for item in lacking)
        raise LackingError(f"{what} lacks what it needs here: {lacks}")


def _python() -> Finding:
    low, high = PYTHONS
    ok = low <= sys.version_info[:2] <= high
    fix = None if ok else f"create a virtual environment with Python {high[0]}.{high[1]}"
    return Finding("python", "python", True, ok, f"{platform.python_version()} at {sys.executable}", fix)


def _packages(needed: Collection[str]) -> Iterator[Finding]:
    requirements = [Requirement(text) for text in importlib.metadata.requires("leapstream") or []]
    core = [r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})]
    version = importlib.metadata.version("leapstream")
    yield _group("leapstream", "core", True, core, f"{version}; ", "pip install --upgrade leapstream")
    for extra in known_extras():
        mine = [r for r in requirements if r not in core and r.marker and r.marker.evaluate({"extra": extra})]
        uris = " ".join(f"{scheme}://" for scheme in schemes_of(extra))
        yield _group(
            extra, "extra", extra in needed, mine, f"for {uris}; " if uris else "", f"pip install 'leapstream[{extra}]'"
        )


def _group(name: str, kind: str, needed: bool, requirements: list[Requirement], before: str, fix: str) -> Finding:
    there, lacking = [], []
    for requirement in requirements:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            lacking.append(f"{requirement.name} is missing")
            continue
        if requirement.specifier.contains(Version(version), prereleases=True):
            there.append(f"{requirement.name} {version}")
        else:
            lacking.append(f"{requirement.name} {version} is not {requirement.specifier}")
    ok = not lacking
    return Finding(name, kind, needed, ok, before + ", ".join(there if ok else lacking), None if ok else fix)


def _java(needed: bool) -> Finding:
    javas = list(find_javas())
    used = next((java for java in javas if java.suitable), None)
    found = [
        f"{java.version or 'broken'} ({java.where}: {java.home})" + (" [used]" if java is used else "")
        for java in javas
    ]
    detail = ", ".join(found) or "none"
    if used is None:
        wanted = ", ".join(map(str, JAVA_VERSIONS))
        return Finding("java", "java", needed, False, f"{detail}; needs {wanted}", "pip install 'leapstream[flink]'")
    return Finding("java", "java", needed, True, detail)


def _runtime_jar() -> Iterator[Finding]:
    """The compiled classes of this installation; nothing where there is no Flink to compile them for."""
    try:
        flink = importlib.metadata.version("apache-flink")
    except importlib.metadata.PackageNotFoundError:
        return
    found, folder = find_runtime_jar(flink), runtime_jar_directory()
    reason = untrusted(folder) if folder.exists() else None
    if found is not None:
        yield Finding("runtime jar", "java", False, True, f"{found.path} (from the {found.origin})")
    elif reason is None:
        yield Finding("runtime jar", "java", False, True, f"not compiled yet; the first use writes it to {folder}")
    else:
        fix = f"chmod go-w a directory of yours, or set {CACHE_DIR_VARIABLE} to one"
        yield Finding("runtime jar", "java", False, False, f"each process compiles it: {reason}", fix)
