"""Spark ML's directories, recorded from Spark 2.1 to 4.1 (``record.py`` in ``spark/``): read, written, and read again."""

from __future__ import annotations

import io
import json
import random
import warnings
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given as draw_of
from hypothesis import settings
from hypothesis import strategies as st
from pyarrow import parquet

import leapstream
from leapstream import (
    BundleError,
    LeapFrame,
    LeapstreamError,
    Model,
    SchemaError,
    UnsupportedOpError,
    from_spark,
    to_spark,
)
from leapstream.bundle.limits import Limits
from leapstream.bundle.types import BasicType, DataShape, ScalarType, Schema, TensorType
from leapstream.contract import Tolerance, verify_frames
from leapstream.exporters.spark import encoding, is_spark_directory, reader
from leapstream.exporters.spark.defaults import DEFAULTS
from leapstream.exporters.spark.stages import BY_CLASS, STAGES
from leapstream.frames.parquet import read_table
from leapstream.ops import feature, linear
from leapstream.ops.pipeline import Node, Pipeline
from tests.exporters.spark.cases import DIFFERENT, LEFT_OUT, OTHER_HASHES, REJECTED, tolerance
from tests.exporters.spark.recorded import (
    ARCHIVES,
    OLDER,
    READABLE,
    RECORDED,
    archive,
    extracted,
    given,
    ids,
    names,
    node,
    restricted,
)


def read(path: Path, name: str, folder: Path) -> Model:
    """A case's model; that it is not what Spark computes is known where it is."""
    with warnings.catch_warnings():
        if name in (*DIFFERENT, OTHER_HASHES):
            warnings.simplefilter("ignore")
        return from_spark(extracted(path, name, folder), given(path).schema)


def assert_gives(model: Model, path: Path, name: str) -> None:
    """Hold a model to what Spark gave."""
    expected = LeapFrame.from_bytes(archive(path).read(f"{name}/expected.leap"))
    wanted = set(expected.schema.names) - LEFT_OUT.get(name, set())
    assert wanted <= {*model.schema.outputs.names, *model.schema.intermediate.names}
    frame = restricted(given(path), model.schema.inputs.names)
    report = verify_frames(model, frame, expected, "vectorized", tolerance(name), intermediate=True)
    assert report.ok, report.reasons


# ---- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("path", "name"), READABLE, ids=ids(READABLE))
def test_a_model_gives_what_spark_does_and_so_it_does_from_a_bundle_and_from_a_directory_written_for_spark(
    path: Path, name: str, tmp_path: Path
) -> None:
    model = read(path, name, tmp_path)
    if name != OTHER_HASHES:
        assert_gives(model, path, name)
    for form in ("json", "protobuf"):
        leapstream.save(model, tmp_path / f"{form}.zip", format=form)  # type: ignore[arg-type]
        assert leapstream.load(tmp_path / f"{form}.zip").root == model.root
    with warnings.catch_warnings():
        if name in (*DIFFERENT, OTHER_HASHES):
            warnings.simplefilter("ignore")
        to_spark(model, tmp_path / "written")
        again = from_spark(tmp_path / "written", given(path).schema)
    if name != OTHER_HASHES:
        assert_gives(again, path, name)
    assert [node.op for node in again.nodes] == [node.op for node in model.nodes]
    assert [node.name for node in again.nodes] == [node.name for node in model.nodes]


REJECTIONS = [pair for pair in RECORDED if pair[1] in REJECTED]


@pytest.mark.parametrize(("path", "name"), REJECTIONS, ids=ids(REJECTIONS))
def test_what_no_op_computes_is_rejected_by_stage_and_class(path: Path, name: str, tmp_path: Path) -> None:
    saved = extracted(path, name, tmp_path)
    metadata = json.loads(next((saved / "metadata").glob("part-*")).read_text())
    with pytest.raises(UnsupportedOpError) as caught:
        from_spark(saved, given(path).schema)
    assert REJECTED[name] in str(caught.value)
    assert metadata["uid"] in str(caught.value) and metadata["class"] in str(caught.value)


