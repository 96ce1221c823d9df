"""A runtime of MLServer around ``model.predict``; the bundle is named by the environment variable BUNDLE."""

from __future__ import annotations

import os
from typing import Any

from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput

import leapstream


class LeapstreamRuntime(MLModel):  # type: ignore[misc]
    """The columns are tensors of one number each."""

    async def load(self) -> bool:
        self._model = leapstream.load(os.environ["BUNDLE"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        answer: Any = self._model.predict({tensor.name: tensor.data[0] for tensor in payload.inputs})
        outputs = [
            ResponseOutput(name=name, shape=[1], datatype="FP64", data=[value]) for name, value in answer.items()
        ]
        return InferenceResponse(id=payload.id, model_name=self.name, model_version=self.version, outputs=outputs)
