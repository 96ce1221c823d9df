from __future__ import annotations

import math
from datetime import datetime, timezone

import pytest

from leapstream.errors import StoreError
from leapstream.store import Alias, AliasedVersion
from leapstream.store.splits import Buckets, bucket, key_text, parsed_weights

BUCKETS = {
    "": (0, 0),
    "a": (50, 850),
    "hello": (51, 351),
    "hello, world": (99, 399),
    "customer-17": (80, 780),
    "42": (66, 166),
    "1.0": (94, 794),
    "Zürich": (1, 1),
    "日本": (10, 810),
    "🙂": (91, 291),
}
"""The buckets of keys, of 100 and of 1000. Java has the same, and so has scikit-learn's murmurhash3_32."""


def test_keys_have_the_buckets_of_java() -> None:
    assert {key: (bucket(key, 100), bucket(key, 1000)) for key in BUCKETS} == BUCKETS


def test_versions_take_the_buckets_in_their_order() -> None:
    buckets = Buckets([90, 9, 1])
    assert buckets.total == 100
    assert [buckets.place(number) for number in (0, 89, 90, 98, 99)] == [0, 0, 1, 1, 2]
    assert [buckets.place_of(key) for key in ("Zürich", "🙂", "hello, world")] == [0, 1, 2]


def test_shares_of_keys_are_those_of_the_weights() -> None:
    keys = 20_000
    alias = Alias("live", (AliasedVersion("7", "", 90), AliasedVersion("8", "", 10)), datetime.now(timezone.utc))
    found = sum(alias.version_of(f"customer-{number}") == "8" for number in range(keys))
    assert abs(found - keys * 0.1) < 3 * math.sqrt(keys * 0.1 * 0.9)


def test_a_key_keeps_its_version_when_the_share_of_the_other_grows() -> None:
    keys = [f"customer-{number}" for number in range(1000)]
    before, after = Buckets([90, 10]), Buckets([70, 30])
    assert all(after.place_of(key) == 1 for key in keys if before.place_of(key) == 1)


def test_keys_have_the_texts_of_java() -> None:
    assert [key_text(key) for key in ("7", 7, 7.0, 1e10, True)] == ["7", "7", "7.0", "1.0E10", "true"]


def test_weights_are_read_from_a_text() -> None:
    assert parsed_weights("v7=90, v8=10") == {"v7": 90, "v8": 10}


@pytest.mark.parametrize("text", ["", "7", "7=", "=7", "7=90,", "7=a", "7=-1", "7=1,7=2", "7:90"])
def test_a_text_without_weights_is_rejected(text: str) -> None:
    with pytest.raises(StoreError, match="give VERSION=WEIGHT"):
        parsed_weights(text)
