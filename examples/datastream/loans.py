"""A DataStream of loans that a model scores in three ways.

``predict_stream`` scores the whole stream, in the JVM. ``MLeapMapFunction`` scores record by record where the stream is mapped.
``MLeapProcessFunction`` does so on a keyed stream, and writes the records that fail to a side output, with the reason.

Run it with ``python loans.py [BUNDLE]``; every line says which way it came.
"""

from __future__ import annotations

import csv
import sys

from pyflink.common import Row, Types
from pyflink.datastream import DataStream, StreamExecutionEnvironment

from leapstream import demo
from leapstream.flink import FAILED, MLeapMapFunction, MLeapProcessFunction, predict_stream

LOAN = Types.ROW_NAMED(
    ["id", "state", "home", "amount", "income", "age", "late", "flag"],
    [
        Types.INT(),
        Types.STRING(),
        Types.STRING(),
        Types.DOUBLE(),
        Types.DOUBLE(),
        Types.INT(),
        Types.LONG(),
        Types.BOOLEAN(),
    ],
)


def loans(env: StreamExecutionEnvironment) -> DataStream:
    """The loans of a file, and one whose income is missing, which fails."""
    with (demo.FOLDER / "loans.csv").open(encoding="utf-8", newline="") as lines:
        rows = [
            Row(int(i), state, home, float(amount), float(income), int(age), int(late), flag == "true")
            for i, state, home, amount, income, age, late, flag in csv.reader(lines)
        ]
    rows.append(Row(99, "WA", "own", 1000.0, None, 40, 0, False))
    return env.from_collection(rows, LOAN)


def main(model: str) -> None:
    """Run the job."""
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(1)
    env.set_python_executable(sys.executable)
    stream = loans(env)

    whole = predict_stream(stream, model, outputs=["prediction", "probability"], on_error="null")
    whole.print("predict_stream")

    score = MLeapMapFunction(model, on_error="null")
    scores = stream.map(score, output_type=score.get_produced_type())
    scores.filter(lambda prediction: prediction is not None).print("map")

    score_or_fail = MLeapProcessFunction(model, with_element=True)
    scored = stream.key_by(lambda loan: loan["state"], Types.STRING()).process(
        score_or_fail, output_type=score_or_fail.get_produced_type(LOAN)
    )
    scored.print("process")
    failed = scored.get_side_output(FAILED)
    failed.map(lambda row: f"{row['record']['id']}: {row['error']}", Types.STRING()).print("failed")

    env.execute("loans")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else demo.bundle("loans"))
