"""Last stop, Flink: Spark's forest becomes a bundle, without Spark, and serves a stream of tumours.

Run by ``make journey``, after ``explore.py`` and ``train.py``; needs ``leapstream[flink]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

import leapstream
from leapstream.flink import MLeapUDFRegistry


# --8<-- [start:main]
def main(directory: Path) -> None:
    """Export, serve, and check both."""
    wanted = pd.read_csv(directory / "bigger.csv").probability.to_numpy()
    tumours = pd.read_csv(directory / "tumours.csv")

    model = leapstream.from_spark(directory / "bigger.spark")
    leapstream.save(model, directory / "bigger.zip")
    served = leapstream.load(directory / "bigger.zip")
    alone = np.array(list(served.predict(tumours)["probability"]))[:, 1]
    np.testing.assert_allclose(alone, wanted, rtol=1e-9)
    print(f"leapstream:   {directory / 'bigger.zip'} predicts what Spark did, to 1e-9")

    table_env = StreamTableEnvironment.create(StreamExecutionEnvironment.get_execution_environment())
    function = MLeapUDFRegistry.register(
        "Benign", str(directory / "bigger.zip"), table_env, outputs=["prediction", "probability"], backend="jvm"
    )
    inputs = list(function.signature.inputs.names)
    columns = ", ".join(f"`{name}` {'STRING' if name == 'size' else 'DOUBLE'}" for name in tumours.columns)
    table_env.execute_sql(f"""
        CREATE TEMPORARY TABLE Tumours ({columns}) WITH (
            'connector' = 'filesystem', 'path' = '{(directory / "stream.csv").resolve()}',
            'format' = 'csv', 'csv.null-literal' = '')
    """)
    # Flink's CSV has no line of names.
    tumours.to_csv(directory / "stream.csv", index=False, header=False)
    call = f"Benign({', '.join(f'`{name}`' for name in inputs)})"
    keys = ["mean_radius", "mean_area", "mean_symmetry"]
    scored = f"(SELECT *, {call} AS p FROM Tumours)"
    query = f"SELECT {', '.join(keys)}, p.probability[2] AS probability FROM {scored}"
    with table_env.execute_sql(query).collect() as rows:
        found = pd.DataFrame([list(row) for row in rows], columns=[*keys, "probability"])
    both = found.merge(tumours.assign(probability=wanted), on=keys, suffixes=("", "_wanted"))
    assert len(both) == len(tumours), f"{len(both)} of {len(tumours)} rows came through"
    np.testing.assert_allclose(both.probability, both.probability_wanted, rtol=1e-9)
    print(f"Flink:        {function.name} predicts the same for all {len(found)} rows of the stream, to 1e-9")
    print(both[["mean_radius", "size", "benign", "probability"]].head().to_string(index=False))


# --8<-- [end:main]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
