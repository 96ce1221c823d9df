"""Predictions for a stream by the versions of a model that a control stream names: ``score_stream``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment

from leapstream.errors import BackendError
from leapstream.executors.jvm.sources import FUNCTIONS, LIVE
from leapstream.flink.compat import broadcast_to, environment_of, new_object, split_stream, string_array
from leapstream.flink.jars import add_runtime_jar
from leapstream.flink.operatornames import operator_name
from leapstream.flink.signature import FunctionSignature, sql_type
from leapstream.flink.stored import StoredModel, live_signature, signature_text, stored_signature
from leapstream.flink.streams import PredictedStream
from leapstream.sources import SourceOptions


def score_stream(
    data_stream: DataStream,
    store: str,
    control: DataStream,
    *,
    version: str | None = None,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    split_key: str | None = None,
    failed: bool = False,
    options: SourceOptions | None = None,
    table_env: StreamTableEnvironment | None = None,
) -> PredictedStream:
    """The stream with predictions by the versions that commands name, which are in the job's checkpoints.

    A command is JSON: ``{"command": "alias", "version": "8"}``; ``{"command": "weights", "versions": {"7": 9, "8": 1}}``,
    both perhaps with ``"shadow": ["9"]``; ``{"command": "publish", "version": "8"}``, which only verifies a version; or
    ``{"command": "rollback"}``. A command that cannot be followed is logged, counted as ``refusedCommands``, and changes
    nothing.

    Args:
        data_stream: named rows, or rows whose fields are the model's inputs in order.
        store: ``STORE/NAME``: the model in a store.
        control: the commands, strings or rows of a string.
        version: the version before the first command; by default the one that the alias ``live`` stands for now.
        inputs: names of the columns that the model reads, in the order of unnamed fields; by default in order of first use.
        outputs: columns to add; by default the prediction and ``model_version``.
        split_key: the column by which rows are split among versions with weights.
        failed: give records that fail as a stream of their own, a side output, as in :func:`predict_stream`; by default one fails
            the job.
        options: settings for the store.
        table_env: an environment of the stream's environment.

    Returns:
        rows: the stream's columns, then the outputs; with ``failed``, also the records that fail, with their errors.

    Raises:
        BackendError: the version has no ``model.jar``.
        SchemaError: an input or output is not known.
        LeapstreamError: the store cannot be read.
    """
    found, model = StoredModel(store, version=version).found(options)
    if found.abi is None:
        raise BackendError(f"{found.reference} has no model.jar, which jobs of Flink load")
    stored = StoredModel(store, version=found.version, split_key=split_key)
    wanted = (*model.prediction_columns(), "model_version") if outputs is None else outputs
    signature = live_signature("score_stream", stored, model, inputs=inputs, outputs=wanted)
    if table_env is None:
        table_env = StreamTableEnvironment.create(environment_of(data_stream))
    add_runtime_jar(table_env)
    place = new_object(f"{LIVE}.StoredModel", [stored.uri, None, found.version, stored.milliseconds])
    whole = signature_text(stored_signature(model))
    function = new_object(
        f"{LIVE}.StoredFunction",
        [
            place,
            split_key,
            whole,
            _java_signature(signature),
            string_array(signature.outputs.names),
            string_array([sql_type(field.type) for field in signature.outputs]),
        ],
    )
    controlled = new_object(f"{LIVE}.ControlledFunction", [function, found.version, failed])
    # Commands change the version.
    name = operator_name(replace(stored, version="by commands"))
    scored = broadcast_to(data_stream, control, controlled, name)
    if not failed:
        return PredictedStream(scored)
    table = table_env.from_data_stream(scored)
    columns = len(table.get_schema().get_field_names()) - len(signature.outputs) - 1
    return PredictedStream(
        *split_stream(table_env.to_data_stream(table), table, columns, f"failed rows of {stored.name}")
    )


def _java_signature(signature: FunctionSignature) -> object:
    arguments = [
        signature.function,
        signature.model,
        string_array(signature.inputs.names),
        string_array(signature.input_types),
        signature.packed,
        signature.result_type,
        False,
    ]
    return new_object(f"{FUNCTIONS}.ModelSignature", arguments)
