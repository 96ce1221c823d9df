"""First stop, scikit-learn: explore tumours, fit a small model, and take it, and its features, to Spark.

Run by ``make journey``; needs ``leapstream[sklearn,pandas]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import leapstream


def tumours() -> pd.DataFrame:
    """569 tumours: some measurements, a size in words, and whether they are benign."""
    data = load_breast_cancer(as_frame=True).frame
    wanted = [name for name in data.columns if name.startswith("mean ")]
    frame = data[wanted].rename(columns=lambda name: name.replace(" ", "_"))
    frame["size"] = np.select([frame.mean_radius < 12, frame.mean_radius < 16], ["small", "medium"], "large")
    # Some measurements are missing, as they are in life.
    frame.loc[frame.index % 17 == 3, "mean_texture"] = np.nan
    frame["benign"] = data["target"].astype(float)
    return frame


# --8<-- [start:main]
def main(directory: Path) -> None:
    """Write the data, the model and its features, both also as directories of Spark, and what the model predicts."""
    frame = tumours()
    features, numbers = frame.drop(columns="benign"), [name for name in frame.columns if name.startswith("mean_")]
    numeric = Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    columns = ColumnTransformer([("numbers", numeric, numbers), ("size", OneHotEncoder(), ["size"])])
    pipeline = Pipeline([("columns", columns), ("classify", LogisticRegression())]).fit(features, frame.benign)
    print(f"scikit-learn: {pipeline.score(features, frame.benign):.3f} of {len(frame)} tumours are classified right")

    directory.mkdir(parents=True, exist_ok=True)
    frame.to_csv(directory / "tumours.csv", index=False)
    explored = leapstream.from_sklearn(pipeline, features)
    prepared = leapstream.from_sklearn(pipeline[:-1], features)
    leapstream.save(explored, directory / "explored.zip")
    leapstream.to_spark(explored, directory / "explored.spark")
    leapstream.to_spark(prepared, directory / "features.spark")

    own = pipeline.predict_proba(features)[:, 1]
    ours = np.array(list(explored.predict(features)["probability"]))[:, 1]
    np.testing.assert_allclose(ours, own, rtol=1e-9)
    pd.DataFrame({"probability": own}).to_csv(directory / "explored.csv", index=False)
    print(f"leapstream:   {directory / 'explored.zip'} predicts the same, to 1e-9")


# --8<-- [end:main]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
