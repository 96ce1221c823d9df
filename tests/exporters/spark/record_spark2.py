"""Record what Spark 2 saves and what it answers: as ``record.py``, for versions that need an old Python and Java 8.

Run it by its path, so that it imports neither leapstream nor the package of the tests, which these Pythons cannot:

    JAVA_HOME=<Java 8> <Python 3.7 with pyspark 2.4 and NumPy> tests/exporters/spark/record_spark2.py
    JAVA_HOME=<Java 8> <Python 3.6 with pyspark 2.1 and NumPy> tests/exporters/spark/record_spark2.py

Leap frames are written as JSON. Cases with classes or params that the version lacks are left out.
"""

import ast
import json
import tempfile
import types
import typing
import zipfile
from pathlib import Path

import pyspark
from pyspark.ml import Pipeline, feature
from pyspark.ml.linalg import VectorUDT
from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType
from pyspark.sql.utils import IllegalArgumentException

HERE = Path(__file__).parent
VERSION = ".".join(pyspark.__version__.split(".")[:2])
SCALARS = {"boolean": "boolean", "integer": "int", "float": "float", "double": "double", "string": "string"}
SAME_IN_SPARK_3 = (
    "Binarizer", "DCT", "ElementwiseProduct", "IndexToString", "Interaction", "MaxAbsScaler", "MinMaxScaler", "NGram",
    "PolynomialExpansion", "Tokenizer", "VectorSlicer",
)  # fmt: skip
"""Cases of classes that save nothing but params, or whose files never changed; they are recorded once, from Spark 3."""


class Unannotated(ast.NodeTransformer):
    """Removes annotations, whose types older Pythons do not have."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> "ast.AST | None":
        if getattr(node.annotation, "id", "") == "TypeAlias":
            return None
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> "ast.AST | None":
        return None if node.module == "__future__" else node


def import_stages() -> "typing.Any":
    """The module ``stages`` without its annotations."""
    typing.TypeAlias = None  # type: ignore[assignment]
    path = HERE / "stages.py"
    module: typing.Any = types.ModuleType("stages")
    tree = ast.fix_missing_locations(Unannotated().visit(ast.parse(path.read_text(encoding="utf-8"))))
    exec(compile(tree, str(path), "exec"), module.__dict__)
    # Spark 3 renamed the encoder that is fitted; Spark 2.2 and older have none.
    named = dict(vars(feature))
    named["OneHotEncoder"] = named.get("OneHotEncoderEstimator")
    module.f = types.SimpleNamespace(**named)
    return module


def own_cases() -> "dict[str, typing.Callable[[], object]]":
    """Cases that Spark 3 does not have: the encoder that takes the number of categories from the column's metadata."""

    def encoded(**params: bool) -> object:
        index = feature.StringIndexer(inputCol="city", outputCol="index")
        return Pipeline(stages=[index, feature.OneHotEncoder(inputCol="index", outputCol="out", **params)])

    def bucketed() -> object:
        splits = [-float("inf"), -1.0, 0.0, 2.5, float("inf")]
        bucket = feature.Bucketizer(inputCol="x", outputCol="bucket", splits=splits)
        return Pipeline(stages=[bucket, feature.OneHotEncoder(inputCol="bucket", outputCol="out")])

    return {
        "OneHotEncoder of labels": encoded,
        "OneHotEncoder of labels all": lambda: encoded(dropLast=False),
        "OneHotEncoder of buckets": bucketed,
    }


def leap_json(frame: "DataFrame", names: "list[str]") -> bytes:
    """Some columns of a frame, as a leap frame in JSON."""
    rows = frame.select([f"`{name}`" for name in names]).collect()
    fields: list[object] = []
    columns: list[list[object]] = []
    for name in names:
        kind, values = frame.schema[name].dataType, [row[name] for row in rows]
        there = [value for value in values if value is not None]
        if isinstance(kind, VectorUDT):
            leap_type: object = {"type": "tensor", "base": "double", "dimensions": [len(there[0])]}
            values = [tensor(value.toArray().tolist(), [len(value)]) for value in values]
        elif isinstance(kind, ArrayType) and isinstance(kind.elementType, VectorUDT):
            leap_type = {"type": "tensor", "base": "double", "dimensions": [len(there[0]), 1]}
            values = [tensor([float(vector[0]) for vector in value], [len(value), 1]) for value in values]
        elif isinstance(kind, ArrayType):
            leap_type = {"type": "list", "base": "string"}
        else:
            leap_type = SCALARS[kind.typeName()]
        fields.append({"name": name, "type": leap_type})
        columns.append(values)
    transposed = [list(row) for row in zip(*columns)]  # noqa: B905
    return json.dumps({"schema": {"fields": fields}, "rows": transposed}).encode()


def tensor(values: "list[float]", dimensions: "list[int]") -> object:
    """A dense tensor as leap frames in JSON have it."""
    return {"values": values, "dimensions": dimensions}


def record() -> "tuple[Path, list[str]]":
    """Write the archive of the installed version."""
    stages = import_stages()
    stages.STAGES.update(own_cases())
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    with stages.session() as spark, tempfile.TemporaryDirectory() as folder:
        frame = stages.rows(spark).cache()
        files["input.leap"] = leap_json(frame, frame.columns)
        for number, name in enumerate(stages.names()):
            if name.split(" ")[0] in SAME_IN_SPARK_3:
                continue
            path = Path(folder) / str(number)
            try:
                model = stages.fitted(name, frame)
                model.write().save(str(path))
                # Joins change the order of the rows, and one class loads other vectors than it fitted.
                result = type(model).load(str(path)).transform(frame).orderBy("n")
                added = [column for column in result.columns if column not in frame.columns]
                files[f"{name}/expected.leap"] = leap_json(result, added)
            except (AttributeError, TypeError, NotImplementedError, IllegalArgumentException) as error:
                left_out.append(f"{name}: {str(error)[:100]}")
                continue
            parts = [part for part in path.rglob("*") if part.is_file() and not part.name.startswith((".", "_"))]
            files.update((f"{name}/model/{part.relative_to(path)}", part.read_bytes()) for part in parts)
    target = HERE / f"spark-{VERSION}.zip"
    with zipfile.ZipFile(str(target), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return target, left_out


if __name__ == "__main__":
    written, missing = record()
    print(written)
    print("\n".join(missing))
