"""Saves a bundle as a model of MLflow. Arguments: bundle, directory."""

from __future__ import annotations

import sys

import leapstream
import leapstream.mlflow


def main() -> None:
    bundle, directory = sys.argv[1:]
    leapstream.mlflow.save_model(leapstream.load(bundle), directory)


if __name__ == "__main__":
    main()
