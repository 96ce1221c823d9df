"""Compare leapstream with MLeap's own JVM runtime over random models and rows for some time: `make fuzz-mleap SECONDS=600`.

Prints the numbers of cases, rows and ops. What differs is shrunk and written to build/fuzz-mleap/, with
its bundle and its leap frame.
"""

from __future__ import annotations

import os
import random
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import leapstream  # noqa: E402
from tests.mleap.drawing import known_ops  # noqa: E402
from tests.mleap.fuzzing import Comparison  # noqa: E402
from tests.mleap.jvm import VARIABLE, MLeap  # noqa: E402

TARGET = ROOT / "build" / "fuzz-mleap"
CASES_OF_A_ROUND = 50


def main(seconds: float, first: int) -> int:
    """Run rounds, each with a seed of its own, until the time is over; the exit code says whether something differs."""
    mleap = MLeap(Path(os.environ[VARIABLE]).absolute())
    comparison = Comparison(mleap)
    end = time.monotonic() + seconds
    differing = 0
    number = first
    while time.monotonic() < end:
        number += 1
        try:
            comparison.run(number, CASES_OF_A_ROUND)
        # Whatever leapstream raises is a difference; hypothesis groups several.
        except Exception as error:
            differing += 1
            TARGET.mkdir(parents=True, exist_ok=True)
            path = TARGET / f"{number}.txt"
            path.write_text("".join(traceback.format_exception(error)), encoding="utf-8", errors="surrogateescape")
            if comparison.differing is not None:
                leapstream.save(comparison.differing.model, path.with_suffix(".zip"), format="protobuf")
                comparison.differing.frame.write(path.with_suffix(".leap"))
            for each in getattr(error, "exceptions", [error]):
                print(f"{path.relative_to(ROOT)}: {type(each).__name__}: {str(each)[:300]}", flush=True)
    comparison.close()
    mleap.close()
    print(f"{comparison.cases} cases, {comparison.rows} rows, {len(comparison.ops)} of {len(known_ops())} ops")
    print(f"{differing} rounds with a difference")
    for title, counts in (("known difference", comparison.skipped), ("not loaded", comparison.unloaded)):
        for what, count in counts.most_common(20):
            print(f"{title}, {count}: {what}")
    return 1 if differing else 0


if __name__ == "__main__":
    given = [float(text) for text in sys.argv[1:]]
    sys.exit(main(given[0] if given else 600.0, int(given[1]) if len(given) > 1 else random.randrange(2**31)))
