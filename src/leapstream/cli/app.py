"""The commands and their options. What they do is imported when they run, so that ``leapstream --help`` is quick."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from rich.text import Text

import leapstream
from leapstream.bundle.limits import Limits
from leapstream.cli.console import FAILED, Commands, err, out, print_json, report, takes_storage_options
from leapstream.cli.storecommands import add_short_names, store_app
from leapstream.errors import ConfigError
from leapstream.executors.registry import DEFAULT, executor, executors

_EPILOG = """\
Exit codes: 0 done. 1 the operation failed; one line on standard error says why. 2 the command line is wrong.
3 the environment lacks a package or Java; 'leapstream doctor' says which. 130 interrupted.
"""

app = typer.Typer(
    name="leapstream",
    cls=Commands,
    help="MLeap pipelines, in Python, inside Apache Flink.",
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(store_app, name="store")
add_short_names(app)


def _backend_name(name: str) -> str:
    if name not in executors():
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(executors())}")
    return name


_BACKEND_METAVAR = f"[{'|'.join(executors())}]"
_Backend = Annotated[
    str, typer.Option(help="The executor that runs the model.", parser=_backend_name, metavar=_BACKEND_METAVAR)
]


class OnErrorName(str, Enum):
    """The ways in which ``transform`` treats a record that fails."""

    RAISE = "raise"
    NULL = "null"


class FormatName(str, Enum):
    """The formats of the nodes of a bundle."""

    JSON = "json"
    PROTOBUF = "protobuf"


class KindName(str, Enum):
    """The kinds of saved models that ``export`` reads."""

    SKLEARN = "sklearn"
    XGBOOST = "xgboost"
    LIGHTGBM = "lightgbm"
    TENSORFLOW = "tensorflow"
    SPARK = "spark"


class RecordFormat(str, Enum):
    """Formats of files of records."""

    JSON = "json"
    BINARY = "binary"
    AVRO = "avro"
    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    ARROW = "arrow"
    ARROW_STREAM = "arrow-stream"


_Bundle = Annotated[
    str,
    typer.Argument(help="Directory or zip, file: or jar:file: URI, or URI of gs, s3, hdfs, http(s).", metavar="BUNDLE"),
]
_LimitSettings = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--limit",
        help="A limit on what is read, such as max_ratio=1000 or max_total_size=8000000000; may be repeated.",
        metavar="NAME=NUMBER",
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Backends = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--backend",
        help="An executor that runs the model; may be repeated.",
        parser=_backend_name,
        metavar=_BACKEND_METAVAR,
    ),
]
_Relative = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--rtol", help="Relative tolerance; by default that of the ops.", min=0.0),
]
_Absolute = Annotated[Optional[float], typer.Option("--atol", help="Absolute tolerance.", min=0.0)]  # noqa: UP045
_Input = Annotated[
    str, typer.Argument(metavar="INPUT", help="Leap frame, CSV, JSON lines, Parquet or Arrow; the suffix tells which.")
]
_InputFormat = Annotated[
    Optional[RecordFormat], typer.Option(help="Format of INPUT, if its suffix does not tell.")  # noqa: UP045
]
_Outputs = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--outputs", help="The wanted columns, separated by commas; all by default.", metavar="A,B"),
]
_TrustPickle = Annotated[
    bool, typer.Option("--trust-pickle", help="Load a pickle, which can run any code: only one that you trust.")
]
_TrustTypes = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--trust-type", help="A type that a skops file may hold; may be repeated.", metavar="TYPE"),
]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"leapstream {leapstream.__version__}")
        raise typer.Exit


@app.callback()
def _common(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


_CostRecord = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--record", help="The record whose cost is measured, as JSON; made up by default.", metavar="JSON"),
]


def _record_of(text: str | None) -> dict[str, Any] | None:
    """The record of ``--record``."""
    try:
        record = None if text is None else json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"--record is not JSON: {error}") from None
    if record is not None and not isinstance(record, dict):
        raise typer.BadParameter("--record is not an object of JSON")
    return record


@app.command("inspect", help="Show what a bundle, or a jar that 'compile' wrote, holds: columns, ops, sizes, backends.")
@takes_storage_options
def _inspect(
    bundle: _Bundle,
    record: _CostRecord = None,
    everything: Annotated[bool, typer.Option("--all", help="Show the ops in each step of the pipeline.")] = False,
    as_json: _Json = False,
    limit: _LimitSettings = None,
) -> None:
    from leapstream.cli.inspection import Inspection, show_jar
    from leapstream.executors.jvm.jar import CompiledJar

    limits = _limits(limit)
    jar = CompiledJar.read(bundle, limits=limits)
    if jar is not None:
        if as_json:
            print_json(asdict(jar))
        else:
            show_jar(jar, out())
        return
    inspection = Inspection(bundle, limits, _record_of(record))
    if as_json:
        print_json(inspection.as_json())
    else:
        inspection.show(out(), unfold=everything)


@app.command("transform", help="Add a model's final outputs to a file of records, batch by batch.")
@takes_storage_options
def _transform(
    bundle: _Bundle,
    source: _Input,
    output: Annotated[
        str, typer.Option("--output", "-o", help="File or URI to write; '-' for standard output.", metavar="OUTPUT")
    ],
    input_format: _InputFormat = None,
    output_format: Annotated[
        Optional[RecordFormat], typer.Option(help="Format of OUTPUT, if its suffix does not tell.")  # noqa: UP045
    ] = None,
    backend: _Backend = DEFAULT,
    outputs: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--outputs", help="The wanted columns, separated by commas; the final outputs by default.", metavar="A,B"
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Write the columns between the nodes, too.")] = False,
    on_error: Annotated[
        OnErrorName, typer.Option(help="A record that fails ends the work, or gets nulls.")
    ] = OnErrorName.RAISE,
    batch_size: Annotated[int, typer.Option(help="Records in memory at once.", min=1)] = 65536,
    threads: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Threads that predict; as many as there are processors by default.", min=1),
    ] = None,
    as_json: _Json = False,
    limit: _LimitSettings = None,
) -> None:
    from leapstream.cli.transform import transform_file

    if everything and outputs is not None:
        raise typer.BadParameter("give --outputs or --all, not both")
    _require_backends([backend])
    read, written = transform_file(
        bundle,
        source,
        output,
        input_format=None if input_format is None else input_format.value,
        output_format=None if output_format is None else output_format.value,
        backend=backend,
        outputs=_names(outputs),
        everything=everything,
        on_error=on_error.value,
        batch_size=batch_size,
        threads=threads,
        limits=_limits(limit),
    )
    if as_json and output != "-":
        print_json({"output": output, "read": read, "written": written})
    elif err().is_terminal:
        err().print(f"{written} records written, {read} read")


@app.command("verify", help="Compare a model with recorded frames, and report the worst difference of each column.")
@takes_storage_options
def _verify(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR | BUNDLE INPUT EXPECTED",
            help="A folder of contracts (see 'record'), or a bundle with leap frames of inputs and of expected outputs.",
        ),
    ],
    backends: _Backends = None,
    relative: _Relative = None,
    absolute: _Absolute = None,
    required: Annotated[
        float,
        typer.Option("--agree", help="The share of the rows of a contract that has to agree.", min=0.0, max=1.0),
    ] = 1.0,
    intermediate: Annotated[
        bool,
        typer.Option(
            "--intermediate", help="Compare the columns that other nodes read, too, not only the final outputs."
        ),
    ] = False,
    as_json: _Json = False,
    limit: _LimitSettings = None,
) -> None:
    from leapstream.cli.verification import show, verify

    if len(paths) not in (1, 3):
        raise typer.BadParameter("give a folder, or a bundle, an input and an expected frame")
    chosen = backends or [DEFAULT]
    _require_backends(chosen)
    results = verify(paths, chosen, relative, absolute, _limits(limit), intermediate=intermediate, required=required)
    if not show(results, as_json=as_json):
        raise typer.Exit(1)


@app.command("record", help="Record what a model answers as a contract: a folder that 'verify' takes.")
@takes_storage_options
def _record(
    bundle: _Bundle,
    source: _Input,
    folder: Annotated[str, typer.Option("--output", "-o", help="Folder of the contract, or its URI.", metavar="DIR")],
    input_format: _InputFormat = None,
    backend: _Backend = DEFAULT,
    relative: _Relative = None,
    absolute: _Absolute = None,
    expected: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="File of the results to record, a record for each of INPUT.", metavar="FILE"),
    ] = None,
    library: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--from", help="Model file of the library whose results are recorded.", metavar="MODEL_FILE"),
    ] = None,
    trust_pickle: _TrustPickle = False,
    trust_types: _TrustTypes = None,
    as_json: _Json = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a contract that is there; by default the command asks.")
    ] = False,
    limit: _LimitSettings = None,
) -> None:
    from leapstream.cli.savedmodels import Options
    from leapstream.cli.verification import is_contract, record_file

    if not force and is_contract(folder):
        _ask(f"{folder} has a contract. Replace it?", "--force")
    if expected is not None and library is not None:
        raise typer.BadParameter("give --expected or --from, not both")
    _require_backends([backend])
    rows, failed = record_file(
        bundle,
        source,
        folder,
        input_format=None if input_format is None else input_format.value,
        backend=backend,
        relative=relative,
        absolute=absolute,
        limits=_limits(limit),
        expected=expected,
        library=library,
        options=Options(trust_pickle=trust_pickle, trusted_types=trust_types or ()),
    )
    text = f"{folder}: {rows} records, of which {failed} fail"
    report(text, {"contract": folder, "records": rows, "failed": failed}, as_json=as_json)


def _ask(question: str, option: str) -> None:
    """Go on if a user at a terminal says yes, or has given the option that says so."""
    if not sys.stdin.isatty():
        raise ConfigError(f"{question} {option} does so without a terminal")
    typer.confirm(question, abort=True, err=True)


def _limits(settings: list[str] | None) -> Limits:
    """The limits that ``--limit`` sets."""
    given: dict[str, float] = {}
    for setting in settings or ():
        name, _, number = setting.partition("=")
        try:
            given[name.replace("-", "_")] = float(number) if "." in number else int(number)
        except ValueError:
            raise typer.BadParameter(f"--limit {setting}: it has to be NAME=NUMBER") from None
    try:
        return Limits.of(given, "--limit")
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None


def _names(text: str | None) -> list[str] | None:
    """The names in a list that commas separate."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _require_backends(names: list[str]) -> None:
    """Say what is missing before any work is done."""
    from leapstream.cli.doctor import require

    for name in names:
        extra = executor(name).extra
        if extra is not None:
            require([extra], f"the {name} backend")


