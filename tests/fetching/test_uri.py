"""URIs and messages without secrets."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

import leapstream
from leapstream import SourceError
from leapstream.fetching.options import SourceOptions
from leapstream.fetching.uri import cause_without_secrets, display, redacted


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("http://user:se@kret@host:1/m.zip", "http://***@host:1/m.zip"),
        ("http://kret@host/m.zip", "http://***@host/m.zip"),
        ("http://user:se/kret@host/m.zip", "http://***@host/m.zip"),
        ("http://user:se?kret@host/m.zip", "http://***@host/m.zip"),
        ("http://user:se#kret@host/m.zip", "http://***@host/m.zip"),
        ("https://host/m.zip?sig=kret&v=1", "https://host/m.zip?sig=***&v=***"),
        ("https://host/m.zip?kret", "https://host/m.zip?***"),
        ("https://host/m.zip#sig=kret", "https://host/m.zip#***"),
        ("simplecache::http://user:kret@host/m.zip", "simplecache::http://***@host/m.zip"),
        ("zip://a.zip::http://host/m?sig=kret", "zip://a.zip::http://host/m?sig=***"),
        ("s3://bucket/a@b/m.zip", "s3://bucket/a@b/m.zip"),
        ("http://[::1]:8080/m.zip", "http://[::1]:8080/m.zip"),
        ("models/a?b#c.zip", "models/a?b#c.zip"),
        ("models:/iris@champion", "models:/iris@champion"),
        ("models://scope:prefix@databricks/iris/1", "models://***@databricks/iris/1"),
    ],
)
def test_a_shown_uri_has_no_secrets(location: str, shown: str) -> None:
    assert display(location) == shown


@pytest.mark.parametrize(
    "text",
    [
        "cannot open http:/host/m?sig=kret%2Fb now",
        "bad url 'http://host/m?sig=kret%2Fb'",
        "signature kret/b is expired",
        "credentials of user:pass word",
        "with tokentokentoken",
    ],
)
def test_a_message_has_no_secrets_however_a_driver_quotes_them(text: str) -> None:
    found = redacted(text, "http://user:pass@host/m?sig=kret%2Fb", {"client": {"token": "tokentokentoken"}})
    assert not any(secret in found for secret in ("kret", "pass", "tokentoken"))


def test_options_that_are_no_secrets_stay_in_a_message() -> None:
    assert redacted("no host minio:9000", "s3://b/m", {"endpoint_url": "minio:9000"}) == "no host minio:9000"


def test_a_cause_is_left_out_only_where_it_holds_a_secret() -> None:
    told, silent = ValueError("http://host/m?sig=kret"), ValueError("refused")
    assert cause_without_secrets(told, "http://host/m?sig=kret", {}) is None
    assert cause_without_secrets(silent, "http://host/m?sig=kret", {}) is silent
    silent.__context__ = told
    assert cause_without_secrets(silent, "http://host/m?sig=kret", {}) is None


def test_a_traceback_of_a_failed_load_shows_no_secret(tmp_path: Path) -> None:
    options = SourceOptions(cache_dir=tmp_path, retries=0, timeout=5)
    secret = "k" + "ret"  # A traceback quotes this file's lines.
    with pytest.raises(SourceError) as caught:
        leapstream.load(f"http://user:{secret}@127.0.0.1:1/m.zip?sig={secret}", options=options)
    assert secret not in "".join(traceback.format_exception(caught.value, chain=True))


def test_a_chained_uri_is_not_supported_and_its_secrets_stay_hidden() -> None:
    with pytest.raises(SourceError, match=r"filecache::http://host/m\?sig=\*\*\*: chained URIs are not supported"):
        leapstream.load("filecache::http://host/m?sig=kret")
