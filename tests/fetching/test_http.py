from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from leapstream.errors import SourceError
from leapstream.sources import SourceOptions, resolve

from .conftest import entries, leftovers
from .web import Web

CONTENT = bytes(range(256)) * 200


def test_a_remote_file_is_fetched_under_its_own_name(web: Web, options: SourceOptions) -> None:
    path = resolve(web.put("/models/m.zip", CONTENT, etag="1"), options=options)
    assert (path.name, path.read_bytes()) == ("m.zip", CONTENT)


def test_an_unchanged_object_is_downloaded_once(web: Web, options: SourceOptions) -> None:
    url = web.put("/m.zip", CONTENT, etag="1")
    assert resolve(url, options=options) == resolve(url, options=options)
    assert web.requests["GET"] == 1


def test_a_new_etag_gives_the_new_content(web: Web, options: SourceOptions) -> None:
    first = resolve(web.put("/m.zip", CONTENT, etag="1"), options=options)
    second = resolve(web.put("/m.zip", CONTENT[::-1], etag="2"), options=options)
    assert (first.read_bytes(), second.read_bytes()) == (CONTENT, CONTENT[::-1])


def test_an_object_without_fingerprint_is_revalidated_each_time(web: Web, options: SourceOptions) -> None:
    url = web.put("/m.zip", CONTENT)
    resolve(url, options=options)
    web.put("/m.zip", CONTENT[::-1])
    assert resolve(url, options=options).read_bytes() == CONTENT[::-1]


def test_an_object_without_fingerprint_is_stored_once_per_content(
    web: Web, options: SourceOptions, cache: Path
) -> None:
    url = web.put("/m.zip", CONTENT)
    assert resolve(url, options=options) == resolve(url, options=options)
    assert len(entries(cache)) == 1


@pytest.mark.slow
def test_server_errors_are_retried(web: Web, options: SourceOptions) -> None:
    url = web.put("/m.zip", CONTENT, etag="1")
    # The http driver asks twice (HEAD, then GET) before it gives up on a look-up.
    web.failures = [503, 503, 500, 502]
    assert resolve(url, options=options).read_bytes() == CONTENT


@pytest.mark.slow
def test_retries_are_bounded_and_the_status_is_named(web: Web, options: SourceOptions) -> None:
    web.status["/m.zip"] = 503
    with pytest.raises(SourceError, match=r"/m\.zip: HTTP 503"):
        resolve(web.put("/m.zip", CONTENT), options=options)
    assert web.requests["GET"] == options.retries + 1


@pytest.mark.parametrize(("status", "reason"), [(404, "not found"), (403, "HTTP 403"), (401, "HTTP 401")])
def test_a_definite_error_is_not_retried(web: Web, options: SourceOptions, status: int, reason: str) -> None:
    web.status["/m.zip"] = status
    with pytest.raises(SourceError, match=reason):
        resolve(web.url("/m.zip"), options=options)
    assert web.requests["GET"] == 1


def test_a_refused_connection_is_a_source_error(options: SourceOptions) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(SourceError, match=f"127.0.0.1:{port}/m.zip: ConnectionRefusedError"):
        resolve(f"http://127.0.0.1:{port}/m.zip", options=replace(options, retries=0))


@pytest.fixture
def silent() -> Iterator[int]:
    """A server that accepts and never answers."""
    held = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        # Closing alone does not wake a thread that waits in accept.
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    for connection in held:
        connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http", "webhdfs"])
def test_the_time_out_holds_against_a_server_that_never_answers(
    silent: int, options: SourceOptions, scheme: str
) -> None:
    start = time.monotonic()
    with pytest.raises(SourceError, match=r"no complete answer within 0\.5 s, in 2 attempt"):
        resolve(f"{scheme}://127.0.0.1:{silent}/m.zip", options=replace(options, timeout=0.5, retries=1))
    assert time.monotonic() - start < 3