@app.command(
    "convert", help="Write a bundle in another format or container: a zip when OUT ends in .zip, else a directory."
)
@takes_storage_options
def _convert(
    bundle: _Bundle,
    target: Annotated[str, typer.Argument(metavar="OUT", help="Where to; a bundle that is there is replaced.")],
    format: Annotated[
        Optional[FormatName], typer.Option(help="Format of the nodes; as it is by default.")  # noqa: UP045
    ] = None,
    as_json: _Json = False,
    limit: _LimitSettings = None,
) -> None:
    from leapstream.bundle.definition import Format
    from leapstream.bundle.reader import read_bundle
    from leapstream.bundle.writer import write_bundle
    from leapstream.errors import BundleError, UnsupportedOpError
    from leapstream.fetching.resolver import resolve
    from leapstream.fetching.saving import local_copy

    definition = read_bundle(resolve(bundle), limits=_limits(limit))
    wanted: Format | None = None if format is None else format.value
    # Not through a model at first: ops that leapstream cannot run can be converted all the same.
    try:
        with local_copy(target) as path:
            write_bundle(definition, path, format=wanted)
    except BundleError as error:
        from leapstream.model import Model, save

        try:
            save(Model(definition), target, format=wanted)
        except UnsupportedOpError:
            raise error from None
    report(f"wrote {target}", {"bundle": target, "format": wanted or definition.format}, as_json=as_json)


