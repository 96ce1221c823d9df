"""A server for the clients of other servers; ``make test-clients`` has them, and each module is skipped without its client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.golden_corpus import GOLDEN
from tests.serving.conftest import BENCH
from tests.serving.running import serving


@dataclass(frozen=True)
class Served:
    """The addresses of a running server: a URL, and ``host:port``s."""

    url: str
    http: str
    grpc: str


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """``leapstream serve`` with a linear model of three numbers, a forest over a vector, and a tokenizer of texts."""
    models = (
        f"linear={BENCH / 'linear3.zip'}",
        f"forest={BENCH / 'forest3-20x5.zip'}",
        f"texts={GOLDEN / 'feature/tokenizer/bundle.zip'}",
    )
    with serving(*models, "--grpc-port", "0", "--allow-load", f"{BENCH}") as server:
        port = server.find(r"gRPC.*address=\S+:(\d+)")
        yield Served(server.url, server.url.removeprefix("http://"), f"127.0.0.1:{port}")
