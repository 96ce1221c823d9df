"""``leapstream doctor``: the things that this machine has and lacks, and the commands that add them."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.version import Version

from leapstream.cli.console import LackingError
from leapstream.executors.jvm.gateway import JAVA_VERSIONS, find_javas
from leapstream.executors.jvm.runtime_jar import find_runtime_jar, runtime_jar_directory, untrusted
from leapstream.fetching.schemes import schemes_of
from leapstream.installation import CACHE_DIR_VARIABLE

_OLDEST_PYTHON = (3, 10)
_NEWEST_PYTHON_OF_FLINK = (3, 12)
_SAME_MODULE = {"xgboost": "xgboost-cpu"}
"""Packages whose module another package brings, too."""

_HIDDEN_EXTRAS = ("all", "dev", "docs", "test")


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
    findings = [_python("flink" in needed), *_packages(needed, known_extras())]
    findings.append(_java("flink" in needed))
    findings += _runtime_jar()
    return findings


def missing(needed: Collection[str]) -> list[Finding]:
    """The findings that are needed and missing; nothing else is looked for, since each command asks this before its work."""
    findings = [_python("flink" in needed), *_packages(needed, needed)]
    if "flink" in needed:
        findings.append(_java(True))
    return [finding for finding in findings if finding.needed and not finding.ok]


def require(needed: Collection[str], what: str) -> None:
    """Check that everything that is needed is there.

    Raises:
        LackingError: something is not; ``what`` names the thing that needs it.
    """
    lacking = missing(needed)
    if lacking:
        lacks = "; ".join(f"{item.name}: {item.detail} ({item.fix})" for item in lacking)
        raise LackingError(f"{what} lacks what it needs here: {lacks}")


def _python(for_flink: bool) -> Finding:
    here = sys.version_info[:2]
    ok = here >= _OLDEST_PYTHON and not (for_flink and here > _NEWEST_PYTHON_OF_FLINK)
    fix = None if ok else "create a virtual environment with Python {}.{}".format(*_NEWEST_PYTHON_OF_FLINK)
    return Finding("python", "python", True, ok, f"{platform.python_version()} at {sys.executable}", fix)


def _packages(needed: Collection[str], extras: Collection[str]) -> Iterator[Finding]:
    requirements = [Requirement(text) for text in importlib.metadata.requires("leapstream") or []]
    core = [r for r in requirements if r.marker is None]
    version = importlib.metadata.version("leapstream")
    yield _group("leapstream", "core", True, core, {}, f"{version}; ", "pip install --upgrade leapstream")
    groups: dict[str, Finding] = {}

    def group(extra: str) -> Finding:
        if extra not in groups:
            mine = [r for r in requirements if r not in core and r.marker and r.marker.evaluate({"extra": extra})]
            own = [r for r in mine if r.name != "leapstream"]
            nested = {name: group(name) for r in mine if r.name == "leapstream" for name in sorted(r.extras)}
            uris = " ".join(f"{scheme}://" for scheme in schemes_of(extra))
            before, fix = f"for {uris}; " if uris else "", f"pip install 'leapstream[{extra}]'"
            groups[extra] = _group(extra, "extra", extra in needed, own, nested, before, fix)
        return groups[extra]

    for extra in extras:
        yield group(extra)


def _group(
    name: str,
    kind: str,
    needed: bool,
    requirements: list[Requirement],
    nested: Mapping[str, Finding],
    before: str,
    fix: str,
) -> Finding:
    """The packages of the core or of an extra, which may name other extras."""
    there, lacking = [], [f"the extra {extra} is missing" for extra, finding in nested.items() if not finding.ok]
    for requirement in requirements:
        package, version = _installed(requirement.name)
        if version is None:
            lacking.append(f"{package} is missing")
        elif requirement.specifier.contains(Version(version), prereleases=True):
            there.append(f"{package} {version}")
        else:
            lacking.append(f"{package} {version} is not {requirement.specifier}")
    ok = not lacking
    return Finding(name, kind, needed, ok, before + ", ".join(there if ok else lacking), None if ok else fix)


def _installed(package: str) -> tuple[str, str | None]:
    """The package, or the one that is installed for it, and its version."""
    for name in (package, _SAME_MODULE.get(package, package)):
        try:
            return name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return package, None


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