@app.command(
    "export", help="Write a model that a library saved as a bundle: a zip when OUT ends in .zip, else a directory."
)
@takes_storage_options
def _export(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="Saved by joblib, pickle, skops, XGBoost, LightGBM, Keras, TensorFlow or Spark."
        ),
    ],
    target: Annotated[
        str,
        typer.Option("--output", "-o", help="Path or URI to write; a bundle that is there is replaced.", metavar="OUT"),
    ],
    kind: Annotated[
        Optional[KindName],  # noqa: UP045
        typer.Option("--from", help="What saved it, if the file does not tell."),
    ] = None,
    sample: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="File of records, for the names and kinds of the columns.", metavar="FILE"),
    ] = None,
    sample_format: Annotated[
        Optional[RecordFormat], typer.Option(help="Format of the sample, if its suffix does not tell.")  # noqa: UP045
    ] = None,
    schema: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="The columns instead of a sample: 'age:double,city:string'; vectors as tensor<double>[3].",
            metavar="NAME:TYPE,...",
        ),
    ] = None,
    portable: Annotated[
        bool, typer.Option("--portable", help="Fail if a version of MLeap cannot run the bundle in its own runtime.")
    ] = False,
    outputs: _Outputs = None,
    check: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option(
            "--check/--no-check",
            help="Compare the bundle with the library over the sample's records; by default yes, but not for Spark.",
        ),
    ] = None,
    backends: _Backends = None,
    name: Annotated[Optional[str], typer.Option(help="The model's name.")] = None,  # noqa: UP045
    format: Annotated[Optional[FormatName], typer.Option(help="Format of the nodes; JSON by default.")] = None,  # noqa: UP045
    trust_pickle: _TrustPickle = False,
    trust_types: _TrustTypes = None,
    as_json: _Json = False,
) -> None:
    from leapstream.cli.export import Options, export
    from leapstream.cli.samples import sample_of, schema_of

    if sample is not None and schema is not None:
        raise typer.BadParameter("give a sample or a schema, not both")
    sampled = None if sample is None else sample_of(sample, None if sample_format is None else sample_format.value)
    columns = sampled if schema is None else schema_of(schema)
    _require_backends(backends or [])
    options = Options(
        sample=columns,
        name=name,
        trust_pickle=trust_pickle,
        trusted_types=trust_types or (),
        asked=check if check is False else backends or check,
        portable=portable,
        outputs=_names(outputs),
    )
    exported = export(
        source,
        target,
        None if kind is None else kind.value,
        options,
        None if format is None else format.value,
    )
    if as_json:
        print_json(exported.as_json())
    else:
        out().print(f"{target}: {exported.model.schema}, from {exported.kind.title}", soft_wrap=True)


