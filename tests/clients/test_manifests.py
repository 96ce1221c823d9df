"""The manifests for KServe, in the types of KServe's Python package."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.deploy.manifests import Manifest, manifests

kserve = pytest.importorskip("kserve")
kubernetes = pytest.importorskip("kubernetes")


def check(value: Any, kind: str, place: str) -> None:
    """Fail if a value has a field that its type lacks, or lacks one that it needs."""
    if (inner := re.fullmatch(r"[lL]ist\[(.+)\]|(?:dict\(|[dD]ict\[)str, (.+)[\])]", kind)) is not None:
        many = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in many:
            check(part, inner[1] or inner[2], f"{place}.{name}")
        return
    cls = getattr(kserve, kind, None) or getattr(kubernetes.client, kind, None)
    if cls is None:
        assert not isinstance(value, (dict, list)) or kind == "object", f"{place} is no {kind}"
        return
    assert isinstance(value, dict), f"{place} is no {kind}"
    attributes = {name: attribute for attribute, name in cls.attribute_map.items()}
    assert value.keys() <= attributes.keys(), f"{place} has {value.keys() - attributes.keys()}"
    for name, part in value.items():
        check(part, cls.openapi_types[attributes[name]], f"{place}.{name}")
    # Their constructors miss what they need.
    made = {attributes[name]: part for name, part in value.items()}
    cls(**made)


@pytest.mark.parametrize("manifest", manifests("ServingRuntime", "InferenceService"), ids=str)
def test_manifests_are_of_kserves_types(manifest: Manifest) -> None:
    prefix = manifest.content["apiVersion"].rpartition("/")[2].capitalize()
    check(manifest.content, f"{prefix}{manifest.content['kind']}", manifest.content["kind"])


def test_a_field_that_is_not_there_is_found() -> None:
    (service,) = manifests("InferenceService")
    service.content["spec"]["predictor"]["model"]["runtimes"] = "leapstream"
    with pytest.raises(AssertionError, match="predictor.model has"):
        check(service.content, "V1beta1InferenceService", "InferenceService")
