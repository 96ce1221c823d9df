from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from leapstream.errors import SourceError
from leapstream.sources import SourceOptions, resolve

from .conftest import entries, leftovers
from .web import Web

pytestmark = pytest.mark.slow

CONTENT = bytes(range(256)) * 400


def _resolve(url: str, cache: str) -> bytes:
    return resolve(url, options=SourceOptions(cache_dir=cache, timeout=20)).read_bytes()


def test_processes_at_once_download_an_object_once(web: Web, cache: Path) -> None:
    url = web.put("/m.zip", CONTENT, etag="1")
    web.chunk_pause = 0.01
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        contents = pool.starmap(_resolve, [(url, str(cache))] * 4, chunksize=1)
    assert contents == [CONTENT] * 4
    assert web.requests["GET"] == 1


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_a_killed_download_leaves_nothing_that_is_used(web: Web, cache: Path, options: SourceOptions) -> None:
    url = web.put("/m.zip", CONTENT, etag="1")
    web.chunk_pause = 0.5
    code = f"from leapstream.sources import *; resolve({url!r}, options=SourceOptions(cache_dir={str(cache)!r}))"
    child = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 30
    while not list(cache.glob("partial/*/*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert leftovers(cache)
    assert entries(cache) == []
    web.chunk_pause = 0
    assert resolve(url, options=options).read_bytes() == CONTENT
    assert leftovers(cache) == []


def test_a_lock_that_is_never_released_is_waited_for_within_bounds(web: Web, cache: Path) -> None:
    # No fingerprint, so that the second call has to fetch again.
    url = web.put("/m.zip", CONTENT)
    impatient = SourceOptions(cache_dir=cache, timeout=0.3, retries=0)
    resolve(url, options=impatient)
    (lock,) = (cache / "locks").glob("*.lock")
    with FileLock(lock), pytest.raises(SourceError, match=r"/m\.zip: .* still held"):
        resolve(url, options=impatient)


@pytest.mark.parametrize(
    ("module", "uri", "extra"),
    [
        ("gcsfs", "gs://b/x.zip", "gcs"),
        ("s3fs", "s3://b/x.zip", "s3"),
        ("aiohttp", "http://127.0.0.1/x.zip", "http"),
        ("requests", "webhdfs://127.0.0.1/x.zip", "hdfs"),
        ("pyarrow.fs", "hdfs://127.0.0.1/x.zip", "hdfs"),
    ],
)
def test_a_missing_driver_names_the_extra(module: str, uri: str, extra: str, cache: Path) -> None:
    code = f"""
import sys
sys.modules[{module!r}] = None
from leapstream.errors import SourceError
from leapstream.sources import SourceOptions, resolve
try:
    resolve({uri!r}, options=SourceOptions(cache_dir={str(cache)!r}))
except SourceError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert f"leapstream[{extra}]" in done.stdout
