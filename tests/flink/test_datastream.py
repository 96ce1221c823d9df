"""Tests of the functions of the DataStream API."""

from __future__ import annotations

import json
import pickle
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from pyflink.common import Row, Types
from pyflink.datastream import DataStream, OutputTag, StreamExecutionEnvironment

import leapstream
from leapstream import ConfigError, PredictionError, SchemaError
from leapstream.flink import FAILED, MLeapMapFunction, MLeapProcessFunction, Target, compile_jar, predict_stream

from .conftest import FOREST, LINEAR, bundle_of

pytestmark = pytest.mark.flink

NAMES = ["feature1", "feature2", "feature3"]
NAMED = Types.ROW_NAMED(["key", *NAMES], [Types.STRING(), *[Types.DOUBLE()] * 3])
ROWS = [(0.1, 7.0, 0.9), (0.5, 3.0, 0.25)]


def expected() -> list[float]:
    model = leapstream.load(LINEAR)
    return [model.predict(dict(zip(NAMES, row, strict=True)))["prediction"] for row in ROWS]


def collected(stream: DataStream) -> list[Any]:
    with stream.execute_and_collect() as rows:
        return list(rows)


def keyed(env: StreamExecutionEnvironment, *rows: tuple[Any, ...]) -> DataStream:
    return env.from_collection([Row(*row) for row in rows], NAMED)


def test_a_map_function_predicts_in_a_job(env: StreamExecutionEnvironment) -> None:
    function = MLeapMapFunction(LINEAR)
    stream = env.from_collection(ROWS, Types.TUPLE([Types.DOUBLE()] * 3))
    assert collected(stream.map(function, output_type=function.get_produced_type())) == pytest.approx(expected())


Features = namedtuple("Features", ["feature3", "feature2", "feature1"])


@pytest.mark.parametrize(
    "element",
    [
        Row(*ROWS[0]),
        Row(feature3=0.9, feature1=0.1, feature2=7.0, other="x"),
        ROWS[0],
        list(ROWS[0]),
        {"feature2": 7.0, "feature1": 0.1, "feature3": 0.9},
        Features(0.9, 7.0, 0.1),
    ],
)
def test_a_map_function_takes_elements_by_name_and_by_position(element: Any) -> None:
    assert MLeapMapFunction(LINEAR).map(element) == pytest.approx(expected()[0])


@pytest.mark.parametrize("element", [ROWS[0], list(ROWS[0]), Row(*ROWS[0]), (ROWS[0],), Row(features=list(ROWS[0]))])
def test_a_map_function_packs_numbers_into_the_only_tensor(element: Any) -> None:
    model = leapstream.load(FOREST)
    assert MLeapMapFunction(model).map(element) == model.predict([{"features": list(ROWS[0])}])[0]["prediction"]


def test_a_map_function_gives_several_outputs_as_a_named_row() -> None:
    result = MLeapMapFunction(LINEAR, outputs=["prediction", "features"]).map(ROWS[0])
    assert result["prediction"] == pytest.approx(expected()[0])
    assert result["features"] == list(ROWS[0])


def test_a_map_function_fails_or_gives_none_as_told() -> None:
    with pytest.raises(PredictionError, match="feature2"):
        MLeapMapFunction(LINEAR).map((1.0, None, 2.0))
    assert MLeapMapFunction(LINEAR, on_error="null").map((1.0, None, 2.0)) is None


def test_a_map_function_rejects_elements_that_do_not_fit() -> None:
    with pytest.raises(SchemaError, match="feature1"):
        MLeapMapFunction(LINEAR).map((1.0, 2.0))
    with pytest.raises(SchemaError, match="feature3"):
        MLeapMapFunction(LINEAR).map({"feature1": 1.0, "feature2": 2.0})


def test_a_map_function_travels_without_what_it_opened() -> None:
    function = MLeapMapFunction(LINEAR)
    function.map(ROWS[0])
    assert len(pickle.dumps(function)) < 1000
    assert pickle.loads(pickle.dumps(function)).map(ROWS[0]) == pytest.approx(expected()[0])


def test_a_map_function_takes_dicts_for_maps() -> None:
    function = MLeapMapFunction(bundle_of("feature/map-entry-selector-double"))
    assert function.map(({"a": 1.5, "b": 2.5}, "b")) == 2.5
    assert function.map(Row(m={"a": 1.5}, k="b")) == -1.0


def test_a_whole_stream_with_maps_is_predicted(env: StreamExecutionEnvironment) -> None:
    kind = Types.ROW_NAMED(["m", "k"], [Types.MAP(Types.STRING(), Types.DOUBLE()), Types.STRING()])
    stream = env.from_collection([Row({"a": 1.5, "b": 2.5}, "b"), Row({"a": 1.5}, "b")], kind)
    rows = collected(predict_stream(stream, bundle_of("feature/map-entry-selector-double")))
    assert [row["sel"] for row in rows] == [2.5, -1.0]


