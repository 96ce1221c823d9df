"""Damage every bundle of the corpus in every way we can think of, and count what the reader makes of it.

Run ``python benchmarks/corrupt_bundles.py`` from the root of the project; it prints a table and fails when a damaged
bundle raises anything but ``BundleError``. The tests run a sample of the same damage.
"""

from __future__ import annotations

import argparse
import io
import random
import stat
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from leapstream.bundle.container import Limits, read_files
from leapstream.bundle.reader import decode_files, read_bundle
from leapstream.errors import BundleError

ROOT = Path(__file__).resolve().parent.parent
STEP = 64
DECODED = ("bundle.json", "node.json", "node.pb", "model.json", "model.pb", "tree.json", "tree.pb")

EVIL_NAMES = (
    "../evil",
    "root/../../evil",
    "/etc/evil",
    "//host/evil",
    "C:/evil",
    "c:evil",
    "root\\..\\evil",
    "..\\evil",
    "root//evil",
    "root/evil\0.json",
    "..",
    "root/..",
    "a/" * 100 + "evil",
)


def bundles() -> list[Path]:
    """All bundles of the corpus."""
    golden = ROOT / "tests" / "golden"
    return sorted(
        [*golden.glob("*/*/bundle"), *golden.glob("*/*/bundle.zip"), *(ROOT / "tests" / "bench").glob("*.zip")]
    )


def truncations(data: bytes, step: int = STEP) -> Iterator[bytes]:
    """``data`` cut after every ``step``-th byte."""
    for size in range(0, len(data), step):
        yield data[:size]


def flips(data: bytes, count: int, seed: str) -> Iterator[bytes]:
    """``data`` with one bit changed, ``count`` times, the same for the same seed."""
    chance = random.Random(seed)
    for _ in range(count if data else 0):
        position = chance.randrange(len(data))
        damaged = bytearray(data)
        damaged[position] ^= 1 << chance.randrange(8)
        yield bytes(damaged)


def zipped(files: dict[str, bytes]) -> bytes:
    """An archive of the files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return out.getvalue()


def with_entry(files: dict[str, bytes], name: str, data: bytes = b"evil", mode: int = stat.S_IFREG | 0o644) -> bytes:
    """An archive of the files and one more entry, whose name is written as it stands."""
    placeholder = "\1" * len(name.encode())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        entry = zipfile.ZipInfo(placeholder)
        entry.create_system = 3
        entry.external_attr = mode << 16
        archive.writestr(entry, data)
    return out.getvalue().replace(placeholder.encode(), name.encode())


def outcome_of_archive(data: bytes) -> str:
    """``BundleError`` or ``loaded``; any other exception goes through."""
    try:
        read_bundle(data)
    except BundleError:
        return "BundleError"
    return "loaded"


def outcome_of_files(files: dict[str, bytes]) -> str:
    """``BundleError`` or ``loaded``; any other exception goes through."""
    try:
        decode_files(files)
    except BundleError:
        return "BundleError"
    return "loaded"


def damaged_files(files: dict[str, bytes], flip_count: int, seed: str) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Copies of the files in which one that the reader decodes is damaged, each with the kind of damage."""
    for path, data in files.items():
        if path.rpartition("/")[2] not in DECODED:
            continue
        for damaged in truncations(data):
            if damaged.rstrip() != data.rstrip():  # a missing newline at the end is no damage
                yield "file truncated", {**files, path: damaged}
        for damaged in flips(data, flip_count, f"{seed}{path}"):
            yield "file flipped", {**files, path: damaged}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=50, help="bit flips per file and per archive")
    parser.add_argument(
        "--max-size", type=int, default=1 << 20, help="leave the files of larger bundles whole, in bytes"
    )
    arguments = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    started = time.perf_counter()
    for path in bundles():
        files = read_files(path, Limits())[1]
        seed = str(path.relative_to(ROOT))
        data = path.read_bytes() if path.is_file() else zipped(files)
        for damaged in truncations(data):
            counts["archive truncated", outcome_of_archive(damaged)] += 1
        for damaged in flips(data, arguments.flips, seed):
            counts["archive flipped", outcome_of_archive(damaged)] += 1
        for name in EVIL_NAMES:
            counts["unsafe name", outcome_of_archive(with_entry(files, name))] += 1
        counts["link", outcome_of_archive(with_entry(files, "root/link", b"../../x", stat.S_IFLNK | 0o777))] += 1
        if sum(map(len, files.values())) <= arguments.max_size:
            for kind, copy in damaged_files(files, arguments.flips, seed):
                counts[kind, outcome_of_files(copy)] += 1
    print(f"{len(bundles())} bundles, {time.perf_counter() - started:.0f} s")
    print(f"{'damage':<20}{'tried':>10}{'BundleError':>14}{'loaded':>10}")
    for kind in sorted({kind for kind, _ in counts}):
        errors, loaded = counts[kind, "BundleError"], counts[kind, "loaded"]
        print(f"{kind:<20}{errors + loaded:>10}{errors:>14}{loaded:>10}")
    must_fail = ("archive truncated", "file truncated", "unsafe name", "link")
    survivors = sum(counts[kind, "loaded"] for kind in must_fail)
    print(f"damage that must be noticed and was not: {survivors}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
