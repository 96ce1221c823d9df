from __future__ import annotations

import time

import pytest

from leapstream.serving import ModelRegistry, Settings
from leapstream.serving.keeper import Keeper
from leapstream.serving.loading import ModelSpec
from tests.serving.conftest import BENCH

IDLE = ModelSpec("idle", str(BENCH / "linear3.zip"), memory_timeout=0.05)
KEPT = ModelSpec("kept", str(BENCH / "linear3.zip"))


def names_after(keeper: Keeper, models: ModelRegistry, seconds: float) -> list[str]:
    """The names of the models that are served some time after the start."""
    keeper.start()
    try:
        time.sleep(seconds)
        return [served.name for served in models]
    finally:
        keeper.stop()


@pytest.mark.parametrize(("idle", "names"), [(True, ["kept"]), (False, ["idle", "kept"])])
def test_idle_models_are_unloaded_where_one_process_serves_them(idle: bool, names: list[str]) -> None:
    models = ModelRegistry()
    keeper = Keeper(models, Settings(), [IDLE, KEPT], idle=idle)
    assert names_after(keeper, models, 0.5) == names
    assert keeper.spec("idle") == (None if idle else IDLE)


def test_a_model_that_is_in_use_is_not_idle() -> None:
    models = ModelRegistry()
    keeper = Keeper(models, Settings(), [IDLE])
    keeper.in_use = lambda name: name == "idle"
    assert names_after(keeper, models, 0.5) == ["idle"]


def test_an_idle_model_is_not_loaded_again() -> None:
    models = ModelRegistry()
    keeper = Keeper(models, Settings(), [IDLE])
    names_after(keeper, models, 0.5)
    keeper.reload()
    assert len(models) == 0
