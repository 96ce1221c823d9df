from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from leapstream import load
from leapstream.bundle.limits import Limits
from leapstream.errors import BundleError, ConfigError
from leapstream.sources import BundleLoader, FileBundleLoader, GCSBundleLoader, SourceOptions, loader_for
from tests.fetching.web import Web

LINEAR = Path(__file__).parents[1] / "bench" / "linear3.zip"


def test_the_file_loader_resolves_a_path(tmp_path: Path) -> None:
    assert loader_for("file").resolve(str(tmp_path)) == tmp_path


def test_the_file_loader_rejects_a_remote_uri() -> None:
    with pytest.raises(ConfigError, match='use "auto"'):
        FileBundleLoader().resolve("gs://bucket/x.zip")


@pytest.mark.parametrize("bucket", ["my-bucket", "gs://my-bucket", "my-bucket/"])
def test_gcs_puts_a_relative_path_into_the_bucket(bucket: str) -> None:
    assert loader_for("gcs", gcs_bucket=bucket).uri("models/x.zip") == "gs://my-bucket/models/x.zip"


def test_gcs_takes_a_full_uri_without_a_bucket() -> None:
    assert loader_for("gcs").uri("gs://other/x.zip") == "gs://other/x.zip"


def test_gcs_without_a_bucket_names_the_missing_key() -> None:
    with pytest.raises(ConfigError, match=r"mleap\.gcs\.bucket"):
        GCSBundleLoader().uri("models/x.zip")


def test_gcs_rejects_a_uri_of_another_source() -> None:
    with pytest.raises(ConfigError, match="gcs"):
        GCSBundleLoader("b").uri("s3://b/x.zip")


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("s3", "s3a://b/x"),
        ("hdfs", "webhdfs://h/x"),
        ("http", "https://h/x"),
        ("https", "https://h/x"),
        ("auto", "x.zip"),
    ],
)
def test_a_source_takes_its_own_uris_as_they_are(source: str, path: str) -> None:
    assert loader_for(source).uri(path) == path


@pytest.mark.parametrize(("source", "path"), [("s3", "gs://b/x"), ("https", "http://h/x"), ("hdfs", "/models/x")])
def test_a_source_rejects_other_uris(source: str, path: str) -> None:
    with pytest.raises(ConfigError, match=source):
        loader_for(source).uri(path)


def test_an_unknown_source_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'gcs'"):
        loader_for("gsc")


@pytest.mark.parametrize("source", ["file", "gcs", "s3", "auto"])
def test_a_loader_survives_pickling(source: str) -> None:
    loader: BundleLoader = loader_for(source, gcs_bucket="b", options=SourceOptions(storage_options={"anon": True}))
    assert pickle.loads(pickle.dumps(loader)) == loader


def test_auto_fetches_a_remote_bundle(web: Web, options: SourceOptions) -> None:
    url = web.put("/m.zip", b"content", etag="1")
    assert loader_for("auto", options=options).resolve(url).read_bytes() == b"content"


def test_a_loader_loads_within_the_limits_of_its_options() -> None:
    strict = SourceOptions(limits=Limits(max_entries=1))
    with pytest.raises(BundleError, match="max_entries"):
        loader_for("file", options=strict).load(str(LINEAR))


def test_limits_of_load_win_over_those_of_its_options() -> None:
    strict = SourceOptions(limits=Limits(max_entries=1))
    with pytest.raises(BundleError, match="max_entries"):
        load(LINEAR, options=strict)
    load(LINEAR, options=strict, limits=Limits())
