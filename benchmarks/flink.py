"""Flink jobs without a function, with one on the JVM backend, on the Python backend, and with MLeap's own runtime.

A job is a bounded datagen source, the function, a blackhole sink, parallelism 1. The time is the wall time of the job alone, from
``INSERT`` to its end. Each variant runs in a process of its own, and the variants take turns, so that other load of the machine
affects all of them. A process first runs small jobs, which warm the JVM up, then a job of few rows and a job of many rows. The
slope between the last two is the time per row without the time that a job takes to start and stop.

Run it with ``python benchmarks/flink.py [--rounds N] [--only linear3/jvm …] [--rows FEW MANY] [--set KEY=VALUE …]``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jvm_peer import FORMS, PACKAGE, flink_jars
from measure import Result, in_process
from workloads import Work, add_works, options, works
from workloads import add_options as add_common_options

from leapstream.bundle.types import BasicType, ScalarType

NOTHING = "no function"
BACKENDS = ("jvm", "python")
PEERS = ("frame1", "row", "bare")
PYTHON_SETTINGS = "python.fn-execution."
_NUMBERS = ("a", "b", "c")
_FEW = 0.4
"""The time of the job of few rows, as a fraction of the time of the job of many rows."""

_TRIES = 3


# ---- in the process of one variant ------------------------------------------------------------------------------------


def columns(work: Work) -> list[tuple[str, str, str]]:
    """Of each column: its name, how datagen makes it, and the SQL that turns that into the column."""
    frame = work.frame(1000)
    if work.source == "three numbers":
        return [(name, "DOUBLE|0.0|1.0", name) for name in _NUMBERS]
    made = []
    for field in frame.schema:
        values = [value for value in frame.column(field.name) if value is not None]
        assert isinstance(field.type, ScalarType)
        if field.type.base is BasicType.STRING:
            labels = sorted(set(values))
            texts = ", ".join("'" + label.replace("'", "''") + "'" for label in labels)
            made.append((field.name, f"INT|1|{len(labels)}", f"ELT({field.name}, {texts})"))
        else:
            made.append((field.name, f"DOUBLE|{min(values)}|{max(values)}", field.name))
    return made


def peer_source(work: Work, form: str, inputs: list[tuple[str, str, str]]) -> str:
    """The Java of a scalar function that calls MLeap in one of its forms."""
    kinds = ["String" if call.startswith("ELT") else "Double" for _, _, call in inputs]
    arguments = [f"x{i}" for i in range(len(inputs))]
    names = [field.name for field in work.frame(1).schema]
    if form == "bare":
        answer = f"form.bare(Form.vector({', '.join(arguments)}))"
    else:
        # A bundle that takes a vector gets one made of the arguments.
        values = arguments if len(names) == len(arguments) else [f"Form.tensor({', '.join(arguments)})"]
        answer = f"form.by{'Row' if form == 'row' else 'Frame'}(Form.row(new Object[] {{{', '.join(values)}}}))"
    declared = ", ".join(f"{kind} {argument}" for kind, argument in zip(kinds, arguments, strict=True))
    quoted = ", ".join(json.dumps(name) for name in names)
    return f"""package {PACKAGE};

public class Predict extends Function {{
    public Predict() {{
        super({json.dumps(str(work.bundle))}, new String[] {{{quoted}}}, {json.dumps(work.prediction)});
    }}

