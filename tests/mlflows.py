"""MLflow with a store of its own on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow


@contextmanager
def mlflow_store(folder: Path) -> Iterator[str]:
    """A store in a database, whose experiment keeps its artifacts beside it; gives its URI."""
    before, environment = mlflow.get_tracking_uri(), dict(os.environ)
    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.create_experiment("leapstream", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("leapstream")
    yield uri
    mlflow.set_tracking_uri(before)
    for name in [name for name in os.environ if name.startswith("MLFLOW_") and name not in environment]:
        del os.environ[name]  # MLflow tells its choices to subprocesses
