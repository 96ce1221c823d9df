"""``register_java``: a model as a Java function of Spark SQL, compiled by the Janino that Spark brings."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as t

from leapstream.bundle.types import BasicType, Field, ScalarType, Schema, TensorType, with_nullable
from leapstream.errors import BackendError, ConfigError, SchemaError
from leapstream.executors.jvm.emitter import LETTERS, JavaModel, emit
from leapstream.executors.jvm.emitter.code import text_literal
from leapstream.executors.jvm.gateway import Janino, jar_loader
from leapstream.executors.jvm.jar import version_attributes, write_jar
from leapstream.executors.jvm.runtime_jar import process_directory
from leapstream.executors.jvm.sources import KERNELS, java_sources
from leapstream.installation import VERSION
from leapstream.model import Model, load
from leapstream.sources import SourceOptions
from leapstream.spark.task import ERROR, OnErrorInSpark
from leapstream.spark.types import VectorsAs, is_vector_of_doubles, spark_type

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MOST_ARGUMENTS = 22
"""The most arguments of a Java function of Spark; a model with more inputs takes one struct."""

_PACKAGE = "leapstream.spark"
_NUMBERS = itertools.count()


def register_java(
    spark: SparkSession,
    name: str,
    model: Model | str | os.PathLike[str],
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    on_error: OnErrorInSpark = "raise",
    vectors: VectorsAs = "vectors",
    sha256: str | None = None,
    options: SourceOptions | None = None,
) -> None:
    """Register a model as a Java function of Spark SQL, whose rows never leave the JVM.

    It is the class that Flink's jobs run, compiled here by Spark's Janino and sent to the executors as a jar; they need no
    Python for it. The arguments are the model's inputs in order; a model of more than 22 takes a struct of them. Inputs and
    outputs are scalars and vectors of doubles. A row that the model drops gives NULL.

    Args:
        spark: a session with a JVM of its own, so not one of Spark Connect.
        name: the function's name.
        model: a model, or the path or URI of its bundle.
        inputs: the order of the arguments; by default that of first use.
        outputs: one column, whose value the function gives, or several, of which it gives a struct; by default the prediction.
        on_error: ``raise`` fails the job at a row that fails; ``null`` gives NULL for it; ``row`` gives a struct whose last field
            ``error`` has the reason.
        vectors: vectors of doubles that it gives are ``vectors`` of Spark ML or ``arrays``.
        sha256: the checksum of the bundle's file; it is verified when the model is loaded.
        options: settings for bundles that are fetched.

    Raises:
        BackendError: the session has no JVM, or the JVM cannot run the model.
        SchemaError: an input or output is not known, or is of a type that such a function does not take.
        SourceError: the bundle cannot be fetched.
        BundleError: it cannot be read.
    """
    if on_error not in ("raise", "null", "row") or vectors not in ("vectors", "arrays"):
        raise ConfigError(f"register_java: on_error {on_error!r} or vectors {vectors!r} is not known")
    if not hasattr(spark, "_jvm"):
        raise BackendError("a session of Spark Connect has no JVM to compile in; use predict")
    loaded = model if isinstance(model, Model) else load(model, sha256=sha256, options=options)
    wanted = tuple(loaded.prediction_columns() if outputs is None else outputs)
    plan = loaded.plan(_arguments(loaded, wanted, inputs), wanted)
    for field in (*plan.inputs, *plan.output_schema):
        if not _is_taken(field):
            raise SchemaError(
                f"{name}: column {field.name!r} is {field.type}, which a Java function of Spark does not take"
            )
    java = emit(plan, f"{_PACKAGE}.Model")
    digest = hashlib.sha256(java.source.encode() + java.data).hexdigest()[:16]
    java = java.renamed(f"Model_{digest}_{next(_NUMBERS)}")
    class_name = java.class_name.replace("Model_", "Function_")
    sources = {
        **java_sources(KERNELS),
        java.class_name: java.source,
        class_name: _source(plan.inputs, plan.output_schema, java, class_name, on_error, vectors),
    }
    jvm: Any = spark._jvm
    gate = spark.sparkContext._gateway
    parent = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    classes = Janino(gate, parent).compile(sources)
    jar = process_directory() / f"leapstream-{digest}-{class_name.rpartition('_')[2]}.jar"
    write_jar(jar, classes, {_resource(java): java.data}, version_attributes(VERSION))
    spark.sql(f"ADD JAR '{jar}'")
    # Spark's registerJavaFunction asks for the generic types of a class, which Janino does not write.
    (constructor,) = jar_loader(gate, [jar], parent).loadClass(class_name).getConstructors()
    function = constructor.newInstance(gate.new_array(jvm.java.lang.Object, 0))
    session: Any = spark._jsparkSession
    result = session.parseDataType(_result(plan.output_schema, on_error, vectors).json())
    session.udf().register(name, function, result)


def _arguments(model: Model, outputs: Sequence[str], inputs: Sequence[str] | None) -> Schema:
    """The inputs in the order of the arguments, each of which may be missing."""
    declared, needed = model.schema.inputs, model.needed_inputs(outputs)
    names = [name for name in declared.names if name in needed] if inputs is None else list(inputs)
    wrong = [name for name in names if name not in declared] + [name for name in needed if name not in names]
    if wrong:
        raise SchemaError(
            f"model {model.name!r}: {wrong[0]!r} is no input, or is needed and not named; the inputs are {declared}"
        )
    return Schema(tuple(Field(name, with_nullable(declared[name].type, True)) for name in names))


def _is_taken(field: Field) -> bool:
    kind = field.type
    if isinstance(kind, TensorType):
        return is_vector_of_doubles(kind)
    return isinstance(kind, ScalarType)


def _result(outputs: Schema, on_error: OnErrorInSpark, vectors: VectorsAs) -> t.DataType:
    fields = [t.StructField(x.name, spark_type(x.type, vectors)) for x in outputs]
    if len(fields) == 1 and on_error != "row":
        return fields[0].dataType
    return t.StructType([*fields, *([t.StructField(ERROR, t.StringType())] if on_error == "row" else [])])


def _resource(java: JavaModel) -> str:
    return java.class_name.replace(".", "/") + ".bin"


def _source(
    inputs: Schema, outputs: Schema, java: JavaModel, class_name: str, on_error: OnErrorInSpark, vectors: VectorsAs
) -> str:
    package, _, simple_name = class_name.rpartition(".")
    count = len(inputs)
    packed = count > MOST_ARGUMENTS
    arguments = ["row"] if packed else [f"a{i}" for i in range(count)]
    opened = [f"org.apache.spark.sql.Row given = (org.apache.spark.sql.Row) {arguments[0]};"] if packed else []
    setters = "\n            ".join(
        opened
        + [
            f"m.setInput({i}, {_argument(field, f'given.get({i})' if packed else arguments[i])});"
            for i, field in enumerate(inputs)
        ]
    )
    values = [_value(field, i, vectors) for i, field in enumerate(outputs)]
    struct = len(values) > 1 or on_error == "row"
    found = _row([*values, *(["null"] if on_error == "row" else [])]) if struct else values[0]
    failed = {
        # The driver cannot read exceptions of a class that is in the jar alone.
        "raise": "throw new RuntimeException(failure.getMessage());",
        "null": "return null;",
        "row": f"return {_row([*['null'] * len(values), 'failure.getMessage()'])};",
    }[on_error]
    return f"""package {package};

