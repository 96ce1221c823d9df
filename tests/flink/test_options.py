"""The words of options, and the older ways to call the functions of ``leapstream.flink``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyflink.common import Row, Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

import leapstream
from leapstream import ConfigError
from leapstream.flink import (
    FunctionSignature,
    MLeapMapFunction,
    MLeapProcessFunction,
    MLeapUDFRegistry,
    Target,
    UDFEntry,
    compile_jar,
    create_model,
    predict_stream,
)
from leapstream.flink.options import BACKEND, LOAD_ON, ON_ERROR, Option

from .conftest import LINEAR

ROW = (0.1, 7.0, 0.9)
NAMES = ["feature1", "feature2", "feature3"]


@pytest.mark.parametrize("option", [BACKEND, LOAD_ON, ON_ERROR], ids=lambda option: option.argument)
def test_each_word_of_python_has_one_of_the_configuration(option: Option[Any]) -> None:
    for word, configured in option.words.items():
        assert option.check(word, "here") == word
        assert option.read(configured, "here") == word
    with pytest.raises(ConfigError, match=f"here: {option.argument} must be one of {', '.join(option.words)}, not 'x'"):
        option.check("x", "here")
    with pytest.raises(ConfigError, match=f"here: {option.key} must be one of"):
        option.read("x", "here")


OLD_WORDS: dict[str, Callable[[], Any]] = {
    "MLeapMapFunction": lambda: MLeapMapFunction(LINEAR, on_error="fail"),  # type: ignore[arg-type]
    "Target": lambda: Target("F", leapstream.load(LINEAR), on_error="fail"),  # type: ignore[arg-type]
    "UDFEntry, on_error": lambda: UDFEntry("F", LINEAR, on_error="fail"),  # type: ignore[arg-type]
    "UDFEntry, backend": lambda: UDFEntry("F", LINEAR, backend="python"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("call", OLD_WORDS.values(), ids=OLD_WORDS)
def test_words_of_the_configuration_still_work_in_python_and_warn(call: Callable[[], Any]) -> None:
    with pytest.warns(DeprecationWarning, match="'(fail|python)' in configurations alone") as caught:
        made = call()
    assert [warning.filename for warning in caught] == [__file__]
    if isinstance(made, UDFEntry):
        assert (made.on_error, made.backend) in [("raise", "auto"), ("raise", "vectorized")]


@pytest.mark.flink
def test_registering_still_takes_the_words_of_the_configuration(table_env: StreamTableEnvironment) -> None:
    with pytest.warns(DeprecationWarning, match="in configurations alone") as caught:
        function = MLeapUDFRegistry.register(
            "Old",
            LINEAR,
            table_env,
            on_error="fail",  # type: ignore[arg-type]
            backend="python",  # type: ignore[arg-type]
        )
    assert len(caught) == 2
    assert function.backend == "vectorized"


def test_functions_still_take_options_by_position_and_warn() -> None:
    with pytest.warns(DeprecationWarning, match="takes inputs, outputs, on_error as keyword"):
        function = MLeapMapFunction(LINEAR, NAMES, ["features"], "null")  # type: ignore[misc]
    assert function.map(ROW) == list(ROW)
    assert function.map((None, 1.0, 2.0)) is None
    with pytest.warns(DeprecationWarning, match="takes inputs, outputs as keyword"):
        process = MLeapProcessFunction(LINEAR, NAMES, ["features"])  # type: ignore[misc]
    assert list(process.process_element(ROW, None)) == [list(ROW)]
    with pytest.warns(DeprecationWarning, match=r"Target\(\) takes inputs, outputs as keyword"):
        target = Target("F", leapstream.load(LINEAR), "function", None, ("features",))  # type: ignore[misc]
    assert target == Target("F", target.model, outputs=("features",))
    with pytest.warns(DeprecationWarning, match="takes inputs as keyword"):
        signature = FunctionSignature.of("f", leapstream.load(LINEAR), NAMES[::-1])  # type: ignore[misc]
    assert signature.inputs.names == tuple(NAMES[::-1])


@pytest.mark.flink
def test_a_stream_still_takes_inputs_and_outputs_by_position_and_warns(env: StreamExecutionEnvironment) -> None:
    stream = env.from_collection([Row(*ROW)], Types.ROW_NAMED(NAMES, [Types.DOUBLE()] * 3))
    with pytest.warns(DeprecationWarning, match="takes inputs, outputs as keyword"):
        scored = predict_stream(stream, LINEAR, NAMES, ["prediction"])  # type: ignore[misc]
    with scored.execute_and_collect() as rows:
        assert [list(row.as_dict()) for row in rows] == [[*NAMES, "prediction"]]


@pytest.mark.flink
def test_a_model_is_created_in_the_order_of_a_function_and_the_old_order_warns(
    table_env: StreamTableEnvironment,
) -> None:
    assert create_model("Scores", LINEAR, table_env, outputs=["prediction"]).startswith(
        "CREATE TEMPORARY MODEL `Scores`"
    )
    with pytest.warns(DeprecationWarning, match=r"is now create_model\(name, model, table_env, …\)") as caught:
        statement = create_model(table_env, "OlderScores", LINEAR, outputs=["prediction"])  # type: ignore[arg-type]
    assert caught[0].filename == __file__
    assert statement.startswith("CREATE TEMPORARY MODEL `OlderScores`")
    for name in ("Scores", "OlderScores"):
        table_env.execute_sql(f"DROP TEMPORARY MODEL {name}")


@pytest.mark.flink
def test_a_jar_is_compiled_from_targets_and_the_old_order_warns(tmp_path: Path) -> None:
    targets = [Target("Linear", leapstream.load(LINEAR))]
    compile_jar(targets, tmp_path / "new.jar")
    with pytest.warns(DeprecationWarning, match=r"is now compile_jar\(targets, path, …\)"):
        compile_jar(tmp_path / "old.jar", targets)  # type: ignore[arg-type]
    assert (tmp_path / "new.jar").read_bytes() == (tmp_path / "old.jar").read_bytes()


def test_a_function_checks_the_bundle_that_it_loads() -> None:
    with pytest.raises(leapstream.SourceError, match="sha256"):
        MLeapMapFunction(LINEAR, sha256="0" * 64).map(ROW)


@pytest.mark.parametrize("name", ["create_function_statement", "create_table_statement", "statements"])
def test_statements_are_still_found_beside_create_model(name: str) -> None:
    from leapstream.flink import ddl, models

    with pytest.warns(DeprecationWarning, match=rf"is now leapstream\.flink\.ddl\.{name}"):
        assert getattr(models, name) is getattr(ddl, name)


def test_predict_stream_is_still_found_beside_the_functions() -> None:
    from leapstream.flink import datastream

    with pytest.warns(DeprecationWarning, match=r"is now leapstream\.flink\.streams\.predict_stream"):
        assert datastream.predict_stream is predict_stream
