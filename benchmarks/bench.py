"""All benchmarks, one after the other, and the report of what they found.

Run it with ``make bench`` or ``make bench-quick``, or with ``python benchmarks/bench.py [--quick] [--only vectorized …]``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS_PYTHON = HERE.parent / ".venv-bench" / "bin" / "python"
BENCHMARKS = {
    "vectorized": sys.executable,
    "single": sys.executable,
    "loading": sys.executable,
    "flink": sys.executable,
    "boosted": sys.executable,
    "scaling": sys.executable,
    "python_peers": str(PEERS_PYTHON),
    "libraries": str(PEERS_PYTHON),
}
"""The benchmarks, and the Python that runs each."""


def main() -> None:
    """Run them, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of short measurements")
    parser.add_argument("--only", nargs="+", choices=list(BENCHMARKS), default=list(BENCHMARKS))
    given = parser.parse_args()
    if not PEERS_PYTHON.exists():
        sys.exit(f"{PEERS_PYTHON} is missing: make .venv-bench/.setup-stamp makes it")
    quick = ["--quick"] if given.quick else []
    start = time.perf_counter()
    for name in given.only:
        # Warnings are of libraries, and would hide the figures.
        done = subprocess.run([BENCHMARKS[name], "-W", "ignore", str(HERE / f"{name}.py"), *quick], check=False)
        if done.returncode:
            sys.exit(f"{name} failed")
    done = subprocess.run([str(PEERS_PYTHON), str(HERE / "report.py"), *quick], check=False)
    print(f"{(time.perf_counter() - start) / 60:.1f} minutes")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
