"""The split of a model's rows among versions: a key has the same version in the server, in Flink SQL and in DataStream."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from leapstream.errors import StoreError
from leapstream.executors.rowwise.hashing import murmur
from leapstream.javalike.numbers import java_double

MOST_VERSIONS = 16
"""The most versions of an alias, with its shadows; each of them is in memory."""

MOST_WEIGHT = 1_000_000


def bucket(key: str, total: int) -> int:
    """The bucket of a key, of as many as the weights of an alias are in all.

    It is the 32-bit Murmur3 of the text in UTF-8 with the seed 0, without its sign, modulo the number of buckets.
    """
    return (murmur(key, seed=0) & 0x7FFFFFFF) % total


def key_text(key: str | int | float | bool) -> str:
    """The text of a key, as Java prints it: ``true``, ``7``, ``7.0``."""
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    return java_double(key) if isinstance(key, float) else str(key)


class Buckets:
    """The buckets of the weights of some versions, in their order.

    Args:
        weights: the weight of each version.
    """

    def __init__(self, weights: Iterable[int]) -> None:
        self._ends = list(accumulate(weights))
        self.total = self._ends[-1]

    def place(self, bucket: int) -> int:
        """The place of the version that has a bucket."""
        return bisect_right(self._ends, bucket)

    def place_of(self, key: str) -> int:
        """The place of the version of a key."""
        return bisect_right(self._ends, bucket(key, self.total))


def checked(weights: Mapping[str, int], shadow: Sequence[str], what: str) -> None:
    """Make sure that an alias can have these versions.

    Raises:
        StoreError: it cannot.
    """
    if not weights or len(weights) + len(shadow) > MOST_VERSIONS:
        raise StoreError(f"{what}: from one to {MOST_VERSIONS} versions are possible, shadows among them")
    for version, weight in weights.items():
        if type(weight) is not int or not 1 <= weight <= MOST_WEIGHT:
            raise StoreError(
                f"{what}: the weight of version {version} has to be an integer from 1 to {MOST_WEIGHT}, and is {weight!r}"
            )
    twice = [version for number, version in enumerate(shadow) if version in weights or version in shadow[:number]]
    if twice:
        raise StoreError(f"{what}: version {twice[0]} is there twice")


def parsed_weights(text: str) -> dict[str, int]:
    """The weights that ``7=90,8=10`` says.

    Raises:
        StoreError: it says none.
    """
    found: dict[str, int] = {}
    for part in text.split(","):
        version, equals, weight = part.strip().rpartition("=")
        if not version or not equals or not weight.isdecimal() or version in found:
            raise StoreError(
                f"weights {text!r}: give VERSION=WEIGHT,VERSION=WEIGHT, each version once, such as 7=90,8=10"
            )
        found[version] = int(weight[:9])
    return found


def described(weights: Mapping[str, int], shadow: Sequence[str]) -> str:
    """The versions of an alias for people: ``7``, or ``7=90,8=10 with shadow 9``."""
    shown = next(iter(weights)) if len(weights) == 1 else ",".join(f"{v}={w}" for v, w in weights.items())
    return f"{shown} with shadow {', '.join(shadow)}" if shadow else shown