@pytest.mark.slow
def test_the_time_out_holds_against_a_server_that_trickles(web: Web, options: SourceOptions, cache: Path) -> None:
    url = web.put("/m.zip", CONTENT, etag="1")
    web.chunk_pause = 0.5
    with pytest.raises(SourceError, match="no complete answer"):
        resolve(url, options=replace(options, timeout=1, retries=0))
    assert leftovers(cache) == entries(cache) == []


def test_a_truncated_body_is_an_error_and_not_cached(web: Web, options: SourceOptions, cache: Path) -> None:
    url = web.put("/m.zip", CONTENT, etag="1")
    web.truncate = True
    with pytest.raises(SourceError, match=r"/m\.zip: "):
        resolve(url, options=options)
    assert leftovers(cache) == entries(cache) == []
    web.truncate = False
    assert resolve(url, options=options).read_bytes() == CONTENT


def test_a_matching_checksum_passes(web: Web, options: SourceOptions) -> None:
    url = web.put("/m.zip", CONTENT, etag="1")
    assert resolve(url, sha256=hashlib.sha256(CONTENT).hexdigest(), options=options).read_bytes() == CONTENT


def test_a_wrong_checksum_names_both_and_leaves_no_entry(web: Web, options: SourceOptions, cache: Path) -> None:
    url = web.put("/m.zip", CONTENT, etag="1")
    resolve(url, options=options)
    with pytest.raises(SourceError) as caught:
        resolve(url, sha256="0" * 64, options=options)
    assert hashlib.sha256(CONTENT).hexdigest() in str(caught.value)
    assert "0" * 64 in str(caught.value)
    assert leftovers(cache) == entries(cache) == []


def test_a_cache_entry_that_fails_its_checksum_is_fetched_anew(web: Web, options: SourceOptions) -> None:
    url = web.put("/m.zip", CONTENT, etag="1")
    resolve(url, options=options).write_bytes(CONTENT[::-1])
    assert resolve(url, sha256=hashlib.sha256(CONTENT).hexdigest(), options=options).read_bytes() == CONTENT


def test_a_cut_cache_entry_is_fetched_anew(web: Web, options: SourceOptions) -> None:
    url = web.put("/m.zip", CONTENT, etag="1")
    resolve(url, options=options).write_bytes(b"cut")
    assert resolve(url, options=options).read_bytes() == CONTENT


def test_an_object_over_the_limit_is_rejected_before_it_is_fetched(web: Web, options: SourceOptions) -> None:
    url = web.put("/m.zip", CONTENT, etag="1")
    with pytest.raises(SourceError, match="max_size = 1000"):
        resolve(url, options=replace(options, max_size=1000))
    assert web.requests["GET"] == 0


@pytest.mark.slow
def test_an_object_replaced_while_it_is_fetched_is_fetched_anew(web: Web, options: SourceOptions) -> None:
    url = web.put("/m.zip", CONTENT, etag="1")
    web.chunk_pause = 0.05
    swap = threading.Timer(0.3, lambda: web.put("/m.zip", CONTENT[::-1], etag="2"))
    swap.start()
    path = resolve(url, options=options)
    swap.join()
    assert path.read_bytes() == CONTENT[::-1]
    assert web.requests["GET"] == 2


def test_secrets_in_a_uri_are_not_shown(web: Web, options: SourceOptions) -> None:
    url = web.url("/m.zip?X-Signature=hush").replace("http://", "http://user:hush@")
    with pytest.raises(SourceError) as caught:
        resolve(url, options=options)
    assert "hush" not in str(caught.value)


def test_a_cache_that_cannot_be_written_is_a_source_error(web: Web, options: SourceOptions, tmp_path: Path) -> None:
    (tmp_path / "occupied").write_bytes(b"")
    with pytest.raises(SourceError, match="occupied"):
        resolve(web.put("/m.zip", CONTENT), options=replace(options, cache_dir=tmp_path / "occupied" / "cache"))