@app.command("to-spark", help="Write a bundle as a directory from which Spark's PipelineModel.load makes a pipeline.")
@takes_storage_options
def _to_spark(
    bundle: _Bundle,
    directory: Annotated[
        Path, typer.Argument(metavar="DIRECTORY", help="Where to; one that Spark has written is replaced.")
    ],
    as_json: _Json = False,
    limit: _LimitSettings = None,
) -> None:
    from leapstream.cli.spark import write_directory

    nodes = write_directory(bundle, directory, _limits(limit))
    report(
        f"{directory}: a pipeline of {nodes} stages", {"directory": str(directory), "stages": nodes}, as_json=as_json
    )


@app.command(
    "compile",
    help="Compile bundles into a jar of functions and models for Flink 1.20 or later, with no Python on the cluster.",
)
@takes_storage_options
def _compile(
    output: Annotated[str, typer.Option("--output", "-o", help="The jar, a path or URI.", metavar="JAR")],
    bundles: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="BUNDLE...", help="Each makes a function and a model, named as its file."),
    ] = None,
    udf: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="A function, the class leapstream.models.NAME; may be repeated.", metavar="NAME=BUNDLE"),
    ] = None,
    model: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            help="A model for CREATE MODEL ... WITH ('provider' = 'mleap', 'bundle' = 'NAME'); may be repeated.",
            metavar="NAME=BUNDLE",
        ),
    ] = None,
    config: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--config", "-c", help="application.conf whose functions the jar is to hold."),
    ] = None,
    runtime: Annotated[
        bool,
        typer.Option("--runtime", help="Write a jar without models, for CREATE MODEL ... WITH ('store' = ...)."),
    ] = False,
    as_json: _Json = False,
    limit: _LimitSettings = None,
) -> None:
    from leapstream.cli.doctor import require

    require(["flink"], "compile")
    from leapstream.cli.compilation import compile_bundles
    from leapstream.cli.inspection import show_jar

    if runtime:
        from leapstream.flink.compiler import write_runtime_jar

        if bundles or udf or model or config:
            raise ConfigError("a jar of --runtime has no models; leave --runtime out, and each jar has the classes")
        write_runtime_jar(output)
        return

    configured = None if config is None else str(config)
    jar = compile_bundles(output, bundles or [], udf or [], model or [], configured, _limits(limit))
    if as_json:
        print_json(asdict(jar))
    else:
        show_jar(jar, out())


