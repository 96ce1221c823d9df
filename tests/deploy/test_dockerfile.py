from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence

import pytest
import typer.main

from leapstream.cli.app import app as command
from leapstream.installation import CACHE_DIR_VARIABLE
from tests.deploy.manifests import DEPLOY, instructions
from tests.serving.conftest import BENCH
from tests.serving.running import serving

ROOT = DEPLOY.parent


def _environment() -> dict[str, str]:
    (text,) = instructions("ENV")
    return dict(part.split("=", 1) for part in text.split())


def test_what_is_copied_is_there_and_not_ignored() -> None:
    sources = [source for text in instructions("COPY") if "--from" not in text for source in text.split()[:-1]]
    kept = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sources and set(sources) == kept
    assert all((ROOT / source).exists() for source in sources)


def test_the_extras_are_those_of_the_package() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    (run,) = instructions("RUN")
    extras = re.search(r'"\.\[([\w,]+)\]"', run).group(1).split(",")  # type: ignore[union-attr]
    assert extras and all(re.search(rf"^{extra} = \[", text, re.MULTILINE) for extra in extras)


def test_the_image_runs_as_nobody_in_particular() -> None:
    (user,) = instructions("USER")
    assert re.fullmatch(r"\d{4,}:\d{4,}", user)


def test_the_environment_is_one_that_the_command_reads() -> None:
    serve = typer.main.get_command(command).commands["serve"]  # type: ignore[attr-defined]
    known = {name for parameter in serve.params for name in _names(parameter.envvar)}
    others = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "HOME", "NUMBA_CACHE_DIR", CACHE_DIR_VARIABLE}
    assert set(_environment()) - others == {"MLEAP_HTTP_HOSTNAME"} <= known
    assert "SAGEMAKER_BIND_TO_PORT" in known


def _names(variables: str | Sequence[str] | None) -> Sequence[str]:
    return [variables] if isinstance(variables, str) else variables or ()


def test_the_image_starts_the_server() -> None:
    assert [*instructions("ENTRYPOINT"), *instructions("CMD")] == ['["leapstream"]', '["serve"]']


@pytest.mark.network
@pytest.mark.slow
def test_the_health_check_is_well_while_the_server_is_ready() -> None:
    (text,) = instructions("HEALTHCHECK")
    check = json.loads(text.partition("CMD ")[2])
    assert check[0] == "python"

    def is_well(port: str) -> bool:
        environment = {**os.environ, "SAGEMAKER_BIND_TO_PORT": port}
        done = subprocess.run([sys.executable, *check[1:]], env=environment, capture_output=True, check=False)
        return done.returncode == 0

    with serving(f"linear={BENCH / 'linear3.zip'}") as server:
        port = server.url.rpartition(":")[2]
        assert is_well(port)
        server.end()
    assert not is_well(port)