def test_both_versions_of_spark_are_recorded_with_the_same_cases() -> None:
    assert [path.stem for path in ARCHIVES] == ["spark-3.5", "spark-4.1"]
    assert names(ARCHIVES[0]) == names(ARCHIVES[1])


def metadata_in(path: Path) -> list[dict[str, Any]]:
    """The metadata of all stages of an archive."""
    texts = [archive(path).read(name) for name in archive(path).namelist() if "/metadata/part-" in name]
    return [json.loads(text) for text in texts]


def class_of(metadata: dict[str, Any]) -> str:
    return str(metadata["class"]).removeprefix("org.apache.spark.ml.")


ENCODER_OF_SPARK_2 = "feature.OneHotEncoder"


@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.stem)
def test_every_stage_is_tried(path: Path) -> None:
    assert BY_CLASS.keys() - {ENCODER_OF_SPARK_2} <= {class_of(metadata) for metadata in metadata_in(path)}


# ---- Spark 2 ----------------------------------------------------------------------------------------------------------

SAVED_BY_SPARK_2 = {
    "spark-2.1": {ENCODER_OF_SPARK_2, "feature.Word2VecModel", "classification.GBTClassificationModel"},
    "spark-2.4": {
        ENCODER_OF_SPARK_2,
        "feature.StringIndexerModel",
        "feature.OneHotEncoderModel",
        "feature.IDFModel",
        "classification.MultilayerPerceptronClassificationModel",
        "classification.NaiveBayesModel",
        "classification.LogisticRegressionModel",
        "classification.RandomForestClassificationModel",
        "regression.LinearRegressionModel",
        "clustering.BisectingKMeansModel",
    },
}


@pytest.mark.parametrize("path", OLDER, ids=lambda path: path.stem)
def test_the_layouts_that_changed_since_spark_2_are_recorded(path: Path) -> None:
    assert SAVED_BY_SPARK_2[path.stem] <= {class_of(metadata) for metadata in metadata_in(path)}


@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.stem)
def test_params_that_are_not_saved_have_the_defaults_of_the_class(path: Path) -> None:
    known: dict[str, dict[str, Any]] = {}
    for metadata in metadata_in(path):
        known.setdefault(class_of(metadata), {}).update(metadata.get("defaultParamMap", {}))
    for name, params in DEFAULTS.items():
        assert params == {param: known[name][param] for param in params}, name


def edited(saved: Path, version: str, change: Any = None, **params: Any) -> Path:
    """A saved stage as another version wrote it: its rows changed, its params replaced if some are given."""
    part = next((saved / "metadata").glob("part-*"))
    metadata = json.loads(part.read_text())
    metadata["sparkVersion"] = version
    if params:
        metadata["paramMap"] = params
        del metadata["defaultParamMap"]
    part.write_text(json.dumps(metadata))
    return saved if change is None else rewritten(saved, change)


def test_a_logistic_regression_of_spark_2_0_has_one_intercept(tmp_path: Path) -> None:
    name = "LogisticRegression threshold"

    def as_in_spark_2_0(table: pa.Table) -> pa.Table:
        (row,) = table.to_pylist()
        matrix = row["coefficientMatrix"]
        vector = {"type": 1, "size": None, "indices": None, "values": matrix["values"]}
        kind = encoding.VECTOR.arrow
        columns = {"numClasses": [2], "numFeatures": [4], "intercept": row["interceptVector"]["values"]}
        return pa.table({**columns, "coefficients": pa.array([vector], kind)})

    model = from_spark(edited(extracted(ARCHIVES[0], name, tmp_path), "2.0.2", as_in_spark_2_0))
    assert_gives(model, ARCHIVES[0], name)


@pytest.mark.parametrize("version", ["2.3.0.cloudera1", "2.0.2"])
def test_a_stage_without_saved_params_has_the_columns_of_spark_3(version: str, tmp_path: Path) -> None:
    saved = extracted(ARCHIVES[0], "GBTClassifier", tmp_path)
    model = from_spark(edited(saved, version, impurity="variance"))
    assert model.schema.inputs.names == ("features",)
    assert {"rawPrediction", "probability", "prediction"} <= {
        *model.schema.outputs.names,
        *model.schema.intermediate.names,
    }


