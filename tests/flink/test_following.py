"""Models of a store that run in Python: their versions change while functions run."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
import pandas as pd
import pytest
from pyflink.common import Row, Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from leapstream import BackendError, LeapFrame
from leapstream.contract import record
from leapstream.flink import MLeapMapFunction, MLeapUDFRegistry, StoredModel, predict_stream
from leapstream.flink.following import FollowedModel, Follower
from leapstream.flink.preparing import prepare_stored
from leapstream.flink.udf import FollowingPandasFunction
from leapstream.store import models

from .versions import INPUTS, Versions, constant, wait

pytestmark = pytest.mark.flink

OUTPUTS = ("prediction", "model_version")


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    """A store whose model has a live version without a jar."""
    made = Versions(tmp_path / "models")
    publish(made, 1)
    made.go_live(1)
    return made


def publish(versions: Versions, value: int) -> None:
    versions.publish(value, jar=None)


def publish_with_another_bundle(versions: Versions, value: int) -> None:
    publish(versions, value)
    bundle = versions.folder / "loans" / str(value) / "bundle.zip"
    bundle.write_bytes(bytes(reversed(bundle.read_bytes())))


def publish_with_another_contract(versions: Versions, value: int) -> None:
    """A version that differs from the rows of its contract, which nobody saw when it was published."""
    contract = versions.folder.parent / f"contract-{value}"
    record(constant(value + 0.5), LeapFrame(constant(0).schema.inputs, [(1.0, 2.0, 3.0)]), contract)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "verify_contract", lambda model, folder, what: None)
        versions.publish(value, jar=None, contract=contract)


BAD: dict[str, tuple[Callable[[Versions, int], None], str]] = {
    "checksum": (publish_with_another_bundle, "sha256"),
    "signature": (Versions.publish_with_another_signature, "loans@2 has the outputs .*score double.*, and the job"),
    "contract": (publish_with_another_contract, "loans@2 .*differs from its contract"),
}


def stored(versions: Versions, **options: Any) -> StoredModel:
    return StoredModel(versions.uri, reload_interval="20 ms", **options)


@pytest.fixture
def follower(versions: Versions) -> Iterator[Follower]:
    model = stored(versions)
    version, _ = model.found()
    made = FollowedModel(model, version).follow()
    yield made
    made.close()


def live(follower: Follower) -> str:
    return follower.live.versions[0].version.version


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("leapstream-reload")]


def test_the_alias_moves_and_the_new_version_is_live(versions: Versions, follower: Follower) -> None:
    publish(versions, 2)
    versions.go_live(2)
    wait(lambda: live(follower) == "2")
    versions.store.rollback("loans", "live")
    wait(lambda: live(follower) == "1")
    assert (follower.reloads, follower.reload_failures) == (2, 0)


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_version_is_never_live_and_is_counted(
    versions: Versions, follower: Follower, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    make, reason = BAD[kind]
    make(versions, 2)
    versions.go_live(2)
    wait(lambda: follower.reload_failures > 0)
    publish(versions, 3)
    versions.go_live(3)
    wait(lambda: live(follower) == "3")
    # A bundle that cannot be had is tried again at each look; what is wrong in itself once.
    assert follower.reloads == 1 and (kind == "checksum" or follower.reload_failures == 1)
    (warning,) = [entry for entry in caplog.records if entry.levelname == "WARNING"]
    assert re.search(f"(?s)model loans@live stays version 1, .*{reason}", warning.getMessage())


def test_a_store_that_is_away_leaves_the_versions_as_they_are(versions: Versions, follower: Follower) -> None:
    moved = versions.folder.with_name("away")
    shutil.move(versions.folder, moved)
    wait(lambda: follower.reload_failures >= 2)
    assert live(follower) == "1"
    shutil.move(moved, versions.folder)
    publish(versions, 2)
    versions.go_live(2)
    wait(lambda: live(follower) == "2")


def test_functions_of_a_process_share_a_thread_which_ends_with_the_last_of_them(versions: Versions) -> None:
    model = stored(versions)
    followed = FollowedModel(model, model.found()[0])
    followers = [cloudpickle.loads(cloudpickle.dumps(followed)).follow() for _ in range(3)]
    assert len(threads()) == 1 and followers[0] is followers[2]
    followers[0].close()
    followers[1].close()
    assert len(threads()) == 1
    followers[2].close()
    wait(lambda: not threads())
    pinned = replace(followed, stored=replace(model, version="1")).follow()
    assert not threads()
    pinned.close()


def test_a_map_function_follows_a_model_and_names_the_version_of_each_record(versions: Versions) -> None:
    function = MLeapMapFunction(stored(versions), outputs=OUTPUTS, on_error="row")
    assert function.get_produced_type().get_field_names() == [*OUTPUTS, "error"]
    function = cloudpickle.loads(cloudpickle.dumps(function))
    function.open(None)
    assert function.map((1.0, 2.0, 3.0)) == Row(prediction=1.0, model_version="1", error=None)
    publish(versions, 2)
    versions.go_live(2)
    wait(lambda: function.map((1.0, 2.0, 3.0)) == Row(prediction=2.0, model_version="2", error=None))
    failed = function.map((1.0, None, 3.0))
    assert (failed["prediction"], failed["model_version"]) == (None, "2") and "feature2" in failed["error"]
    function.close()
    wait(lambda: not threads())


class Number:
    """A counter, or a distribution."""

    def __init__(self) -> None:
        self.value = 0

    def inc(self, count: int) -> None:
        self.value += count

    def update(self, value: int) -> None:
        self.value = value


class Context:
    """The context of a function, and each group of its metrics.

    Attributes:
        counters: the counters by version and name, of all groups.
        version: the version that the group is of.
    """

    def __init__(self) -> None:
        self.counters: dict[tuple[str, str], Number] = {}
        self.version = ""

    def get_metric_group(self) -> Context:
        return self

    def add_group(self, name: str, value: str = "") -> Context:
        group = copy(self)
        group.version = value if name == "version" else self.version
        return group

    def counter(self, name: str) -> Number:
        return self.counters.setdefault((self.version, name), Number())

    def distribution(self, name: str) -> Number:
        return Number()

    def gauge(self, name: str, read: Callable[[], int]) -> None:
        read()


def test_rows_of_a_batch_and_records_are_split_by_a_key_as_in_the_store(versions: Versions) -> None:
    publish(versions, 2)
    alias = versions.store.set_alias("loans", "live", {"1": 60, "2": 40})
    model = stored(versions, split_key="customer")
    prepared = prepare_stored(
        "f", model, inputs=None, outputs=OUTPUTS, backend="auto", on_error="row", error_column="e"
    )
    assert prepared.reason is not None and "loans@1 has no model.jar" in prepared.reason
    function = cloudpickle.loads(prepared.implementation)
    assert isinstance(function, FollowingPandasFunction)
    function.open(Context())
    keys = [f"customer-{number}" for number in range(50)]
    numbers = [None if number == 7 else float(number) for number in range(50)]
    found = function.eval(*(pd.Series(values) for values in ([1.0] * 50, numbers, [3.0] * 50, keys)))
    assert list(found.columns) == [*OUTPUTS, "e"]
    assert list(found["model_version"]) == [alias.version_of(key) for key in keys]
    good = found.drop(7)
    assert list(good["prediction"]) == [float(version) for version in good["model_version"]]
    assert list(good["e"]) == [None] * 49 and "feature2" in found["e"][7] and pd.isna(found["prediction"][7])
    function.close()
    records = MLeapMapFunction(model, outputs=["model_version", "prediction"])
    assert [records.map((1.0, 2.0, 3.0, key))["model_version"] for key in keys] == list(found["model_version"])
    records.close()


@pytest.mark.parametrize("option", ["", "3"])
def test_a_shadow_is_computed_beside_in_batches_and_records(versions: Versions, option: str) -> None:
    """The shadow of the job goes before that of the alias; a row that fails has its outputs too."""
    for value in (2, 3):
        publish(versions, value)
    versions.store.set_alias("loans", "live", "1", shadow=["2"])
    expected = option or "2"
    model = stored(versions, shadow=option or ())
    outputs = [*OUTPUTS, "shadow_prediction", "shadow_version", "shadow_error"]
    prepared = prepare_stored("f", model, inputs=None, outputs=outputs, backend="vectorized", on_error="row")
    function = cloudpickle.loads(prepared.implementation)
    context = Context()
    function.open(context)
    found = function.eval(*(pd.Series(values) for values in ([1.0] * 2, [2.0, None], [3.0] * 2)))
    function.close()
    good, dead = found.to_dict("records")
    assert good == dict(zip([*outputs, "error"], [1.0, "1", float(expected), expected, None, None], strict=True))
    assert dead["model_version"] == "1" and dead["shadow_version"] == expected
    assert pd.isna(dead["prediction"]) and pd.isna(dead["shadow_prediction"])
    assert "feature2" in dead["error"] and dead["shadow_error"] == dead["error"].replace("'1'", f"'{expected}'")
    records = MLeapMapFunction(model, outputs=outputs, on_error="row")
    by_record = [records.map((1.0, number, 3.0)).as_dict() for number in (2.0, None)]
    records.close()
    assert by_record == [good, {**dead, "prediction": None, "shadow_prediction": None}]
    # The shadow whose columns nobody sees is counted too.
    computed = {"1", "2", expected}
    assert {name: number.value for (version, name), number in context.counters.items() if version in computed} == {
        "predictions": 2,
        "failures": 1,
        "dropped": 0,
    }
    assert {version for version, _ in context.counters} == computed


def test_a_shadow_that_fails_never_fails_a_row(versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(versions, 2)
    model = stored(versions, shadow="2")
    outputs = ["prediction", "shadow_prediction", "shadow_error"]
    prepared = prepare_stored("f", model, inputs=None, outputs=outputs, backend="vectorized", on_error="raise")
    function = cloudpickle.loads(prepared.implementation)
    records = MLeapMapFunction(model, outputs=outputs)
    function.open(Context())
    records.open(None)
    (shadow,) = function._follower.live.shadows

    def fail(*arguments: object, **options: object) -> None:
        raise MemoryError("no memory")

    for method in ("predict_record", "predict_rows"):
        monkeypatch.setattr(shadow.model, method, fail)
    found = function.eval(*(pd.Series([value]) for value in (1.0, 2.0, 3.0)))
    expected = {"prediction": 1.0, "shadow_prediction": None, "shadow_error": "no memory"}
    assert found.to_dict("records") == [expected]
    assert records.map((1.0, 2.0, 3.0)).as_dict() == expected
    function.close()
    records.close()


def test_shadows_come_and_go_with_the_alias(versions: Versions, follower: Follower) -> None:
    publish(versions, 2)
    versions.store.set_alias("loans", "live", "1", shadow=["2"])
    wait(lambda: [shadow.version.version for shadow in follower.live.shadows] == ["2"])
    versions.go_live(1)
    wait(lambda: not follower.live.shadows)
    assert live(follower) == "1"


def test_a_model_without_a_jar_needs_python(versions: Versions) -> None:
    options = {"inputs": None, "outputs": None, "on_error": "raise"}
    with pytest.raises(BackendError, match=r"function 'f': loans@1 has no model\.jar"):
        prepare_stored("f", stored(versions), backend="jvm", **options)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_version_that_is_published_while_a_job_runs_goes_live_in_python_and_a_bad_one_does_not(
    table_env: StreamTableEnvironment, versions: Versions
) -> None:
    table_env.get_config().set("python.fn-execution.bundle.time", "100")
    function = MLeapUDFRegistry.register("Live", stored(versions), table_env, outputs=list(OUTPUTS))
    assert function.backend == "vectorized" and function.reason is not None
    columns = ", ".join(f"{name} DOUBLE" for name in INPUTS)
    table_env.execute_sql(
        f"CREATE TEMPORARY TABLE given ({columns}) WITH ('connector' = 'datagen', 'rows-per-second' = '200')"
    )
    publish_with_another_contract(versions, 2)
    publish(versions, 3)
    found: list[str] = []
    query = f"SELECT r.prediction, r.model_version FROM (SELECT Live({', '.join(INPUTS)}) AS r FROM given)"
    with table_env.execute_sql(query).collect() as rows:
        for prediction, version in rows:
            assert prediction == float(version)
            if version not in found:
                found.append(version)
                versions.go_live_after_a_bad_one(2, 3)
            if version == "3":
                break
    assert found == ["1", "3"]


@pytest.mark.slow
def test_streams_follow_a_model_in_python(env: StreamExecutionEnvironment, versions: Versions) -> None:
    rows = env.from_collection([(1.0, 2.0, 3.0), (1.0, None, 3.0)], Types.ROW_NAMED(list(INPUTS), [Types.DOUBLE()] * 3))
    model = stored(versions)
    scored = predict_stream(rows, model, outputs=list(OUTPUTS), backend="vectorized", failed=True)
    record_by_record = MLeapMapFunction(model, outputs=list(OUTPUTS), on_error="row")
    mapped = scored.map(record_by_record, output_type=record_by_record.get_produced_type())
    good, dead = (stream.map(tuple, Types.PICKLED_BYTE_ARRAY()) for stream in (mapped, scored.failed))
    with good.union(dead).execute_and_collect() as answers:
        found = set(answers)
    assert found > {(1.0, "1", None)}
    ((*columns, error),) = found - {(1.0, "1", None)}
    assert columns == [1.0, None, 3.0] and "feature2" in error