@app.command(
    "ddl", help="Print a script of SQL for a bundle: a table of random rows, the function and the model, and queries."
)
@takes_storage_options
def _ddl(
    bundle: _Bundle,
    name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Name of the function; that of the bundle's file by default."),
    ] = None,
    jar: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="The jar that the script adds; NAME.jar by default.", metavar="FILE"),
    ] = None,
    compiles: Annotated[bool, typer.Option("--compile", help="Make the jar, too.")] = False,
    profile: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Profile or training rows whose values the random rows have.", metavar="FILE|STORE/NAME@VERSION"
        ),
    ] = None,
    as_json: _Json = False,
    limit: _LimitSettings = None,
) -> None:
    from leapstream.cli.doctor import require

    require(["flink"], "ddl")
    from leapstream.cli.compilation import ddl_script

    script = ddl_script(bundle, name, _limits(limit), jar=jar, profile=profile, compiles=compiles)
    if as_json:
        print_json(asdict(script))
    else:
        typer.echo(script.sql)


@app.command("sql", help="Run SQL statements in an embedded Flink, or on a cluster, and print what queries give.")
@takes_storage_options
def _sql(
    script: Annotated[Path, typer.Argument(metavar="FILE.sql", help="Statements, each ended by a semicolon.")],
    config: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--config", "-c", help="application.conf whose functions the statements may call."),
    ] = None,
    target: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="REST endpoint of a cluster's JobManager; embedded by default.", metavar="HOST:PORT"),
    ] = None,
    batch: Annotated[bool, typer.Option("--batch", help="Run in batch mode.")] = False,
    settings: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--set", help="A setting of Flink; may be repeated.", metavar="KEY=VALUE"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print rows as JSON lines.")] = False,
) -> None:
    from leapstream.cli.sql import run_script

    run_script(
        script,
        None if config is None else str(config),
        target=target,
        batch=batch,
        as_json=as_json,
        options=settings or [],
    )


@app.command("profile", help="Make the profile of a model: the values of its columns in training rows, in bins.")
def _profile(
    bundle: _Bundle,
    rows: Annotated[Path, typer.Argument(metavar="ROWS", help="A leap frame, CSV, JSON lines, Parquet or Arrow file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.", metavar="FILE")] = Path(
        "profile.json"
    ),
    most_rows: Annotated[
        int, typer.Option(help="The most rows that are counted; of more, a random sample of as many.", min=1)
    ] = 100_000,
    bins: Annotated[int, typer.Option(help="The bins of a column of numbers, by quantiles.", min=2, max=100)] = 10,
    categories: Annotated[
        int,
        typer.Option(help="The most frequent values of a column of texts, each of which has a bin.", min=1, max=500),
    ] = 50,
    as_json: _Json = False,
    limit: _LimitSettings = None,
) -> None:
    from leapstream.cli.store import write_profile

    made = write_profile(
        bundle, rows, output, most_rows=most_rows, bins=bins, categories=categories, limits=_limits(limit)
    )
    counted = f"{made.rows} rows" if made.rows == made.total else f"a sample of {made.rows} of {made.total} rows"
    value = {"profile": str(output), "columns": len(made.columns), "rows": made.rows, "total": made.total}
    report(f"{output}: {len(made.columns)} columns of {counted}", value, as_json=as_json)


