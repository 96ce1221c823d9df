from __future__ import annotations

import pytest

from leapstream import Model, load
from leapstream.serving import ModelRegistry, ServedModel, app
from leapstream.serving.failures import UnknownModelError
from tests.serving.asgi import ask
from tests.serving.conftest import BENCH, RECORD


@pytest.fixture(scope="module")
def linear() -> Model:
    return load(BENCH / "linear3.zip")


def registry(linear: Model, *versions: str, keep: int = 1) -> ModelRegistry:
    models = ModelRegistry(keep)
    for version in versions:
        models.put(ServedModel("linear", version, linear))
    return models


def test_a_version_that_was_live_before_can_still_be_named(linear: Model) -> None:
    models = registry(linear, "1", "2")
    assert [models.get("linear", version).version for version in ("1", "2", "latest", None)] == ["1", "2", "2", "2"]


@pytest.mark.parametrize("keep", [0, 1, 2])
def test_so_many_earlier_versions_are_kept(linear: Model, keep: int) -> None:
    models = registry(linear, "1", "2", "3", "4", keep=keep)
    assert [served.version for served in models.versions("linear")] == ["4", "3", "2", "1"][: keep + 1]
    with pytest.raises(UnknownModelError, match="has no version '1'"):
        models.get("linear", "1")


def test_a_version_that_comes_back_is_not_an_earlier_one(linear: Model) -> None:
    models = registry(linear, "1", "2", "1")
    assert [served.version for served in models.versions("linear")] == ["1", "2"]


def test_a_model_that_is_removed_has_no_versions(linear: Model) -> None:
    models = registry(linear, "1", "2")
    models.remove("linear")
    assert models.versions("linear") == ()
    with pytest.raises(UnknownModelError, match="no model 'linear'"):
        models.get("linear", "1")


def test_a_request_can_name_a_version(linear: Model) -> None:
    application = app(registry(linear, "1", "2"))
    assert ask(application, "GET", "/v1/models/linear").json()["versions"] == ["2", "1"]
    for version, status in (("1", 200), ("2", 200), ("3", 404)):
        assert ask(application, "POST", f"/v1/models/linear/versions/{version}:predict", RECORD).status == status