    public double eval({declared}) {{
        return {answer};
    }}
}}
"""


def make_job(variant: str, settings: dict[str, str], parallelism: int = 1) -> tuple[Callable[[int], float], Any]:
    """The job of a variant, which gives the seconds that it takes for so many rows; and its table environment."""
    from pyflink.datastream import StreamExecutionEnvironment
    from pyflink.table import StreamTableEnvironment

    from leapstream.flink import MLeapUDFRegistry

    work_name, form = variant.split("/")
    work = works()[work_name]
    env = StreamExecutionEnvironment.get_execution_environment()
    env.set_parallelism(parallelism)
    table_env = StreamTableEnvironment.create(env)
    for key, value in settings.items():
        table_env.get_config().set(key, value)
    inputs = columns(work)
    # The job without a function reads the same columns, and gives the sink one number too.
    call = " + ".join(f"CHAR_LENGTH({name})" if made.startswith("ELT") else name for name, _, made in inputs)
    if form != NOTHING:
        call = f"Predict({', '.join(name for name, _, _ in inputs)})"
    if form in BACKENDS:
        names = [field.name for field in work.frame(1).schema]
        MLeapUDFRegistry.register(
            "Predict",
            str(work.bundle),
            table_env,
            inputs=names,
            backend="jvm" if form == "jvm" else "vectorized",
        )
    elif form in PEERS:
        from leapstream.flink.jars import add_jar

        for jar in flink_jars({f"{PACKAGE}.Predict": peer_source(work, form, inputs)}):
            add_jar(table_env, jar)
        table_env.create_java_temporary_system_function("Predict", f"{PACKAGE}.Predict")
    table_env.execute_sql("CREATE TEMPORARY TABLE Nowhere (p DOUBLE) WITH ('connector' = 'blackhole')")

    def job(rows: int) -> float:
        _source(table_env, inputs, rows)
        start = time.perf_counter()
        table_env.execute_sql(f"INSERT INTO Nowhere SELECT {call} FROM Features").wait()
        return time.perf_counter() - start

    job(1000)
    return job, table_env


def run(
    variant: str, seconds: float, hint: int, fixed: list[int] | None, settings: dict[str, str]
) -> tuple[list[tuple[int, float]], dict[str, str]]:
    """Rows and seconds of the job of few and the one of many rows; and the settings of the Python backend that they had."""
    job, table_env = make_job(variant, settings)
    used = table_env.get_config().get_configuration().to_dict()
    kept = {key: value for key, value in used.items() if key.startswith(PYTHON_SETTINGS)}
    if fixed:
        return [(rows, job(rows)) for rows in fixed], kept
    # Each row count is tried until a job takes as long as that of few rows is to take.
    started = job(1000)
    few = hint or 50_000
    taken = job(few) - started
    while taken < _FEW * seconds and not hint:
        few = int(few * min(8.0, max(1.5, 1.2 * _FEW * seconds / max(taken, 1e-3))))
        taken = job(few) - started
    many = few + int(few * seconds / max(taken, 1e-3))
    return [(rows, job(rows)) for rows in (few, many)], kept


def _source(table_env: Any, inputs: list[tuple[str, str, str]], rows: int) -> None:
    """Make the view ``Features`` over so many rows of datagen."""
    given = [(name, *made.split("|")) for name, made, _ in inputs]
    fields = ", ".join(f"{name} {kind}" for name, kind, _, _ in given)
    ranges = ", ".join(f"'fields.{name}.min' = '{low}', 'fields.{name}.max' = '{high}'" for name, _, low, high in given)
    table_env.execute_sql("DROP TEMPORARY VIEW IF EXISTS Features")
    table_env.execute_sql("DROP TEMPORARY TABLE IF EXISTS Source")
    table_env.execute_sql(f"""
        CREATE TEMPORARY TABLE Source ({fields}) WITH (
            'connector' = 'datagen', 'number-of-rows' = '{rows}', 'rows-per-second' = '1000000000', {ranges})
    """)
    calls = ", ".join(f"{call} AS {name}" for name, _, call in inputs)
    table_env.execute_sql(f"CREATE TEMPORARY VIEW Features AS SELECT {calls} FROM Source")


# ---- the turns --------------------------------------------------------------------------------------------------------


def variants() -> list[str]:
    """Everything that can be measured, as ``work/form``."""
    return [
        f"{name}/{form}"
        for name, work in works().items()
        for form in (*BACKENDS, *(form for form in PEERS if work.bare or form != "bare"))
    ]


def title(form: str) -> str:
    """The name of a form in tables."""
    return f"MLeap, {FORMS[form]}" if form in FORMS else NOTHING if form == NOTHING else f"leapstream, {form}"


def slope(job: list[Any]) -> tuple[float, int, dict[str, str]]:
    """Microseconds a row, the number of few rows, and the settings of the Python backend.

    Where the job of many rows took less time than that of few, something else ran meanwhile: both are measured again.
    """
    for _ in range(_TRIES):
        ((few, quick), (many, long)), used = in_process(str(Path(__file__).resolve()), job)
        print(f"{few:,} rows in {quick:.2f} s, {many:,} in {long:.2f} s", file=sys.stderr)
        if long > quick:
            return (long - quick) * 1e6 / (many - few), few, used
    sys.exit(f"{job[0]}: {few:,} rows took longer than {many:,}, {_TRIES} times: the machine is too busy to measure on")


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common_options(parser, rounds=3)
    add_works(parser)
    parser.set_defaults(seconds=2.5)
    parser.add_argument("--only", nargs="+", choices=variants(), metavar="WORK/FORM", help=", ".join(variants()))
    parser.add_argument(
        "--rows", type=int, nargs=2, metavar=("FEW", "MANY"), help="instead of as many as fill --seconds"
    )
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of Flink")
    given = options(parser, run)
    settings = dict(item.split("=", 1) for item in given.set)
    chosen = given.only or [variant for variant in variants() if variant.split("/")[0] in given.works]
    result = Result("flink", "µs a row")
    hints: dict[str, int] = {}
    for _ in range(given.rounds):
        for source in dict.fromkeys(works()[variant.split("/")[0]].source for variant in chosen):
            of_source = [variant for variant in chosen if works()[variant.split("/")[0]].source == source]
            for variant in [f"{of_source[0].split('/')[0]}/{NOTHING}", *of_source]:
                name, form = variant.split("/")
                job = [variant, given.seconds, hints.get(variant, 0), given.rows, settings]
                work = source if form == NOTHING else name
                micros, hints[variant], used = slope(job)
                result.about |= used
                result.add(work, title(form), [micros])
    result.finish()
    print("; ".join(f"{key}={value}" for key, value in result.about.items()))


if __name__ == "__main__":
    main()
