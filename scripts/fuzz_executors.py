"""Compare the executors over random plans and rows for some time: `make fuzz SECONDS=600`.

Prints the number of examples and the primitives that they had. What differs is shrunk and written to build/fuzz/, as text to
make a case of tests/primitives of.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hypothesis import HealthCheck, given, seed, settings  # noqa: E402

from leapstream.executors.registry import executors  # noqa: E402
from tests.primitives.drawing import BUILDERS, Example, examples  # noqa: E402
from tests.primitives.test_differential import compare  # noqa: E402

TARGET = ROOT / "build" / "fuzz"
EXAMPLES_OF_A_ROUND = 200


def main(seconds: float) -> int:
    """Run rounds, each with a seed of its own, until the time is over; the exit code says whether something differs."""
    others = [executor for name, executor in executors().items() if name != "vectorized" and not executor.unavailable()]
    end = time.monotonic() + seconds
    drawn: Counter[str] = Counter()
    count = differing = 0

    def round_of(number: int) -> None:
        @seed(number)
        @settings(
            max_examples=EXAMPLES_OF_A_ROUND, database=None, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(example=examples())
        def agree(example: Example) -> None:
            nonlocal count
            if time.monotonic() < end:
                count += 1
                drawn.update({type(expr).__name__ for expr in example.plan.order})
                compare(example, others)

        agree()

    while time.monotonic() < end:
        number = random.randrange(2**32)
        try:
            round_of(number)
        # Whatever an executor raises is a difference.
        except Exception as error:
            differing += 1
            TARGET.mkdir(parents=True, exist_ok=True)
            path = TARGET / f"{number}.txt"
            notes = "\n".join(getattr(error, "__notes__", ()))
            path.write_text(f"{type(error).__name__}: {error}\n{notes}\n", encoding="utf-8")
            print(f"{path.relative_to(ROOT)}: {str(error).splitlines()[0][:200]}", flush=True)
    missing = sorted(cls.__name__ for cls in BUILDERS if cls.__name__ not in drawn)
    print(
        f"{count} examples, {len(BUILDERS) - len(missing)} of {len(BUILDERS)} primitives, {differing} rounds with a difference"
    )
    if missing:
        print(f"never drawn: {', '.join(missing)}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 600.0))
