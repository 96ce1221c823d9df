"""``leapstream doctor --cluster``: what models need of a Flink cluster, as the REST endpoint of its JobManager shows it."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from leapstream.cli.doctor import Finding
from leapstream.cli.jobmanager import JobManager, Overview, minor
from leapstream.errors import BackendError, ConfigError
from leapstream.executors.jvm.gateway import JAVA_VERSIONS

OLDEST = "1.20"
"""The oldest Flink that runs compiled models."""
FEATURES = {"functions and streams": "1.20", "CREATE MODEL, ML_PREDICT and MLEAP_PREDICT": "2.1"}
"""The things that a version of Flink can do with a model, each with the first version that can."""

_BUILT_IN_CONNECTORS = ("blackhole", "datagen", "print")
_BUILT_IN_FORMATS = ("raw",)
_FORMATS = ("avro", "avro-confluent-registry", "csv", "json", "orc", "parquet", "protobuf")
_JAR = re.compile(r"^(?P<name>.+?)-(?P<version>\d[^/]*)\.jar$")
_PLUGIN = re.compile(r"Plugin loader with ID (?:not )?found, (?:creating|reusing) it: (\S+)")
_finding = partial(Finding, kind="cluster")


@dataclass(frozen=True)
class _Cluster:
    """The answers of a JobManager.

    Attributes:
        url: its address.
        java: the name and version of its Java.
        jars: the names of the jars on its classpath, each with its version.
        plugins: the names of its folders of plugins; ``None`` where its log does not tell them.
        settings: its configuration.
        overview: its version and slots.
    """

    url: str
    java: str | None
    jars: Mapping[str, str] | None
    plugins: Collection[str] | None
    settings: Mapping[str, str]
    overview: Overview

    @property
    def version(self) -> str:
        """Its version of Flink."""
        return self.overview.version


def examine_cluster(url: str) -> list[Finding]:
    """Look for everything that models need of a cluster.

    Args:
        url: the JobManager's REST endpoint: ``http://host:port``, or ``host:port``.

    Raises:
        ConfigError: the URL is not one of HTTP.
        BackendError: nobody answers, or not a JobManager.
    """
    cluster = _ask(JobManager(_base(url)))
    return [
        _flink(cluster),
        _java(cluster),
        _compiler(cluster),
        _slots(cluster),
        _python(cluster),
        _listed(cluster, "connectors", _connectors, _BUILT_IN_CONNECTORS),
        _listed(cluster, "formats", _formats, _BUILT_IN_FORMATS),
        _file_systems(cluster),
        _checkpoints(cluster),
        _availability(cluster),
        _reporters(cluster),
        *_client(cluster),
    ]


# ---- questions --------------------------------------------------------------------------------------------------------


def _base(url: str) -> str:
    base = url if "://" in url else f"http://{url}"
    if not base.startswith(("http://", "https://")):
        raise ConfigError(
            f"--cluster is {url!r}, and has to be the http:// URL or host:port of a JobManager's REST endpoint"
        )
    return base


def _ask(manager: JobManager) -> _Cluster:
    overview = manager.overview()
    # A JobManager hides what it is told to hide, and older ones lack some of these.
    environment = manager.optional("jobmanager/environment")
    settings = manager.optional("jobmanager/config") or []
    classpath = environment.get("classpath") if isinstance(environment, dict) else None
    return _Cluster(
        manager.base,
        str(environment["jvm"]["version"]) if isinstance(environment, dict) and "jvm" in environment else None,
        None if not classpath else dict(_named(str(path) for path in classpath)),
        _plugins(manager),
        {str(item["key"]): str(item["value"]) for item in settings},
        overview,
    )


def _plugins(manager: JobManager) -> Collection[str] | None:
    """The plugins that the JobManager's log names; it does when it starts, as long as that part of the log is kept."""
    try:
        found = _PLUGIN.findall(manager.get("jobmanager/log").decode(errors="replace"))
    except BackendError:
        return None
    return sorted(set(found)) or None