@app.command("publish", help="Publish a bundle as a new version of a model in a store.")
@takes_storage_options
def _publish(
    bundle: _Bundle,
    target: Annotated[str, typer.Argument(metavar="STORE/NAME", help="The folder or URI of a store, and the model.")],
    version: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="The version; by default the next number."),
    ] = None,
    aliases: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--alias", help="An alias to set to the new version; may be repeated.", metavar="ALIAS"),
    ] = None,
    contract: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder of a contract (see 'record') that the bundle has to fulfil.", metavar="DIR"),
    ] = None,
    profile: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            help="File of training rows, or of a profile (see 'profile'), which later rows are compared with.",
            metavar="FILE",
        ),
    ] = None,
    note: Annotated[str, typer.Option(help="A text for people.", metavar="TEXT")] = "",
    library: Annotated[
        str, typer.Option(help="The library that trained the model, such as 'Spark 4.0.1', for people.", metavar="TEXT")
    ] = "",
    jar: Annotated[
        bool, typer.Option("--jar/--no-jar", help="Compile the model too, so that running jobs of Flink can load it.")
    ] = True,
    as_json: _Json = False,
) -> None:
    from leapstream.cli.store import publish

    published = publish(bundle, target, version, aliases or (), contract, note, library, profile=profile, jar=jar)
    if as_json:
        print_json(published.as_json())
    else:
        out().print(published.reference, soft_wrap=True)


class LogFormatName(str, Enum):
    """The forms of the lines of the server's log."""

    TEXT = "text"
    JSON = "json"


@app.command("serve", help="Answer requests over HTTP with the predictions of models, until a signal ends it.")
@takes_storage_options
def _serve(
    bundles: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="[NAME=]BUNDLE…",
            help="A model, by default named as its bundle's file; with --store, also MODEL, MODEL@ALIAS or MODEL@VERSION.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 for all.", envvar="MLEAP_HTTP_HOSTNAME")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            help="The port; 0 for any that is free.",
            min=0,
            max=65535,
            envvar=["SAGEMAKER_BIND_TO_PORT", "MLEAP_HTTP_PORT"],
        ),
    ] = 8080,
    mleap_config: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            help="MLeap's mleap.model.config: a file with a LoadModelRequest, or a folder of such files.",
            metavar="PATH",
            envvar="MLEAP_MODEL_CONFIG",
        ),
    ] = None,
    grpc_port: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            help="The port for gRPC; 0 for any that is free, none by default.",
            min=0,
            max=65535,
            envvar="MLEAP_GRPC_PORT",
        ),
    ] = None,
    store: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Serve models of a store (see 'publish'): those that are named, else all.", metavar="STORE"),
    ] = None,
    alias: Annotated[
        str, typer.Option(help="The alias that models of the store follow where none is named.", metavar="ALIAS")
    ] = "latest",
    config: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Serve the models of a folder of configurations, NAME.conf or NAME.json.", metavar="DIR"),
    ] = None,
    keep: Annotated[int, typer.Option(help="Earlier versions of a model that requests can name.", min=0)] = 1,
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1)] = 1,
    reload: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Look so often for new versions, such as 5s; by default every 30s with --store or --config, else never.",
            metavar="TIME",
        ),
    ] = None,
    drain: Annotated[int, typer.Option(help="Seconds that requests in flight have to end after SIGTERM.", min=0)] = 30,
    log_format: Annotated[LogFormatName, typer.Option(help="The form of the log's lines.")] = LogFormatName.TEXT,
    certificate: Annotated[Optional[str], typer.Option(help="PEM file of the certificate, for TLS.")] = None,  # noqa: UP045
    key: Annotated[Optional[str], typer.Option(help="PEM file of the certificate's key.")] = None,  # noqa: UP045
    allow_load: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            help="Let requests load models whose URIs have this prefix, and unload them; may be repeated.",
            metavar="PREFIX",
        ),
    ] = None,
    max_body: Annotated[int, typer.Option(help="Bytes of a request's body.", min=1)] = 64 << 20,
    max_rows: Annotated[int, typer.Option(help="Rows of a request.", min=1)] = 100_000,
    max_concurrent: Annotated[int, typer.Option(help="Requests at once, in each process.", min=1)] = 512,
    timeout: Annotated[str, typer.Option(help="Time that a request may take.", metavar="TIME")] = "60s",
    drift_window: Annotated[
        str, typer.Option(help="The window in which rows are compared with a model's profile.", metavar="TIME")
    ] = "1h",
    drift_rows: Annotated[
        int, typer.Option(help="Rows of a version that are counted in a second, in each process; 0 counts none.", min=0)
    ] = 200,
) -> None:
    from leapstream.cli.doctor import require

    require(["serve"] if grpc_port is None else ["serve", "grpc"], "serve")
    from leapstream.serving.loading import SAGEMAKER_BUNDLE, ModelSpec
    from leapstream.serving.mleap.startup import startup_models
    from leapstream.serving.server import ServeOptions, serve
    from leapstream.serving.settings import DriftSettings, RequestLimits, seconds
    from leapstream.serving.sources import StoredName

    named = [(bundle, None if store is None else StoredName.parsed(bundle)) for bundle in bundles or ()]
    models = [ModelSpec.parsed(bundle) for bundle, found in named if found is None]
    if mleap_config is not None:
        models += startup_models(mleap_config)
    changing = store is not None or config is not None
    if not models and not changing and SAGEMAKER_BUNDLE.joinpath("bundle.json").is_file():
        models = [ModelSpec.parsed(str(SAGEMAKER_BUNDLE))]
    if not models and not allow_load and not changing:
        raise typer.BadParameter("there is nothing to serve: name a bundle", param_hint="[NAME=]BUNDLE…")
    serve(
        ServeOptions(
            models=models,
            host=host,
            port=port,
            grpc_port=grpc_port,
            workers=workers,
            reload=seconds(reload or ("30s" if changing else "0"), "--reload"),
            drain=drain,
            log_format=log_format.value,
            certificate=certificate,
            key=key,
            limits=RequestLimits(max_body, max_rows, max_concurrent, seconds(timeout, "--timeout")),
            allow_load=tuple(allow_load or ()),
            store=store,
            stored=[found for _, found in named if found is not None],
            alias=alias,
            config=None if config is None else str(config),
            keep=keep,
            drift=DriftSettings(seconds(drift_window, "--drift-window"), drift_rows),
        )
    )