def test_a_process_function_predicts_on_a_keyed_stream_and_sets_failed_records_aside(
    env: StreamExecutionEnvironment,
) -> None:
    function = MLeapProcessFunction(LINEAR, with_element=True)
    stream = keyed(env, ("a", *ROWS[0]), ("b", None, 1.0, 2.0), ("c", *ROWS[1]))
    scored = stream.key_by(lambda row: row["key"], Types.STRING()).process(
        function, output_type=function.get_produced_type(NAMED)
    )
    (failed,) = collected(scored.get_side_output(FAILED))
    assert failed["record"]["key"] == "b"
    assert "feature1" in failed["error"]
    assert {row[0]["key"]: row[1] for row in collected(scored)} == pytest.approx(
        dict(zip("ac", expected(), strict=True))
    )


def test_a_process_function_takes_streams_without_key_and_an_own_tag(env: StreamExecutionEnvironment) -> None:
    tag = OutputTag("bad", Types.PICKLED_BYTE_ARRAY())
    function = MLeapProcessFunction(LINEAR, failed=tag)
    stream = keyed(env, ("a", *ROWS[0]), ("b", None, 1.0, 2.0))
    scored = stream.process(function, output_type=function.get_produced_type())
    assert len(collected(scored.get_side_output(tag))) == 1
    assert collected(scored) == pytest.approx(expected()[:1])


@pytest.mark.parametrize("backend", ["jvm", "vectorized"])
def test_a_whole_stream_of_named_rows_is_predicted(env: StreamExecutionEnvironment, backend: Any) -> None:
    stream = keyed(env, ("a", *ROWS[0]), ("b", *ROWS[1]))
    rows = collected(predict_stream(stream, LINEAR, outputs=["prediction", "features"], backend=backend))
    assert [(row["key"], list(row["features"])) for row in rows] == [("a", list(ROWS[0])), ("b", list(ROWS[1]))]
    assert [row["prediction"] for row in rows] == pytest.approx(expected())


def test_a_whole_stream_of_tuples_is_predicted_by_position(env: StreamExecutionEnvironment) -> None:
    rows = collected(predict_stream(env.from_collection(ROWS, Types.TUPLE([Types.DOUBLE()] * 3)), LINEAR))
    assert [row["prediction"] for row in rows] == pytest.approx(expected())


def names_in_graph(env: StreamExecutionEnvironment, *streams: DataStream) -> list[str]:
    """The names of the operators of a job that prints some streams, as Flink's UI has them; the job does not run."""
    for stream in streams:
        stream.print()
    return [node["type"] for node in json.loads(env.get_execution_plan())["nodes"]]


@pytest.mark.parametrize("backend", ["jvm", "vectorized"])
def test_the_operators_of_a_predicted_stream_have_the_model_and_its_version(backend: Any) -> None:
    model = leapstream.load(LINEAR)
    name = f"predict {model.name} {model.definition.uid}"
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = predict_stream(keyed(env, ("a", *ROWS[0])), model, on_error="row", failed=True, backend=backend)
    names = names_in_graph(env, stream, stream.failed)
    assert names.count(name) == 1
    assert f"failed rows of {name}" in names


def test_record_functions_have_a_name_with_the_model_and_its_version_for_their_operator() -> None:
    model = leapstream.load(LINEAR)
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_collection(ROWS, Types.TUPLE([Types.DOUBLE()] * 3))
    function, process = MLeapMapFunction(LINEAR), MLeapProcessFunction(LINEAR)
    assert function.operator_name == process.operator_name == f"predict {model.name} {model.definition.uid}"
    mapped = stream.map(function, output_type=function.get_produced_type()).name(function.operator_name)
    assert function.operator_name in names_in_graph(env, mapped)


def test_a_stream_that_lacks_a_column_is_rejected(env: StreamExecutionEnvironment) -> None:
    kind = Types.ROW_NAMED(["feature1", "feature2"], [Types.DOUBLE()] * 2)
    with pytest.raises(SchemaError, match="feature3"):
        predict_stream(env.from_collection([Row(1.0, 2.0)], kind), LINEAR)


def test_a_stream_is_predicted_by_a_function_or_model_of_a_jar(env: StreamExecutionEnvironment, tmp_path: Path) -> None:
    jar = tmp_path / "models.jar"
    compile_jar(
        [
            Target("Linear", leapstream.load(LINEAR), outputs=("prediction", "features")),
            Target("Forest", leapstream.load(FOREST), "model"),
        ],
        jar,
    )
    rows = collected(predict_stream(keyed(env, ("a", *ROWS[0])), f"{jar}#Linear"))
    assert rows[0].as_dict()["prediction"] == pytest.approx(expected()[0])
    assert list(rows[0].as_dict()["features"]) == list(ROWS[0])
    (row,) = collected(
        predict_stream(env.from_collection(ROWS[:1], Types.TUPLE([Types.DOUBLE()] * 3)), f"{jar}#Forest")
    )
    assert row.as_dict()["prediction"] == leapstream.load(FOREST).predict({"features": list(ROWS[0])})["prediction"]
    for reference, options, message in (
        (f"{jar}#Absent", {}, "it has Forest, Linear"),
        (str(jar), {}, "say which"),
        (str(tmp_path / "none.jar"), {}, "no jar of models"),
        (f"{jar}#Linear", {"on_error": "null"}, "compiled into a jar"),
    ):
        with pytest.raises(ConfigError, match=message):
            predict_stream(keyed(env, ("a", *ROWS[0])), reference, **options)