def _named(paths: Iterator[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        match = _JAR.match(re.split(r"[/\\]", path)[-1])
        if match:
            yield match["name"], match["version"]


# ---- findings ---------------------------------------------------------------------------------------------------------


def _flink(cluster: _Cluster) -> Finding:
    works = [name for name, since in FEATURES.items() if minor(cluster.version) >= minor(since)]
    ok = bool(works)
    fix = None if ok else f"a cluster of Flink {OLDEST} or later"
    detail = f"{cluster.version} at {cluster.url}" + (f": {', '.join(works)}" if works else "")
    return _finding("flink", needed=True, ok=ok, detail=detail, fix=fix)


def _java(cluster: _Cluster) -> Finding:
    if cluster.java is None:
        return _unknown("cluster java", "the JobManager's environment")
    major = re.search(r" - (?:1\.)?(\d+)/", f" {cluster.java}")
    ok = major is None or int(major[1]) >= min(JAVA_VERSIONS)
    fix = None if ok else f"Java {min(JAVA_VERSIONS)} or later"
    return _finding("cluster java", needed=True, ok=ok, detail=cluster.java, fix=fix)


def _compiler(cluster: _Cluster) -> Finding:
    """Janino is in the jar of Flink's runtime of tables; functions and models extend classes of it too."""
    if cluster.jars is None:
        return _unknown("janino", "the JobManager's classpath")
    version = cluster.jars.get("flink-table-runtime")
    if version is None:
        fix = "flink-table-runtime in the cluster's lib, as in Flink's distribution"
        return _finding("janino", needed=True, ok=False, detail="flink-table-runtime is not in lib", fix=fix)
    return _finding("janino", needed=True, ok=True, detail=f"in flink-table-runtime {version}")


def _slots(cluster: _Cluster) -> Finding:
    found, detail = cluster.overview, cluster.overview.free_slots()
    if found.slots:
        fix = None if found.free else "a TaskManager more"
        return _finding("slots", needed=False, ok=found.free > 0, detail=detail, fix=fix)
    # Kubernetes and YARN start TaskManagers when a job needs them.
    return _finding(
        "slots", needed=False, ok=False, detail=detail, fix="taskmanager.sh start, unless jobs start their own"
    )


def _python(cluster: _Cluster) -> Finding:
    if cluster.jars is None:
        return _unknown("python functions", "the JobManager's classpath")
    if "flink-python" in cluster.jars:
        detail = f"flink-python {cluster.jars['flink-python']}; REST does not show the Python of the workers"
        return _finding("python functions", needed=False, ok=True, detail=detail)
    detail = "flink-python is not in lib; jobs of PyFlink bring it along, and the jvm backend does not need it"
    return _finding("python functions", needed=False, ok=True, detail=detail)


def _listed(cluster: _Cluster, name: str, choose: Any, built_in: Sequence[str]) -> Finding:
    if cluster.jars is None:
        return _unknown(name, "the JobManager's classpath")
    detail = ", ".join([*choose(cluster.jars), *built_in])
    return _finding(name, needed=False, ok=True, detail=f"{detail}; a job's own jars (pipeline.jars) may bring more")


def _connectors(jars: Mapping[str, str]) -> list[str]:
    found = {match[1]: jars[name] for name in jars if (match := re.match(r"flink-(?:sql-)?connector-(.+)$", name))}
    return [f"{name} {version}" for name, version in sorted(found.items())]


def _formats(jars: Mapping[str, str]) -> list[str]:
    names = {name: re.sub(r"^flink-(sql-)?", "", name) for name in jars}
    return sorted(f"{short} {jars[name]}" for name, short in names.items() if short in _FORMATS)


def _file_systems(cluster: _Cluster) -> Finding:
    if cluster.plugins is None and cluster.jars is None:
        return _unknown("file systems", "the JobManager's classpath and log")
    found = sorted(
        name for name in (*(cluster.plugins or ()), *(cluster.jars or ())) if re.search(r"(^|-)fs(-|$)", name)
    )
    where = "" if cluster.plugins is not None else "; plugins are not seen: the log's first lines are gone"
    detail = f"{', '.join(found) or 'only file://'}{where}"
    fix = None if found else "flink-s3-fs-hadoop, flink-gs-fs-hadoop, … in a folder of plugins, for stores elsewhere"
    return _finding("file systems", needed=False, ok=bool(found), detail=detail, fix=fix)


def _checkpoints(cluster: _Cluster) -> Finding:
    interval = cluster.settings.get("execution.checkpointing.interval")
    folder = cluster.settings.get("execution.checkpointing.dir", cluster.settings.get("state.checkpoints.dir"))
    detail = f"every {interval or '— (jobs set it)'}, in {folder or 'the memory of the JobManager'}"
    fix = (
        None
        if folder
        else "execution.checkpointing.dir (state.checkpoints.dir before 1.20) on a file system of all machines"
    )
    return _finding("checkpoints", needed=False, ok=folder is not None, detail=detail, fix=fix)


def _availability(cluster: _Cluster) -> Finding:
    kind = cluster.settings.get("high-availability.type", cluster.settings.get("high-availability", "NONE"))
    ok = kind.upper() != "NONE"
    fix = None if ok else "high-availability.type, or jobs end with the JobManager"
    return _finding("high availability", needed=False, ok=ok, detail=kind.lower(), fix=fix)


def _reporters(cluster: _Cluster) -> Finding:
    keys = (re.match(r"metrics\.reporter\.([^.]+)\.factory\.class$", key) for key in cluster.settings)
    names = sorted(match[1] for match in keys if match)
    fix = None if names else "metrics.reporter.prom.factory.class, for dashboards and alerts"
    return _finding("metrics", needed=False, ok=bool(names), detail=", ".join(names) or "no reporter", fix=fix)


def _unknown(name: str, what: str) -> Finding:
    return _finding(name, needed=False, ok=False, detail=f"not seen: the REST endpoint does not show {what}")


def _client(cluster: _Cluster) -> Iterator[Finding]:
    """The jars with which this machine plans jobs, compared with the cluster's."""
    try:
        version = importlib.metadata.version("apache-flink")
    except importlib.metadata.PackageNotFoundError:
        return
    ok = minor(version) == minor(cluster.version)
    fix = None if ok else f"pip install 'apache-flink=={cluster.version}'"
    detail = f"{version}, the cluster has {cluster.version}"
    yield _finding("pyflink", needed=False, ok=ok, detail=detail, fix=fix)
    spec = find_spec("pyflink")
    home = Path(spec.origin).parent if spec is not None and spec.origin is not None else None
    if home is None:
        return
    mine = dict(_named(path.name for folder in ("lib", "opt") for path in (home / folder).glob("*.jar")))
    lacking = sorted(_connectors({name: v for name, v in (cluster.jars or {}).items() if name not in mine}))
    if lacking:
        fix = "leapstream sql --set pipeline.jars=file:///…"
        yield _finding("connectors of pyflink", needed=False, ok=False, detail=f"lacks {', '.join(lacking)}", fix=fix)
    if "flink-sql-gateway" not in mine:
        detail = "pip's PyFlink lacks flink-sql-gateway, which its sql-client.sh and sql-gateway.sh need"
        fix = f"leapstream sql, or the jar of version {version} in {home / 'opt'}"
        yield _finding("sql gateway", needed=False, ok=False, detail=detail, fix=fix)
