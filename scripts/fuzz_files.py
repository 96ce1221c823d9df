"""Give damaged files to every reader for some time, guided by the code that they reach: `make fuzz-files SECONDS=3600`.

A reader may raise our errors and nothing else, in 10 seconds and 1 GB of memory. What does more is written to
build/fuzz-files/READER/, as a file that `scripts/fuzz_files.py --repeat READER FILE` reads again. Files that reach new code are
kept in build/fuzz-files/READER/corpus/ for the next time.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import os
import re
import resource
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
FOUND = ROOT / "build" / "fuzz-files"
SECONDS_PER_FILE = 10
MEGABYTES = 1024
_MOST_SEEDS = 200
_KINDS = ("crash", "timeout", "oom", "leak")


def main() -> int:
    """Fuzz the readers; the exit code says whether one did what it may not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=600.0, help="for all readers together")
    parser.add_argument("--only", help="readers, separated by commas")
    parser.add_argument("--skip", default="", help="readers to leave out, separated by commas")
    parser.add_argument(
        "--seed", type=int, default=0, help="a number other than 0 makes a run that is nearly the same again"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeat", nargs=2, metavar=("READER", "FILE"), help="read a file again")
    given = parser.parse_args()
    if given.repeat is not None:
        return repeat(*given.repeat)
    if importlib.util.find_spec("atheris") is None:
        print("fuzz-files: SKIPPED, for atheris has no package for this platform")
        return 0
    names = given.only.split(",") if given.only else list(readers())
    names = [name for name in names if name not in given.skip.split(",")]
    each = given.seconds * given.jobs / len(names)
    # All processes fork from this one: counters in the code of the readers take seconds.
    import fuzz_guided as fuzz_guided

    return 1 if any(take_turns([run(name, each, given.seed) for name in names], given.jobs)) else 0


Run = Generator[tuple[str, list[str], Path], int, int]
"""Gives what is to be fuzzed in a process, takes its exit code, and returns the number of files that were too much."""


def take_turns(waiting: list[Run], jobs: int) -> list[int]:
    """Go through the runs, of which some have a process at a time; what they return."""
    running: dict[int, Run] = {}
    found = []
    while waiting or running:
        if waiting and len(running) < jobs:
            run, code = waiting.pop(0), None
        else:
            pid, status = os.wait()
            run, code = running.pop(pid), os.waitstatus_to_exitcode(status)
        try:
            name, options, said = next(run) if code is None else run.send(code)
        except StopIteration as end:
            found.append(end.value)
            continue
        pid = os.fork()
        if not pid:
            fuzz(name, options, said)
        running[pid] = run
    return found


def readers() -> Iterator[str]:
    """The names of the readers that this environment has."""
    names = re.findall(
        r'^    "([\w-]+)": Target\(', (ROOT / "scripts" / "fuzz_targets.py").read_text("utf-8"), re.MULTILINE
    )
    return (name for name in names if name != "tensorflow" or importlib.util.find_spec("tensorflow") is not None)


def run(name: str, seconds: float, seed: int) -> Run:
    """Fuzz a reader until the time is over."""
    folder = FOUND / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + seconds
    files = 0
    before = set(artifacts(folder))
    found = 0
    for round_number in itertools.count():
        left = end - time.monotonic()
        if left < 1 and round_number:
            break
        options = [
            f"-max_total_time={max(1, int(left))}",
            f"-artifact_prefix={folder}/",
            f"-timeout={SECONDS_PER_FILE}",
        ]
        options += [f"-rss_limit_mb={MEGABYTES}", "-max_len=65536", "-print_final_stats=1", "-detect_leaks=0"]
        options += [f"-seed={seed + round_number if seed else time.time_ns() % 2**31}", str(corpus)]
        said = folder / "said.txt"
        code = yield name, options, said
        text = said.read_bytes().decode("utf-8", "replace")
        files += sum(map(int, re.findall(r"number_of_executed_units: (\d+)", text)))
        new = set(artifacts(folder)) - before
        if code and not new:
            print(f"{name}: the fuzzer ended with {code}\n{text[-2000:]}", flush=True)
            return 1
        for path in new:
            path.with_suffix(".txt").write_text(text[-5000:], "utf-8")
            reason = re.findall(r"=== Uncaught Python exception: ===\n(.*)", text)
            print(f"{name}: {path.name}: {(reason or ['see the text beside it'])[0][:200]}", flush=True)
        before |= new
        found += len(new)
    print(f"{name}: {files} files, {len(list(corpus.iterdir()))} in the corpus", flush=True)
    return found


def artifacts(folder: Path) -> list[Path]:
    """The files that were too much for a reader."""
    return [path for kind in _KINDS for path in folder.glob(f"{kind}-*") if path.suffix != ".txt"]


def fuzz(name: str, options: list[str], said: Path) -> NoReturn:
    """Fuzz a reader in this process, which writes what it says to a file, and ends."""
    with said.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    import atheris
    from fuzz_guided import fuzz_targets

    from leapstream.errors import LeapstreamError

    target = fuzz_targets.TARGETS[name]
    corpus = Path(options[-1])
    seeds = list(target.seeds())
    for number, seed in enumerate(seeds[:: len(seeds) // _MOST_SEEDS + 1]):
        path = corpus / f"seed-{number:04}"
        if not path.exists():
            path.write_bytes(seed)

    def read(data: bytes) -> None:
        try:
            target.read(data)
        except LeapstreamError:
            pass
        # The fuzzer looks after the memory of its own process.
        if (peak := peak_of_children()) > MEGABYTES:
            raise MemoryError(f"a process that the reader started took {peak} MB")

    # What is compiled on its first use would count as the time of a file.
    for seed in seeds:
        read(seed)
    atheris.Setup([sys.argv[0], *options], read)
    atheris.Fuzz()
    os._exit(0)


def peak_of_children() -> int:
    """The most memory in MB that a process took that this process started."""
    peaks = [resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]
    for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        with suppress(OSError):
            peaks += map(int, re.findall(r"VmHWM:\s*(\d+)", Path(f"/proc/{child}/status").read_text()))
    return max(peaks) >> 10


def repeat(name: str, file: str) -> int:
    """Read a file again; its error is the result."""
    sys.path.insert(0, str(ROOT / "scripts"))
    import fuzz_targets

    from leapstream.errors import LeapstreamError

    begin = time.monotonic()
    try:
        fuzz_targets.TARGETS[name].read(Path(file).read_bytes())
    except LeapstreamError as error:
        print(f"{type(error).__name__}: {error}")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"{time.monotonic() - begin:.1f} s, {max(own, peak_of_children())} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
