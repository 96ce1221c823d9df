"""The table of remote stores, and the lists that are taken from it."""

from __future__ import annotations

import re
from importlib.metadata import metadata
from pathlib import Path

import pytest

from leapstream.cli.doctor import examine
from leapstream.errors import ConfigError
from leapstream.fetching.schemes import STORES, Store, schemes_of, store_of
from leapstream.sources import loader_for

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_docs_list_the_stores() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (`.+://`) \| `(\w+)` \|$", (DOCS / "sources.md").read_text("utf-8"), re.M)
    assert rows == [(s.source, " ".join(f"`{scheme}://`" for scheme in s.schemes), s.extra) for s in STORES]


def test_docs_of_the_configuration_list_the_sources() -> None:
    row = next(
        line for line in (DOCS / "configuration.md").read_text("utf-8").splitlines() if "`bundleSource` |" in line
    )
    assert re.findall(r"`(\w+)`", row.split("|")[2]) == ["file", *(store.source for store in STORES), "auto"]


def test_an_unknown_source_is_told_which_there_are() -> None:
    with pytest.raises(ConfigError, match="known are file, gcs, s3, hdfs, http, https, auto"):
        loader_for("ftp")


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.source)
def test_a_store_has_an_extra_that_doctor_explains_by_its_schemes(store: Store) -> None:
    assert store.extra in (metadata("leapstream").get_all("Provides-Extra") or [])
    (finding,) = (finding for finding in examine(()) if finding.name == store.extra)
    assert finding.detail.startswith(f"for {' '.join(f'{scheme}://' for scheme in schemes_of(store.extra))}; ")


def test_the_store_of_a_scheme_is_the_first_that_reads_it() -> None:
    found = [store_of(scheme) for scheme in ("gs", "s3a", "webhdfs", "https")]
    assert [store.source for store in found if store is not None] == ["gcs", "s3", "hdfs", "http"]
    assert store_of("ftp") is None