def test_a_model_of_spark_3_without_a_column_is_rejected_even_if_spark_2_had_none(tmp_path: Path) -> None:
    saved = rewritten(extracted(ARCHIVES[0], "IDF", tmp_path), lambda table: table.drop_columns(["docFreq", "numDocs"]))
    with pytest.raises(BundleError, match="has no column 'docFreq'"):
        from_spark(saved)
    assert from_spark(edited(saved, "2.4.8")).nodes[0].op.doc_freq == ()  # type: ignore[attr-defined]


def encoder(folder: Path, version: str) -> Path:
    """An encoder that is not fitted, alone."""
    metadata = {
        "class": f"org.apache.spark.ml.{ENCODER_OF_SPARK_2}",
        "timestamp": 0,
        "sparkVersion": version,
        "uid": "oneHot_1",
        "paramMap": {"inputCol": "x", "outputCol": "v"},
    }
    (folder / "saved" / "metadata").mkdir(parents=True)
    (folder / "saved" / "metadata" / "part-00000").write_text(json.dumps(metadata))
    return folder / "saved"


def test_an_encoder_of_spark_2_that_takes_its_size_from_the_data_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOpError, match="number of categories from the data, because the column 'x'"):
        from_spark(encoder(tmp_path, "2.4.8"), {"x": np.zeros(2)})


def test_an_encoder_of_spark_3_that_is_not_fitted_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOpError, match="it is an estimator, which was not fitted"):
        from_spark(encoder(tmp_path, "3.5.0"), {"x": np.zeros(2)})


# ---- Parquet files that become more than they say ---------------------------------------------------------------------


def repeated(value: Any, kind: pa.DataType, count: int, **options: Any) -> bytes:
    """A Parquet file with a list that repeats a value."""
    values = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int32)), pa.array([value], kind))
    lists = pa.ListArray.from_arrays(pa.array([0, count], pa.int32()), values)
    out = io.BytesIO()
    parquet.write_table(pa.table({"labels": lists}), out, store_schema=False, **options)
    return out.getvalue()


SMALL_FILES_OF_MUCH: dict[str, Any] = {
    "numbers in runs": lambda: repeated(1.5, pa.float64(), 20_000_000),
    "a text that repeats": lambda: repeated("x" * 10_000, pa.string(), 100_000),
    "compressed texts": lambda: compressed(200_000_000, "zstd"),
    "compressed texts, with gzip": lambda: compressed(200_000_000, "gzip"),
    "prefixes that are shared": lambda: compressed(1000, "none", "DELTA_BYTE_ARRAY"),
}


def compressed(size: int, codec: str, encoding: str = "PLAIN") -> bytes:
    """A Parquet file with one long text."""
    out = io.BytesIO()
    table = pa.table({"labels": pa.array([["x" * size]])})
    options = {"compression": codec, "use_dictionary": False, "column_encoding": encoding}
    parquet.write_table(table, out, store_schema=False, **options)
    return out.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL_FILES_OF_MUCH)
def test_a_small_file_that_becomes_much_is_rejected_before_it_is_decoded(name: str, tmp_path: Path) -> None:
    saved = edited(extracted(ARCHIVES[0], "StringIndexer", tmp_path), "2.4.8")
    part = next((saved / "data").glob("*.parquet"))
    data = SMALL_FILES_OF_MUCH[name]()
    assert len(data) < 1 << 20
    part.write_bytes(data)
    before = pa.total_allocated_bytes()
    with pytest.raises(BundleError, match="its folder 'data'.*(max_ratio|encoding DELTA)"):
        from_spark(saved)
    assert pa.total_allocated_bytes() - before < 1 << 27


def varint(number: int) -> bytes:
    """A number as Thrift encodes it in a Parquet file's footer."""
    number <<= 1
    parts = []
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


