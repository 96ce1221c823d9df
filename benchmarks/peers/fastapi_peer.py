"""FastAPI around ``model.predict``; the bundle is named by the environment variable BUNDLE."""

from __future__ import annotations

import os
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

import leapstream


class Record(BaseModel):
    feature1: float
    feature2: float
    feature3: float


app = FastAPI()
_model = leapstream.load(os.environ["BUNDLE"])


async def predict(record: Record) -> Any:
    return _model.predict(record.model_dump())


app.post("/predict")(predict)
