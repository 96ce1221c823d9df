"""schemathesis asks a running server everything that its OpenAPI document describes; ``make test-web`` has it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden_corpus import GOLDEN
from tests.serving.conftest import BENCH
from tests.serving.running import serving

pytest.importorskip("schemathesis")

ROOT = Path(__file__).parents[2]
MODELS = (
    f"linear={BENCH / 'linear3.zip'}",
    f"loans={GOLDEN / 'pipeline/loans-hashed/bundle.zip'}",
    f"tokens={GOLDEN / 'sklearn/tfidf/bundle.zip'}",
)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_schemathesis_finds_nothing() -> None:
    with serving(*MODELS, environment={"LEAPSTREAM_TOKEN": "secret"}) as server:
        server.discard_log()
        found = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", "tests/web/schemathesis.toml"),
                *("run", f"{server.url}/openapi.json", "--header", "Authorization: Bearer secret"),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    print(found.stdout[found.stdout.find("SUMMARY") :])
    assert found.returncode == 0, found.stdout + found.stderr
    tested = re.search(r"(\d+) generated", found.stdout)
    assert tested and int(tested[1]) > 500