@pytest.mark.slow
def test_pages_count_by_their_own_headers_and_not_by_the_footer() -> None:
    count = 30_000_001
    data = repeated(1.5, pa.float64(), count, compression="none", data_page_size=1 << 30)
    told = varint(count)
    begin = data.rindex(told)
    lying = data[:begin] + bytes([0x82, *[0x80] * (len(told) - 2), 0]) + data[begin + len(told) :]
    assert parquet.ParquetFile(io.BytesIO(lying)).metadata.row_group(0).column(0).num_values == 1
    with pytest.raises(BundleError, match="max_ratio"):
        read_table("part", lying, Limits())


@pytest.mark.parametrize("name", [*DIFFERENT, OTHER_HASHES])
def test_of_ops_that_give_other_numbers_than_spark_one_is_warned(name: str, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"stage .*MLeap.*Spark"):
        model = from_spark(extracted(ARCHIVES[0], name, tmp_path), given(ARCHIVES[0]).schema)
    with pytest.warns(UserWarning, match=r"node .*MLeap.*Spark"):
        to_spark(model, tmp_path / "written")


def test_a_directory_of_spark_is_told_from_others(tmp_path: Path) -> None:
    saved = extracted(ARCHIVES[1], "KMeans", tmp_path)
    assert is_spark_directory(saved) and is_spark_directory(str(saved))
    assert not is_spark_directory(tmp_path) and not is_spark_directory(saved / "metadata" / "nothing")


def test_a_live_model_is_saved_and_read(tmp_path: Path) -> None:
    saved = extracted(ARCHIVES[0], "PCA", tmp_path)

    class Writer:
        def overwrite(self) -> Writer:
            return self

        def save(self, uri: str) -> None:
            assert uri.startswith("file:///")
            Path(uri.removeprefix("file://")).parent.mkdir(exist_ok=True)
            saved.rename(uri.removeprefix("file://"))

    class Fitted:
        def write(self) -> Writer:
            return Writer()

    assert from_spark(Fitted()).nodes[0].op.op == "pca"


def test_a_directory_that_cannot_be_compared_with_spark_is_told_if_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = saved_pipeline(tmp_path, NORMALIZER, LINEAR)
    rows = {"v": np.ones((2, 3))}
    monkeypatch.setattr(reader, "find_spec", lambda name: None)
    with pytest.warns(UserWarning, match="not compared with Spark: PySpark is not installed"):
        from_spark(saved, rows, check=True)
    monkeypatch.setattr(reader, "find_spec", lambda name: name)
    for sample, reason in ((None, "there is no sample"), ({"w": np.ones(2)}, "the sample lacks the column 'v'")):
        with pytest.warns(UserWarning, match=f"not compared with Spark: {reason}"):
            from_spark(saved, sample, check=True)
    assert from_spark(saved, rows).nodes


def test_what_is_neither_a_directory_nor_a_model_is_rejected() -> None:
    with pytest.raises(SchemaError, match="a int is neither a directory nor a fitted model"):
        from_spark(3)


# ---- types of columns -------------------------------------------------------------------------------------------------


def saved_pipeline(folder: Path, *nodes: Node) -> Path:
    to_spark(Pipeline("p", nodes), folder / "spark")
    return folder / "spark"


NORMALIZER = node("normed", feature.Normalizer(2.0, 3), "v")
LINEAR = node("linear", linear.LinearRegression(np.ones(3), 0.0), "normed", result="prediction")


def test_the_size_of_a_vector_follows_from_a_later_stage(tmp_path: Path) -> None:
    model = from_spark(saved_pipeline(tmp_path, NORMALIZER, LINEAR))
    assert model.schema.inputs["v"].type == TensorType(BasicType.DOUBLE, (3,), nullable=False)


def assembled(*shapes: DataShape) -> Node:
    return node("normed", feature.VectorAssembler(shapes), *(f"c{i}" for i in range(len(shapes))))


SCALAR, PAIR = DataShape("scalar", False), DataShape("tensor", False, (2,))


def test_what_an_assembler_reads_is_numbers_as_far_as_that_fits(tmp_path: Path) -> None:
    model = from_spark(saved_pipeline(tmp_path, assembled(SCALAR, SCALAR, SCALAR), LINEAR))
    assert {f.type for f in model.schema.inputs} == {ScalarType(BasicType.DOUBLE, False)}


