"""Files of boosters, which leapstream's own readers read: how each becomes a model, and what its library predicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.exporters.files import exporting
from leapstream.exporters.graph import Features
from leapstream.exporters.portable import accept
from leapstream.exporters.predictors import add_labels
from leapstream.exporters.proof import Answers, Check, prove, sample_matrix, scored
from leapstream.exporters.step import PredictorColumns, Step
from leapstream.model import Model


@dataclass(frozen=True)
class BoosterFile:
    """A booster that was read from a file, and converted.

    Attributes:
        library: the name of the library that saved it.
        path: the file.
        step: the booster as a step.
        features: the columns that it takes.
        columns: the columns that it makes.
        predict: the library's own results for a matrix of features. Runs the library in a process of its own, since libraries
            crash on altered files; raises :class:`leapstream.exporters.child.ChildError` if it cannot read the file.
        categories: the categories of each column of texts.
    """

    library: str
    path: Path
    step: Step
    features: Features
    columns: PredictorColumns
    predict: Callable[[npt.NDArray[np.float64]], Any]
    categories: Sequence[Sequence[Any]] = ()

    def model(self, sample: Any, name: str | None, check: Check, portable: bool) -> Model:
        """The booster as a model, compared with its library if that is installed."""
        with exporting(self.path, sample):
            columns = add_labels(self.step, self.columns)
            made = accept(self.step.graph.model(name or self.library.lower(), columns), portable)
        if find_spec(self.library.lower()) is None:
            return made
        return prove(made, sample, self.library, lambda rows: self.answers(made, rows), check=check)

    def answers(self, model: Model, rows: Any) -> Answers:
        """The library's results for rows, by the column of a model that was made of the file."""
        return scored(np.array(self.predict(sample_matrix(model, rows, self.features, self.categories))), model)
