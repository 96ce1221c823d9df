"""``deploy/flink/``: the operator takes its resources, and Flink runs its job as the operator would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from leapstream.executors.jvm.gateway import ensure_java
from tests.deploy.manifests import DEPLOY
from tests.flink.cluster import HOME, free_ports, java_options
from tests.streams.broker import Broker
from tests.streams.conftest import QUICK, rows
from tests.streams.parts import CONNECTORS, GATEWAY, OPERATOR

FLINK = DEPLOY / "flink"
ROWS = 1_000


def deployment() -> dict[str, Any]:
    """The resource of the operator."""
    return dict(yaml.safe_load((FLINK / "deployment.yaml").read_text()))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The schema of the operator's resource, from its jar."""
    (jar,) = OPERATOR.iterdir()
    with zipfile.ZipFile(jar) as archive:
        definition = yaml.safe_load(archive.read("META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"))
    (version,) = (v for v in definition["spec"]["versions"] if deployment()["apiVersion"].endswith(f"/{v['name']}"))
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return found


def unknown(value: Any, schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """The fields that a schema does not have; Kubernetes drops them without a word."""
    if isinstance(value, dict) and "properties" in schema:
        for name, part in value.items():
            if name in schema["properties"]:
                yield from unknown(part, schema["properties"][name], f"{path}/{name}")
            else:
                yield f"{path}/{name}"
    elif isinstance(value, list) and "items" in schema:
        for part in value:
            yield from unknown(part, schema["items"], f"{path}/…")


def complaints(resource: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """The paths of what is wrong with a resource."""
    errors = jsonschema.Draft202012Validator(schema).iter_errors(resource)
    wrong = ["/".join(map(str, error.path)) for error in errors]
    return [*wrong, *unknown(resource["spec"], schema["properties"]["spec"])]


def test_the_operator_takes_the_deployment(schema: dict[str, Any]) -> None:
    # Maven Central has the operator's jar up to 1.10 alone, which ends with Flink 1.20; operators of Flink 2.3 know this version.
    assert complaints(deployment(), schema) == ["spec/flinkVersion"]
    resource = deployment()
    resource["spec"]["flinkVersion"] = "v1_20"
    assert complaints(resource, schema) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("job", "upgradeMode"), "rolling"),
        (("taskManager", "resource", "cpu"), "half"),
        (("job", "jarUri"), "local:///a.jar"),
    ],
)
def test_the_schema_finds_what_is_wrong(schema: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    resource = deployment()
    resource["spec"]["flinkVersion"] = "v1_20"
    *parents, last = path
    part = resource["spec"]
    for name in parents:
        part = part[name]
    part[last] = value
    assert complaints(resource, schema)


@contextmanager
def application(folder: Path, jar: Path, script: Path, rest: int) -> Iterator[subprocess.Popen[bytes]]:
    """The image's Flink as the operator starts it: a JobManager of one job, and a TaskManager."""
    lib, plugins, opt = (folder / name for name in ("lib", "plugins", "opt"))
    for target, sources in {
        lib: [*(HOME / "lib").iterdir(), *CONNECTORS.iterdir(), jar],
        opt: [*(HOME / "opt").iterdir(), *GATEWAY.iterdir()],
        plugins: [],
    }.items():
        target.mkdir(parents=True)
        for path in sources:
            (target / path.name).symlink_to(path)
    conf = folder / "conf"
    shutil.copytree(HOME / "conf", conf)
    (rpc,) = free_ports(1)
    settings = QUICK | {
        "env.java.opts.all": java_options(),
        "jobmanager.rpc.address": "127.0.0.1",
        "jobmanager.rpc.port": rpc,
        "jobmanager.memory.process.size": "1024m",
        "taskmanager.memory.process.size": "1024m",
        "taskmanager.host": "127.0.0.1",
        "taskmanager.numberOfTaskSlots": deployment()["spec"]["flinkConfiguration"]["taskmanager.numberOfTaskSlots"],
        "parallelism.default": deployment()["spec"]["job"]["parallelism"],
        "rest.address": "127.0.0.1",
        "rest.port": rest,
    }
    (conf / "config.yaml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
    environment = os.environ | {
        "JAVA_HOME": str(ensure_java()),
        "FLINK_HOME": str(HOME),
        "FLINK_CONF_DIR": str(conf),
        "FLINK_LIB_DIR": str(lib),
        "FLINK_OPT_DIR": str(opt),
        "FLINK_PLUGINS_DIR": str(plugins),
        "FLINK_LOG_DIR": str(folder),
        "FLINK_PID_DIR": str(folder),
    }
    job = deployment()["spec"]["job"]
    arguments = [script.as_uri() if argument.startswith("file://") else argument for argument in job["args"]]
    commands = (
        ["standalone-job.sh", "start-foreground", "--job-classname", job["entryClass"], *arguments],
        ["taskmanager.sh", "start-foreground"],
    )
    processes = []
    try:
        for script_name, *options in commands:
            with (folder / f"{script_name}.out").open("wb") as out:
                command = ["bash", str(HOME / "bin" / script_name), *options]
                processes.append(subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT))
        yield processes[0]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_flink_runs_the_job_without_python(broker: Broker, jars: dict[str, Path], tmp_path: Path) -> None:
    broker.write(broker.create("applications"), rows(ROWS))
    broker.create("predictions")
    script = tmp_path / "job.sql"
    text = (FLINK / "job.sql").read_text()
    assert text.count("kafka:9092") == 2 and "'10 s'" in text
    script.write_text(text.replace("kafka:9092", broker.address).replace("'10 s'", "'1 s'"))
    (rest,) = free_ports(1)
    with application(tmp_path / "flink", jars["v1"], script, rest) as job_manager:
        found: list[bytes] = []
        while len(found) < ROWS:
            assert job_manager.poll() is None, (tmp_path / "flink" / "standalone-job.sh.out").read_text()[-3000:]
            found = list(broker.read("predictions"))
    assert sorted(json.loads(value)["id"] for value in found) == list(range(ROWS))