def without_hints(saved: Path) -> Path:
    """The saved pipeline without what Spark is told of the sizes of vectors."""
    text = (saved / "metadata" / "part-00000").read_text()
    metadata = json.loads(text)
    kept = [uid for uid in metadata["paramMap"]["stageUids"] if not uid.endswith("_size")]
    folders = {folder.name[2:]: folder for folder in (saved / "stages").iterdir()}
    for i, uid in enumerate(kept):
        folders[uid].rename(saved / "stages" / f"x{i}_{uid}")
    for folder in (saved / "stages").iterdir():
        if folder.name.startswith("x"):
            folder.rename(folder.with_name(folder.name[1:]))
    metadata["paramMap"]["stageUids"] = kept
    (saved / "metadata" / "part-00000").write_text(json.dumps(metadata))
    return saved


def hinted(folder: Path, **params: Any) -> Path:
    """A pipeline over a vector that has a hint of its size, with other params."""
    saved = saved_pipeline(folder, assembled(DataShape("tensor", False, (3,))))
    (hint,) = (saved / "stages").glob("*_size")
    part = hint / "metadata" / "part-00000"
    metadata = json.loads(part.read_text())
    part.write_text(json.dumps({**metadata, "paramMap": {**metadata["paramMap"], **params}}))
    return saved


def test_a_hint_tells_the_size_of_a_vector(tmp_path: Path) -> None:
    assert from_spark(hinted(tmp_path)).schema.inputs["c0"].type == TensorType(BasicType.DOUBLE, (3,), nullable=False)


def test_a_hint_that_drops_rows_is_rejected_and_so_is_one_without_a_size(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOpError, match="VectorSizeHint.*handleInvalid is 'skip'"):
        from_spark(hinted(tmp_path, handleInvalid="skip"))
    with pytest.raises(BundleError, match="VectorSizeHint.*'size' is missing"):
        from_spark(hinted(tmp_path, size=None))


def test_the_size_of_the_only_vector_follows_from_that_of_the_whole(tmp_path: Path) -> None:
    saved = without_hints(saved_pipeline(tmp_path, assembled(DataShape("tensor", False, (3,))), LINEAR))
    assert from_spark(saved).schema.inputs["c0"].type == TensorType(BasicType.DOUBLE, (3,), nullable=False)


