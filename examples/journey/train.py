"""Second stop, Spark: the small model runs there as it is, and a bigger one is trained on the same features.

Needs PySpark alone, neither leapstream nor a jar of MLeap. Run by ``make journey``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from pyspark.ml import PipelineModel
from pyspark.ml.classification import RandomForestClassifier
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame, SparkSession, functions


def probabilities(scored: DataFrame) -> list[float]:
    """Those of the second class, in the order of the rows."""
    second = vector_to_array(functions.col("probability"))[1].alias("p")
    return [row.p for row in scored.select("row", second).orderBy("row").collect()]


# --8<-- [start:main]
def main(directory: Path) -> None:
    """Check the small model, train the bigger one, and write it and what it predicts."""
    settings = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
    spark = SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    tumours = pd.read_csv(directory / "tumours.csv")
    tumours.insert(0, "row", range(len(tumours)))
    frame = spark.createDataFrame(tumours).cache()

    explored = PipelineModel.load(str(directory / "explored.spark"))
    wanted = pd.read_csv(directory / "explored.csv").probability.tolist()
    found = probabilities(explored.transform(frame))
    worst = max(abs(a - b) for a, b in zip(found, wanted, strict=True))
    assert worst < 1e-9, worst
    print(f"Spark {spark.version}:  scikit-learn's model predicts the same there, to {worst:.0e}")

    features = PipelineModel.load(str(directory / "features.spark"))
    column = features.stages[-1].getOutputCol()
    forest = RandomForestClassifier(featuresCol=column, labelCol="benign", numTrees=100, maxDepth=8, seed=1)
    bigger = PipelineModel([*features.stages, forest.fit(features.transform(frame))])
    scored = bigger.transform(frame).cache()
    right = scored.filter("prediction = benign").count()
    print(f"Spark {spark.version}:  a forest of 100 trees classifies {right / scored.count():.3f} right")
    bigger.write().overwrite().save(str(directory / "bigger.spark"))
    pd.DataFrame({"probability": probabilities(scored)}).to_csv(directory / "bigger.csv", index=False)
    spark.stop()


# --8<-- [end:main]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
