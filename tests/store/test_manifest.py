"""Manifests, aliases and contracts are read, or rejected by an error of a store, whatever is in them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leapstream import Model, load
from leapstream.bundle.frame import LeapFrame
from leapstream.contract import record
from leapstream.errors import StoreError
from leapstream.store import ModelStore
from leapstream.store.manifest import manifest, parsed_manifest
from leapstream.store.models import verify_contract
from tests.store.conftest import BENCH, LINEAR

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
PATHS = st.lists(st.integers(0, 50), min_size=1, max_size=5)


def changed(value: Any, path: list[int], new: Any) -> Any:
    """A copy of a JSON value with another value at a place."""
    if not path or not isinstance(value, (dict, list)) or not value:
        return new
    if isinstance(value, dict):
        key = sorted(value)[path[0] % len(value)]
        return {**value, key: changed(value[key], path[1:], new)}
    place = path[0] % len(value)
    return [*value[:place], changed(value[place], path[1:], new), *value[place + 1 :]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ModelStore:
    store = ModelStore(tmp_path_factory.mktemp("store"))
    store.publish("loans", LINEAR, aliases=["live"])
    return store


@pytest.fixture(scope="module")
def linear() -> Model:
    return load(LINEAR)


@pytest.fixture(scope="module")
def contract(linear: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("contract")
    whole = LeapFrame.read(BENCH / "linear3.input.json")
    record(linear, LeapFrame(whole.schema, whole.rows[:3]), folder)
    return folder


def test_a_manifest_is_read_as_it_was_written(store: ModelStore) -> None:
    version = store.version("loans")
    assert parsed_manifest(manifest(version), "loans", "1", version.uri) == version


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, value=JSON)
def test_a_manifest_of_any_content_is_read_or_rejected(store: ModelStore, path: list[int], value: Any) -> None:
    content = json.loads(manifest(store.version("loans")))
    with contextlib.suppress(StoreError):
        parsed_manifest(json.dumps(changed(content, path, value)).encode(), "loans", "1", "place")


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(path=PATHS, value=JSON)
def test_an_alias_of_any_content_is_read_or_rejected(store: ModelStore, path: list[int], value: Any) -> None:
    file = Path(store.uri, "loans", "other.json")
    content = json.loads(Path(store.uri, "loans", "live.json").read_text())
    file.write_text(json.dumps(changed(content, path, value)))
    with contextlib.suppress(StoreError):
        store.version("loans", "other")


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(file=st.sampled_from(["case.json", "expected.json", "input.json"]), path=PATHS, value=JSON)
def test_a_contract_of_any_content_is_fulfilled_or_not(
    linear: Model, contract: Path, file: str, path: list[int], value: Any
) -> None:
    before = (contract / file).read_bytes()
    (contract / file).write_text(json.dumps(changed(json.loads(before), path, value)))
    try:
        with contextlib.suppress(StoreError):
            verify_contract(linear, contract, "the bundle")
    finally:
        (contract / file).write_bytes(before)