import {KERNELS}.*;

public final class {simple_name} implements org.apache.spark.sql.api.java.UDF{len(arguments)} {{

    private static final long serialVersionUID = 1L;

    // A model belongs to one thread at a time.
    private static final ThreadLocal MODELS = new ThreadLocal();

    public Object call({", ".join(f"Object {argument}" for argument in arguments)}) throws Exception {{
        {java.class_name} m = ({java.class_name}) MODELS.get();
        if (m == null) {{
            m = opened();
            MODELS.set(m);
        }}
        try {{
            {setters}
            if (!m.run()) {{
                return null;
            }}
        }} catch (PredictionException failure) {{
            {failed}
        }}
        return {found};
    }}

    private static {java.class_name} opened() throws java.io.IOException {{
        {java.class_name} m = new {java.class_name}();
        java.io.InputStream data = {simple_name}.class.getResourceAsStream({text_literal("/" + _resource(java))});
        try {{
            m.open(new java.io.DataInputStream(new java.io.BufferedInputStream(data)));
        }} finally {{
            data.close();
        }}
        return m;
    }}

    private static Object number(Object value, char kind, String column) {{
        if (value == null) {{
            return null;
        }}
        if (value instanceof Number && rank(value) <= ORDER.indexOf(kind)) {{
            Number number = (Number) value;
            switch (kind) {{
                case 'd':
                    return Double.valueOf(number.doubleValue());
                case 'f':
                    return Float.valueOf(number.floatValue());
                case 'l':
                    return Long.valueOf(number.longValue());
                case 'i':
                    return Integer.valueOf(number.intValue());
                case 's':
                    return Short.valueOf(number.shortValue());
                default:
                    return value;
            }}
        }}
        throw mismatch(value, column);
    }}