SAMPLES: dict[str, Any] = {
    "a schema": Schema.of([("c0", ScalarType(BasicType.DOUBLE)), ("c1", TensorType(BasicType.DOUBLE, (2,)))]),
    "arrays": {"c0": np.zeros(5), "c1": np.zeros((5, 2))},
    "a frame": pd.DataFrame({"c0": [1.0, 2.0], "c1": [np.zeros(2), np.ones(2)]}),
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_sizes_that_do_not_follow_are_asked_for_and_given_by(sample: str, tmp_path: Path) -> None:
    saved = without_hints(saved_pipeline(tmp_path, assembled(SCALAR, PAIR), LINEAR))
    with pytest.raises(SchemaError, match=r"2 elements, and 3 are read .* c0, c1 with a sample"):
        from_spark(saved)
    model = from_spark(saved, SAMPLES[sample])
    assert model.schema.inputs["c1"].type == TensorType(BasicType.DOUBLE, (2,), nullable=False)


def test_the_size_of_a_vector_that_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    saved = saved_pipeline(tmp_path, NORMALIZER)
    with pytest.raises(SchemaError, match=r"'normed'.*column 'v' is not saved: give it with a sample"):
        from_spark(saved)
    with pytest.raises(SchemaError, match=r"'normed'.*the column 'v' is double, and a vector of a known size"):
        from_spark(saved, Schema.of([("v", ScalarType(BasicType.DOUBLE))]))


def test_the_types_of_what_is_hashed_are_asked_for(tmp_path: Path) -> None:
    op = feature.FeatureHasher(8, (), (DataShape("scalar"),) * 2, (BasicType.STRING, BasicType.INT), ("s", "i"))
    saved = saved_pipeline(tmp_path, node("hashed", op, "s", "i"))
    with pytest.raises(SchemaError, match="it hashes the column 's' by its type"):
        from_spark(saved)
    frame = {"s": np.array(["a"], dtype=object), "i": np.array([1], dtype=np.int32)}
    assert from_spark(saved, frame).nodes[0].op == op


def test_a_sample_of_no_known_kind_is_rejected(tmp_path: Path) -> None:
    saved = saved_pipeline(tmp_path, NORMALIZER)
    with pytest.raises(SchemaError, match="a int is neither a Schema"):
        from_spark(saved, 3)
    with pytest.raises(SchemaError, match="column 'v' holds neither"):
        from_spark(saved, {"v": [object()]})


def test_texts_of_an_index_that_is_not_known_are_asked_for(tmp_path: Path) -> None:
    saved = saved_pipeline(tmp_path, node("text", feature.ReverseStringIndexer(("a", "b")), "i"))
    part = saved / "stages" / "0_text" / "metadata" / "part-00000"
    part.write_text(part.read_text().replace('"labels":["a","b"]', '"labels":[]'))
    with pytest.raises(UnsupportedOpError, match=r"'text'.*set its labels"):
        from_spark(saved)


# ---- untrusted directories --------------------------------------------------------------------------------------------


def damaged(folder: Path, **changes: Any) -> Path:
    """A saved tree whose metadata has been changed."""
    saved = extracted(ARCHIVES[0], "DecisionTreeClassifier", folder)
    part = next((saved / "metadata").glob("part-*"))
    part.write_text(json.dumps({**json.loads(part.read_text()), **changes}))
    return saved


@pytest.mark.parametrize("name", ["os.system", "org.apache.spark.ml.feature.Nothing", "java.lang.Runtime"])
def test_a_class_is_looked_up_and_never_imported(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedOpError, match=f"'DecisionTreeClassifier_.*{name}.*supported: PipelineModel, "):
        from_spark(damaged(tmp_path, **{"class": name}))


CHANGES: dict[str, dict[str, Any]] = {
    "no class": {"class": 3},
    "no params": {"paramMap": []},
    "another number of classes": {"numClasses": 7},
    "no number of features": {"numFeatures": "four"},
}


@pytest.mark.parametrize("change", CHANGES)
def test_damaged_metadata_is_rejected(change: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="saved"):
        from_spark(damaged(tmp_path, **CHANGES[change]))


def rewritten(saved: Path, change: Any) -> Path:
    """A saved stage with other rows of data."""
    part = next((saved / "data").glob("*.parquet"))
    rows = parquet.read_table(part)
    out = io.BytesIO()
    parquet.write_table(change(rows), out)
    part.write_bytes(out.getvalue())
    return saved


def _swap(table: pa.Table, name: str) -> pa.Table:
    values = table[name].to_numpy()[::-1]
    return table.set_column(table.column_names.index(name), name, pa.array(values))


TREES: dict[str, Any] = {
    "children of others": lambda table: _swap(table, "rightChild"),
    "a node too few": lambda table: table.slice(0, len(table) - 1),
    "no nodes": lambda table: table.slice(0, 0),
    "a node twice": lambda table: pa.concat_tables([table, table.slice(0, 1)]),
    "no such column": lambda table: table.drop_columns(["leftChild"]),
}


@pytest.mark.parametrize("change", TREES)
def test_nodes_that_are_no_tree_are_rejected(change: str, tmp_path: Path) -> None:
    saved = rewritten(extracted(ARCHIVES[0], "DecisionTreeClassifier", tmp_path), TREES[change])
    with pytest.raises(BundleError, match="stage 'DecisionTreeClassifier_"):
        from_spark(saved)


@pytest.mark.slow
@pytest.mark.parametrize("path", ARCHIVES, ids=lambda path: path.stem)
def test_whatever_is_damaged_raises_nothing_but_errors_of_ours(path: Path, tmp_path: Path) -> None:
    draw = random.Random(5)
    parts = [name for name in archive(path).namelist() if "/model/" in name]
    for _ in range(400):
        part = draw.choice(parts)
        name = part.split("/")[0]
        prefix = f"{name}/model/"
        files = {other: archive(path).read(other) for other in parts if other.startswith(prefix)}
        data = bytearray(files[part])
        for _ in range(draw.choice((1, 2, 5))):
            data[draw.randrange(len(data))] = draw.randrange(256)
        files[part] = bytes(data[: draw.choice((len(data), draw.randrange(len(data))))])
        with zipfile.ZipFile(tmp_path / "damaged.zip", "w") as damaged_archive:
            for other, content in files.items():
                damaged_archive.writestr(other[len(prefix) :], content)
        with warnings.catch_warnings(), suppress(LeapstreamError):
            warnings.simplefilter("ignore")
            from_spark(tmp_path / "damaged.zip", given(path).schema)


def test_damaged_data_is_rejected(tmp_path: Path) -> None:
    saved = extracted(ARCHIVES[1], "PCA", tmp_path)
    part = next((saved / "data").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(BundleError, match="stage 'PCA_.*its folder 'data' cannot be read"):
        from_spark(saved)
    part.unlink()
    with pytest.raises(BundleError, match="stage 'PCA_.*its folder 'data' has no Parquet file"):
        from_spark(saved)


def test_what_is_no_directory_of_spark_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="this is not a saved stage"):
        from_spark(tmp_path)
    with pytest.raises(BundleError, match="No such file"):
        from_spark(tmp_path / "nothing")


# ---- tables and numbers -----------------------------------------------------------------------------------------------


def test_no_stage_is_declared_twice() -> None:
    assert len({(stage.name, stage.op) for stage in STAGES}) == len(STAGES)


def test_exact_numbers_are_asked_of_all_others() -> None:
    assert tolerance("KMeans") == Tolerance(1e-9, 1e-9)


FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.slow
@settings(max_examples=40)
@draw_of(st.lists(FLOATS, max_size=6), st.integers(0, 3), st.booleans())
def test_numbers_come_back_from_parquet_and_from_params_as_they_were(
    numbers: list[float], rows: int, by_rows: bool
) -> None:
    vector = np.array(numbers)
    matrix = np.resize(vector, (rows, len(numbers))) if numbers else np.zeros((rows, 0))
    kinds = {"v": encoding.VECTOR, "m": encoding.ROWS if by_rows else encoding.MATRIX}
    data = encoding.write_parquet(kinds, {"v": [vector], "m": [matrix]})
    (row,) = parquet.read_table(io.BytesIO(data)).to_pylist()
    np.testing.assert_array_equal(encoding.VECTOR.decode(row["v"]), vector)
    np.testing.assert_array_equal(encoding.MATRIX.decode(row["m"]), matrix)
    text = json.loads(json.dumps(encoding.param_of(numbers), allow_nan=False))
    np.testing.assert_array_equal([encoding.number_of(number) for number in text], numbers)


def test_sparse_vectors_and_matrices_are_read() -> None:
    vector = {"type": 0, "size": 4, "indices": [1, 3], "values": [2.0, 5.0]}
    np.testing.assert_array_equal(encoding.VECTOR.decode(vector), [0.0, 2.0, 0.0, 5.0])
    by_columns = {
        "numRows": 2,
        "numCols": 3,
        "colPtrs": [0, 1, 1, 3],
        "rowIndices": [1, 0, 1],
        "values": [1.0, 2.0, 3.0],
    }
    matrix = {"type": 0, "isTransposed": False, **by_columns}
    np.testing.assert_array_equal(encoding.MATRIX.decode(matrix), [[0.0, 0.0, 2.0], [1.0, 0.0, 3.0]])
    by_rows = {"numRows": 3, "numCols": 2, "colPtrs": [0, 1, 1, 3], "rowIndices": [1, 0, 1], "values": [1.0, 2.0, 3.0]}
    matrix = {"type": 0, "isTransposed": True, **by_rows}
    np.testing.assert_array_equal(encoding.MATRIX.decode(matrix), [[0.0, 1.0], [0.0, 0.0], [2.0, 3.0]])