@app.command("demo", help="Run a Flink job here: bundles that come with leapstream score rows in SQL and in a stream.")
def _demo(
    copy: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Write the demo's files there instead: configuration, SQL, rows and bundles.", metavar="DIR"),
    ] = None,
) -> None:
    from leapstream.cli.doctor import require
    from leapstream.demo import FOLDER

    if copy is not None:
        if copy.exists():
            raise typer.BadParameter(f"{copy} exists", param_hint="--copy")
        shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        out().print(f"wrote {copy}", soft_wrap=True)
        return
    require(["flink"], "demo")
    err().print("starting Flink …")
    from leapstream.demo.job import run

    if not run():
        raise typer.Exit(FAILED)


@app.command(
    "doctor", help="Say what this machine, or a Flink cluster, has for leapstream, what it lacks, and what adds it."
)
def _doctor(
    need: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="An extra that has to be there; may be repeated. By default the core is enough."),
    ] = None,
    cluster: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Look at a cluster instead: http://HOST:PORT of its JobManager's REST endpoint.", metavar="URL"
        ),
    ] = None,
    bundle: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Say what one record of this model costs here, and which nodes are slow.", metavar="BUNDLE"),
    ] = None,
    record: _CostRecord = None,
    as_json: _Json = False,
) -> None:
    from leapstream.cli.clusterdoctor import examine_cluster
    from leapstream.cli.doctor import examine, known_extras
    from leapstream.cli.recordcost import measure

    if record is not None and bundle is None:
        raise typer.BadParameter("--record needs --bundle")
    needed = need or []
    unknown = [extra for extra in needed if extra not in (*known_extras(), "core")]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is not an extra; there are: core, {', '.join(known_extras())}")
    findings = examine(needed) if cluster is None else examine_cluster(cluster)
    ok = all(finding.ok for finding in findings if finding.needed)
    cost = None if bundle is None else measure(leapstream.load(bundle), _record_of(record))
    if as_json:
        found = {"ok": ok, "findings": [asdict(finding) for finding in findings]}
        print_json(found if cost is None else {**found, "record": cost.as_json()})
    else:
        console = out()
        width = max(len(finding.name) for finding in findings)
        for finding in findings:
            colour = "green" if finding.ok else "red" if finding.needed else "yellow"
            mark = "ok" if finding.ok else "MISSING" if finding.needed else "absent"
            line = Text(mark.ljust(8), colour).append(f"{finding.name:{width}}  {finding.detail}", "default")
            if finding.fix is not None:
                line.append("  → ", "default").append(finding.fix, "bold")
            console.print(line, soft_wrap=True)
        if cost is not None:
            console.print(cost.diagram())
    if not ok:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line."""
    app()
