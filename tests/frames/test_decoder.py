"""The process that decodes Parquet files: what happens to it leaves the reader's process alone."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from leapstream import BundleError
from leapstream.bundle.limits import Limits
from leapstream.bundle.malformed import MalformedError
from leapstream.bundle.types import Schema
from leapstream.frames import decoder, parquetprocess
from leapstream.frames.decoder import borrowed, close_idle
from leapstream.frames.files import open_reader
from leapstream.frames.parquet import read_table

CRASH = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"


@pytest.fixture(autouse=True)
def other_processes() -> Iterator[None]:
    """Each test starts its own process."""
    close_idle()
    yield
    close_idle()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.parquet"
    pa.parquet.write_table(pa.table({"x": list(range(10))}), path)
    return path


def numbers(path: Path) -> list[int]:
    chunks = open_reader(str(path), "parquet", Schema(()), 4).chunks()
    return [x for chunk in chunks if isinstance(chunk.batch, pa.Table) for x in chunk.batch["x"].to_pylist()]


def pid() -> int:
    with borrowed() as process:
        return process._process.pid


def crash_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str) -> None:
    """Let the program of the process crash when it opens a file, or in the stream of its rows."""
    source = Path(parquetprocess.__file__).read_text("utf-8")
    place = {"open": "        return {", "rows": "                    stream.write_batch(batch)"}[step]
    assert place in source
    indent = place[: -len(place.lstrip())]
    program = tmp_path / "program.py"
    program.write_text(source.replace(place, f"{indent}{CRASH}\n{place}"), "utf-8")
    monkeypatch.setattr(decoder, "_PROGRAM", str(program))


@pytest.mark.slow
@pytest.mark.parametrize("step", ["open", "rows"])
def test_a_crash_of_arrows_decoder_is_an_error_that_names_the_file(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as patch:
        crash_at(patch, tmp_path, step)
        with pytest.raises(BundleError, match=r"a\.parquet: Arrow's decoder of Parquet ended with SIGSEGV"):
            numbers(path)
        with pytest.raises(MalformedError, match="ended with SIGSEGV"):
            read_table("part", path.read_bytes(), Limits())
    assert numbers(path) == list(range(10))


def test_a_process_that_cannot_start_is_an_error(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "_PROGRAM", str(tmp_path / "missing.py"))
    with pytest.raises(BundleError, match=r"a\.parquet: the process that decodes Parquet ended with status 1"):
        numbers(path)


def test_one_process_decodes_one_file_after_another(path: Path) -> None:
    first = pid()
    assert numbers(path) == numbers(path) == list(range(10))
    assert read_table("part", path.read_bytes(), Limits())["x"].to_pylist() == list(range(10))
    assert pid() == first


def test_a_damaged_file_leaves_the_process_for_the_next_one(path: Path, tmp_path: Path) -> None:
    first = pid()
    (tmp_path / "b.parquet").write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BundleError, match=r"b\.parquet: Parquet magic bytes not found"):
        numbers(tmp_path / "b.parquet")
    assert numbers(path) == list(range(10))
    assert pid() == first


def test_values_that_cannot_be_decoded_are_an_error_that_arrow_explains(path: Path, tmp_path: Path) -> None:
    pa.parquet.write_table(pa.table({"x": ["abcd" * 100]}), path, compression="gzip")
    data = bytearray(path.read_bytes())
    start = data.index(b"\x1f\x8b")
    data[start : start + 2] = b"\0\0"
    path.write_bytes(data)
    with pytest.raises(BundleError, match=r"a\.parquet: GZipCodec failed"):
        numbers(path)


def test_a_process_ends_when_its_file_is_left_early(path: Path) -> None:
    first = pid()
    chunks = open_reader(str(path), "parquet", Schema(()), 4).chunks()
    next(chunks)
    assert isinstance(chunks, Iterator)
    del chunks
    assert pid() != first


def test_two_files_at_a_time_are_read_by_two_processes(path: Path) -> None:
    both = [open_reader(str(path), "parquet", Schema(()), 4).chunks() for _ in range(2)]
    batches = [(a.batch, b.batch) for a, b in zip(*both, strict=True)]
    assert [len(a) for a, _ in batches] == [4, 4, 2]
    assert all(a == b for a, b in batches)


def test_a_relative_path_is_one_of_the_readers_directory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid()
    monkeypatch.chdir(path.parent)
    assert numbers(Path(path.name)) == list(range(10))


def test_the_process_imports_nothing_of_leapstream() -> None:
    code = (
        f"import runpy, sys; runpy.run_path({decoder._PROGRAM!r}); print([m for m in sys.modules if 'leapstream' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_has_a_decoder_of_its_own(path: Path) -> None:
    code = f"""
        import os
        from pathlib import Path
        from leapstream.bundle.limits import Limits
        from leapstream.frames.parquet import read_table

        def rows():
            return read_table("part", Path({str(path)!r}).read_bytes(), Limits()).num_rows

        assert rows() == 10
        child = os.fork()
        if not child:
            os._exit(0 if rows() == 10 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert rows() == 10
    """
    # Since Python 3.12 fork warns where there are threads, as those of Arrow.
    options = ["-W", "error::ResourceWarning", "-W", "ignore::DeprecationWarning"]
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
