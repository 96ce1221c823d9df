"""The commands and scripts of docs/operations/recipes.md, one after the other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leapstream import save
from leapstream.cli.statements import split
from tests.flink.cluster import Cluster
from tests.streams.broker import Broker
from tests.streams.conftest import models, rows
from tests.streams.jobs import Job, session
from tests.streams.parts import CONNECTORS
from tests.streams.s3 import S3

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations" / "recipes.md").read_text("utf-8")
SCRIPT = ROOT / "deploy" / "flink" / "live.sql"
ROWS = 2_000


def command(start: str) -> str:
    """The only command of the page that starts like this."""
    (found,) = re.findall(rf"^\$ leapstream ({re.escape(start)}.*)$", PAGE, re.MULTILINE)
    return str(found)


@pytest.fixture
def run(s3: S3, tmp_path: Path) -> Callable[[str], str]:
    """Runs a command of the page in a folder with its bundles, with a store of its own."""
    for number, model in enumerate(models().values()):
        save(model, tmp_path / f"loans-{number + 1}.zip")
    credentials = {
        "AWS_ENDPOINT_URL": s3.endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing-secret",
    }
    environment = {**os.environ, **credentials, "AWS_DEFAULT_REGION": "us-east-1"}

    def invoke(text: str) -> str:
        arguments = text.replace("s3://models/", f"s3://models/{tmp_path.name}/").split()
        done = subprocess.run(
            [sys.executable, "-m", "leapstream", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return invoke


@pytest.fixture
def job(cluster: Cluster, broker: Broker, s3: S3, run: Callable[[str], str], tmp_path: Path) -> Iterator[Job]:
    """The job of the script, with the first version in its store."""
    for topic in ("live-applications", "live-predictions", "live-dead-letters"):
        broker.create(topic)
    run(command("publish loans-1.zip"))
    run(command("compile --runtime"))
    text = SCRIPT.read_text()
    for place, here in {
        "kafka:9092": broker.address,
        "s3://models/": f"s3://models/{tmp_path.name}/",
        "'10 s'": "'1 s'",
        # The broker has topics of these names for another test.
        "'topic' = '": "'topic' = 'live-",
    }.items():
        assert place in text
        text = text.replace(place, here)
    jars = ";".join(path.as_uri() for path in (*CONNECTORS.iterdir(), tmp_path / "leapstream-runtime.jar"))
    table_env = session(cluster, {"pipeline.jars": jars, "parallelism.default": 2}, file_systems=s3.settings)
    *settings, last = split(text, SCRIPT.name)
    for statement in settings:
        setting = statement.setting()
        if setting is None:
            table_env.execute_sql(statement.text)
        else:
            table_env.get_config().set(setting[0], str(setting[1]))
    explained = table_env.execute_sql(last.text.replace("EXECUTE", "EXPLAIN", 1))
    with explained.collect() as found:
        plan = "".join(row[0] for row in found)
    optimized = plan.partition("== Optimized Execution Plan ==")[2]
    assert optimized.count("MLPredictTableFunction(") == 1 and "reuse_id=[1]" in optimized
    started = Job.run(cluster, table_env, last.text)
    yield started
    started.cancel()


def test_a_job_follows_its_model_from_publication_to_a_split_with_dead_letters(
    job: Job, broker: Broker, run: Callable[[str], str], record_property: Callable[[str, object], None]
) -> None:
    every = list(rows(5 * ROWS))

    def versions() -> Counter[str]:
        return Counter(json.loads(value)["model_version"] for value in broker.read("live-predictions"))

    def send(number: int, more: int = ROWS) -> Counter[str]:
        """Send some rows; returns the versions of the predictions that come of them."""
        before = versions()
        broker.write("live-applications", every[number * ROWS : number * ROWS + more])
        job.until(lambda: sum((versions() - before).values()) == more, f"predicts part {number}")
        return versions() - before

    assert send(0) == {"1": ROWS}
    run(command("publish loans-2.zip"))
    # The alias is looked at every second.
    time.sleep(3)
    assert send(1) == {"2": ROWS}
    run(command("store rollback"))
    time.sleep(3)
    assert send(2) == {"1": ROWS}
    run(command("store alias"))
    time.sleep(3)
    shares = send(3)
    record_property("rows of the two versions, of which the second has 10 % of the keys", dict(shares))
    assert abs(shares["2"] - ROWS / 10) < 3 * (ROWS * 0.1 * 0.9) ** 0.5

    poison = [json.dumps({"id": 10_000 + number, "feature1": None}) for number in range(10)]
    broker.write("live-applications", poison)
    assert sum(send(4).values()) == ROWS
    job.until(lambda: sum(1 for _ in broker.read("live-dead-letters")) == len(poison), "writes the dead letters")
    dead = [json.loads(value) for value in broker.read("live-dead-letters")]
    assert sorted(row["id"] for row in dead) == [10_000 + number for number in range(10)]
    assert all(row["error"] and row["model_version"] in ("1", "2") for row in dead)
    good = [json.loads(value)["id"] for value in broker.read("live-predictions")]
    assert sorted(good) == list(range(5 * ROWS))
