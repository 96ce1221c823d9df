from __future__ import annotations

import pytest

from leapstream import ConfigError
from leapstream.serving.loading import ModelSpec


@pytest.mark.parametrize(
    ("given", "name", "uri"),
    [
        ("iris.zip", "iris", "iris.zip"),
        ("a=iris.zip", "a", "iris.zip"),
        ("/models/iris v2/", "iris_v2", "/models/iris v2/"),
        ("s3://bucket/iris.zip?versionId=a=b", "iris", "s3://bucket/iris.zip?versionId=a=b"),
        ("models:/iris@champion", "iris", "models:/iris@champion"),
        ("models:/iris/3", "iris", "models:/iris/3"),
        ("models:/m-0123", "m-0123", "models:/m-0123"),
        ("a=models:/iris@champion", "a", "models:/iris@champion"),
    ],
)
def test_a_model_has_the_name_that_is_given_or_that_of_its_place(given: str, name: str, uri: str) -> None:
    assert ModelSpec.parsed(given) == ModelSpec(name, uri)


@pytest.mark.parametrize("given", ["/", "models:/"])
def test_a_place_without_a_name_is_rejected(given: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        ModelSpec.parsed(given)
