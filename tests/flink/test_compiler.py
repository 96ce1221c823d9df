"""Jars that leapstream compiles, used as someone without leapstream would."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from pyflink.common import Configuration, Row, Types
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment

import leapstream
from leapstream import ConfigError, LeapFrame, demo
from leapstream.cli.compilation import ddl_script
from leapstream.executors.jvm.jar import CompiledJar
from leapstream.flink import Target, compile_jar
from tests.pipelines import labelled

from .cluster import HOME, Cluster
from .conftest import FOREST, LINEAR, bundle_of, collect, golden
from .maven import fetched

pytestmark = pytest.mark.flink

LOANS = "pipeline/loans-logistic"
ROWS = [(0.1, 7.0, 0.9), (0.5, 3.0, 0.25)]


def expected(bundle: str) -> list[float]:
    model = leapstream.load(bundle)
    names = model.schema.inputs.names
    records = [dict(zip(names, row, strict=True)) if len(names) == 3 else {names[0]: list(row)} for row in ROWS]
    return [record["prediction"] for record in model.predict(records)]


def test_the_same_targets_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.jar", "b.jar"):
        targets = [
            Target("Predict", leapstream.load(LINEAR)),
            Target("Loans", leapstream.load(bundle_of(LOANS)), "model"),
        ]
        compile_jar(targets, tmp_path / name)
    assert (tmp_path / "a.jar").read_bytes() == (tmp_path / "b.jar").read_bytes()


@pytest.mark.parametrize("invalid", ["error", "skip"])
def test_a_function_takes_the_columns_alone_that_its_outputs_need(tmp_path: Path, invalid: str) -> None:
    compile_jar([Target("Predict", labelled(invalid))], tmp_path / "a.jar")
    jar = CompiledJar.read(tmp_path / "a.jar")
    assert jar is not None
    assert [list(function.inputs) for function in jar.models] == [["x"]]


def test_the_manifest_says_what_the_jar_holds(tmp_path: Path) -> None:
    model = leapstream.load(FOREST)
    jar = compile_jar([Target("Forest", model), Target("Forest", model, "model", sha256="ab" * 32)], tmp_path / "a.jar")
    assert CompiledJar.read(tmp_path / "a.jar") == jar
    function, other = jar.models
    assert (function.class_name, other.class_name) == ("leapstream.models.Forest", "leapstream.models.predict.Forest")
    assert (function.bundle, function.uid) == (model.name, model.definition.uid)
    assert other.sha256 == "ab" * 32
    assert (function.inputs, function.outputs) == ({"features": "ARRAY<DOUBLE>"}, {"prediction": "DOUBLE"})
    assert jar.leapstream == leapstream.__version__
    assert CompiledJar.read(FOREST) is None


@pytest.mark.parametrize("names", [["a b"], ["class"], ["1a"], ["é"], ["Predict", "predict"], []])
def test_names_have_to_be_free_identifiers_of_java(tmp_path: Path, names: list[str]) -> None:
    model = leapstream.load(LINEAR)
    with pytest.raises(ConfigError):
        compile_jar([Target(name, model) for name in names], tmp_path / "a.jar")
    assert not (tmp_path / "a.jar").exists()


def test_a_function_of_a_jar_is_created_in_plain_sql(table_env: StreamTableEnvironment, tmp_path: Path) -> None:
    targets = [Target("Linear", leapstream.load(LINEAR)), Target("Forest", leapstream.load(FOREST))]
    compile_jar(targets, tmp_path / "models.jar")
    for name in ("Linear", "Forest"):
        table_env.execute_sql(
            f"CREATE TEMPORARY SYSTEM FUNCTION {name} AS 'leapstream.models.{name}' LANGUAGE JAVA "
            f"USING JAR '{tmp_path}/models.jar'"
        )
    values = ", ".join(f"({', '.join(f'CAST({v} AS DOUBLE)' for v in row)})" for row in ROWS)
    table_env.execute_sql(f"CREATE TEMPORARY VIEW given AS SELECT * FROM (VALUES {values}) AS t(a, b, c)")
    # VALUES are a union of rows, which come in any order.
    found = sorted(collect(table_env, "SELECT a, Linear(a, b, c), Forest(a, b, c), Forest(ARRAY[a, b, c]) FROM given"))
    assert [row[1] for row in found] == pytest.approx(expected(LINEAR), rel=1e-12)
    assert [row[2] for row in found] == [row[3] for row in found] == expected(FOREST)
    with pytest.raises(Exception, match=r"Linear\(feature1 => DOUBLE, feature2 => DOUBLE, feature3 => DOUBLE\)"):
        table_env.execute_sql("SELECT Linear(a, b) FROM given")


def test_a_map_function_of_a_jar_adds_the_outputs_to_rows(env: StreamExecutionEnvironment, tmp_path: Path) -> None:
    compile_jar([Target("Loans", leapstream.load(bundle_of(LOANS)), "model")], tmp_path / "models.jar")
    url = (tmp_path / "models.jar").as_uri()
    env.configure(Configuration().set_string("pipeline.jars", url))
    frame, answers = (LeapFrame.read(golden(LOANS) / f"{name}.json") for name in ("input", "expected"))
    names = list(frame.schema.names)
    kinds = [Types.STRING() if isinstance(v, str) else Types.DOUBLE() for v in frame.rows[0]]
    rows = [Row(*(v if isinstance(v, str) or v is None else float(v) for v in row)) for row in frame.rows]
    stream = env.from_collection(rows, Types.ROW_NAMED(names, kinds))
    loader = _loader(tmp_path / "models.jar", get_gateway().jvm.Thread.currentThread().getContextClassLoader())
    function = loader.loadClass("leapstream.models.LoansMap").getConstructors()[0].newInstance(None)
    given = stream._j_data_stream
    mapped = DataStream(given.map(function).returns(function.returns(given.getType())))
    with mapped.execute_and_collect() as results:
        found = [row.as_dict() for row in results]
    assert [row["prediction"] for row in found] == answers.column("prediction")
    for row, probability in zip(found, answers.column("probability"), strict=True):
        assert list(row["probability"]) == pytest.approx(probability.to_dense().tolist(), rel=1e-9)
    assert [row["state"] for row in found] == frame.column("state")


def test_a_process_function_of_a_jar_sets_rows_that_fail_aside(env: StreamExecutionEnvironment, tmp_path: Path) -> None:
    compile_jar([Target("Linear", leapstream.load(LINEAR), "model", outputs=("prediction",))], tmp_path / "models.jar")
    env.configure(Configuration().set_string("pipeline.jars", (tmp_path / "models.jar").as_uri()))
    rows = [Row(1, 0.1, 7.0, 0.9), Row(2, None, 7.0, 0.9), Row(3, 0.5, 3.0, 0.25)]
    names = ["n", "feature1", "feature2", "feature3"]
    given = env.from_collection(rows, Types.ROW_NAMED(names, [Types.INT(), *[Types.DOUBLE()] * 3]))._j_data_stream
    loader = _loader(tmp_path / "models.jar", get_gateway().jvm.Thread.currentThread().getContextClassLoader())
    function = loader.loadClass("leapstream.models.LinearProcess").getConstructors()[0].newInstance(None)
    scored = given.process(function).returns(function.returns(given.getType()))
    failed = scored.getSideOutput(function.failed(given.getType()))
    with DataStream(scored).execute_and_collect() as results:
        good = {row["n"]: row["prediction"] for row in results}
    features = [dict(zip(names[1:], tuple(row)[1:], strict=True)) for row in (rows[0], rows[2])]
    first, last = (record["prediction"] for record in leapstream.load(LINEAR).predict(features))
    assert good == {1: pytest.approx(first, rel=1e-12), 3: pytest.approx(last, rel=1e-12)}
    with DataStream(failed).execute_and_collect() as results:
        (dead,) = [row.as_dict() for row in results]
    error = dead.pop("error")
    assert dead == dict(zip(names, rows[1], strict=True))
    assert "column 'feature1'" in error


def _loader(jar: Path, parent: Any) -> Any:
    """A Java class loader that has a jar below another."""
    gateway = get_gateway()
    urls = gateway.new_array(gateway.jvm.java.net.URL, 1)
    urls[0] = gateway.jvm.java.net.URL(jar.as_uri())
    return gateway.jvm.java.net.URLClassLoader(urls, parent)


def test_a_jar_of_models_works_below_a_jar_of_functions(tmp_path: Path) -> None:
    model = leapstream.load(LINEAR)
    compile_jar([Target("Other", model)], tmp_path / "functions.jar")
    compile_jar([Target("Linear", model, "model")], tmp_path / "models.jar")
    gateway = get_gateway()
    upper = _loader(tmp_path / "functions.jar", gateway.jvm.java.lang.ClassLoader.getSystemClassLoader())
    lower = _loader(tmp_path / "models.jar", upper)
    function = lower.loadClass("leapstream.models.LinearMap").getConstructors()[0].newInstance(None)
    rows = Types.ROW_NAMED(list(model.schema.inputs.names), [Types.DOUBLE()] * 3).get_java_type_info()
    assert "prediction: Double" in function.returns(rows).toString()


def test_the_sql_client_runs_a_jar_on_a_cluster_without_python(cluster: Cluster, tmp_path: Path) -> None:
    opt = tmp_path / "opt"
    opt.mkdir()
    for jar in (HOME / "opt").iterdir():
        (opt / jar.name).symlink_to(jar)
    fetched("org.apache.flink:flink-sql-gateway:2.3.0", opt)
    compile_jar(
        [Target("Linear", leapstream.load(LINEAR)), Target("Forest", leapstream.load(FOREST), "model")],
        tmp_path / "models.jar",
    )
    values = ", ".join(f"({', '.join(f'CAST({v} AS DOUBLE)' for v in row)})" for row in ROWS)
    script = ddl_script(str(demo.bundle("loans")), None, jar=tmp_path / "loans.jar", compiles=True).sql
    (tmp_path / "query.sql").write_text(f"""
        SET 'execution.runtime-mode' = 'batch';
        SET 'sql-client.execution.result-mode' = 'tableau';
        CREATE FUNCTION Linear AS 'leapstream.models.Linear' LANGUAGE JAVA;
        CREATE MODEL forest INPUT (x DOUBLE, y DOUBLE, z DOUBLE) OUTPUT (prediction DOUBLE)
            WITH ('provider' = 'mleap', 'bundle' = 'Forest');
        CREATE TEMPORARY VIEW given AS SELECT * FROM (VALUES {values}) AS t(a, b, c);
        SELECT 'row', Linear(a, b, c) AS p, prediction FROM ML_PREDICT(TABLE given, MODEL forest, DESCRIPTOR(a, b, c));
        {script}
    """)
    host, _, port = cluster.target.partition(":")
    client = [str(HOME / "bin" / "sql-client.sh"), f"-Drest.address={host}", f"-Drest.port={port}"]
    done = subprocess.run(
        ["bash", *client, "-Dexecution.target=remote", "-j", "models.jar", "-f", "query.sql", "-hist", "history"],
        cwd=tmp_path,
        env={**cluster.environment, "FLINK_OPT_DIR": str(opt)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = [[cell.strip() for cell in line.split("|")] for line in done.stdout.splitlines()]
    found = [[float(cell) for cell in line[2:4]] for line in lines if line[1:2] == ["row"]]
    pairs = [list(pair) for pair in zip(expected(LINEAR), expected(FOREST), strict=True)]
    assert sorted(found) == [pytest.approx(pair, rel=1e-9) for pair in sorted(pairs)], (
        f"{done.stdout}{done.stderr}\n{cluster.log()}"
    )
    assert done.stdout.count("Received a total of 10 rows") == 3, done.stdout
    # Other tests may run Python functions in clusters of their own at the same time.
    of_cluster = [
        process
        for process in Path("/proc").iterdir()
        if process.name.isdigit() and cluster.environment["FLINK_CONF_DIR"] in _text(process / "environ")
    ]
    assert of_cluster
    assert not [process for process in of_cluster if "pyflink-udf-runner" in _text(process / "cmdline")]


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