    private static final String ORDER = "bsilfd";

    /** The place of a number among the kinds; a decimal counts as a float. */
    private static int rank(Object number) {{
        if (number instanceof Byte) {{
            return 0;
        }}
        if (number instanceof Short) {{
            return 1;
        }}
        if (number instanceof Integer) {{
            return 2;
        }}
        if (number instanceof Long) {{
            return 3;
        }}
        return number instanceof Double ? 5 : 4;
    }}

    private static Object text(Object value, String column) {{
        if (value == null || value instanceof String) {{
            return value;
        }}
        throw mismatch(value, column);
    }}

    private static Object vector(Object value, String column) {{
        if (value == null) {{
            return null;
        }}
        Vec vec = new Vec();
        if (value instanceof org.apache.spark.ml.linalg.SparseVector) {{
            org.apache.spark.ml.linalg.SparseVector given = (org.apache.spark.ml.linalg.SparseVector) value;
            int[] indices = given.indices();
            vec.sparse(given.size(), indices.length);
            System.arraycopy(indices, 0, vec.index, 0, indices.length);
            System.arraycopy(given.values(), 0, vec.value, 0, indices.length);
            vec.count = indices.length;
        }} else if (value instanceof org.apache.spark.ml.linalg.Vector) {{
            double[] given = ((org.apache.spark.ml.linalg.Vector) value).toArray();
            System.arraycopy(given, 0, vec.dense(given.length), 0, given.length);
        }} else if (value instanceof scala.collection.Seq) {{
            scala.collection.Seq given = (scala.collection.Seq) value;
            double[] numbers = vec.dense(given.length());
            for (int i = 0; i < numbers.length && i < given.length(); i++) {{
                Object element = given.apply(i);
                if (element == null) {{
                    throw new PredictionException("column '" + column + "' has a missing element");
                }}
                if (!(element instanceof Number)) {{
                    throw mismatch(element, column);
                }}
                numbers[i] = ((Number) element).doubleValue();
            }}
        }} else {{
            throw mismatch(value, column);
        }}
        return vec;
    }}

    private static org.apache.spark.ml.linalg.Vector vectorOf(Object value) {{
        Vec vec = (Vec) value;
        if (vec == null) {{
            return null;
        }}
        double[] values = java.util.Arrays.copyOf(vec.value, vec.stored());
        return vec.index == null
            ? org.apache.spark.ml.linalg.Vectors.dense(values)
            : org.apache.spark.ml.linalg.Vectors.sparse(vec.size, java.util.Arrays.copyOf(vec.index, vec.count), values);
    }}

    private static Object arrayOf(Object value) {{
        return value == null ? null : vectorOf(value).toArray();
    }}

    private static RuntimeException mismatch(Object value, String column) {{
        String found = value.getClass().getName();
        return new IllegalArgumentException("column '" + column + "' is " + found + ", which the model does not take");
    }}
}}
"""


def _row(values: Sequence[str]) -> str:
    return f"org.apache.spark.sql.RowFactory.create(new Object[] {{{', '.join(values)}}})"


def _argument(field: Field, argument: str) -> str:
    """The expression of an input's value for the model."""
    column = text_literal(field.name)
    if isinstance(field.type, TensorType):
        return f"vector({argument}, {column})"
    if field.type.base is BasicType.STRING:
        return f"text({argument}, {column})"
    if field.type.base in (BasicType.BOOLEAN, BasicType.BYTE_STRING):
        return argument
    return f"number({argument}, '{LETTERS[field.type.base]}', {column})"


def _value(field: Field, place: int, vectors: VectorsAs) -> str:
    """The expression of an output's value for Spark."""
    value = f"m.getOutput({place})"
    if isinstance(field.type, TensorType):
        return f"vectorOf({value})" if vectors == "vectors" else f"arrayOf({value})"
    return value
