"""Ops over texts, tokens and maps: their attributes in bundles, and what they compute that surprises."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leapstream import BundleError, LeapFrame, Model, SchemaError, Tensor, UnsupportedOpError, load, save
from leapstream.bundle import values
from leapstream.bundle.definition import ModelDef, NodeDef, Socket
from leapstream.bundle.reader import read_bundle
from leapstream.bundle.types import BasicType, DataShape, MapType, ScalarType, Schema
from leapstream.ops.base import Op
from leapstream.ops.feature import (
    IDF,
    Coalesce,
    CountVectorizer,
    FeatureHasher,
    HashingTermFrequency,
    MapEntrySelector,
    MultinomialLabeler,
    NGram,
    RegexIndexer,
    RegexTokenizer,
    ReverseStringIndexer,
    StandardScaler,
    StopWordsRemover,
    StringMap,
    Tokenizer,
    WordLengthFilter,
    WordToVector,
)
from leapstream.ops.linear import LogisticRegression
from leapstream.ops.pipeline import Node, Pipeline, read_node
from leapstream.plan import primitives as p
from tests.golden_corpus import Case, cases
from tests.ops.numbers import model_of
from tests.ops.test_numbers import nodes
from tests.ops.texts import OPS, STRING, hasher, plain, rows_of, run

NAMES = {op.op for op in OPS}
RECORDED = [
    case for case in cases() if case.known and not case.info.get("load_error") and NAMES & set(case.info["ops"])
]
NAN, INF = math.nan, math.inf

# ---- bundles ----------------------------------------------------------------------------------------------------------

# Attributes that no reader looks at, and those that MLeap reads as something else than what is there.
IGNORED = {"input_col", "output_col", "input_cols", "output_cols"}
MISREAD = {"handmade/word2vec-tensor": {"word_vectors"}, "sklearn/tfidf": {"min_tf"}}


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case.name)
def test_model_is_written_with_the_attributes_that_mleap_wrote(case: Case) -> None:
    ours = {node.name: node.op for node in case.model().nodes}
    for theirs in nodes(read_bundle(case.bundle).root):
        if theirs.model.op not in NAMES:
            continue
        written = ours[theirs.name].to_model().attributes
        recorded = {k: v for k, v in theirs.model.attributes.items() if k not in IGNORED}
        # Those made by hand, and scikit-learn's, leave out what has a default.
        assert case.name.startswith(("handmade", "sklearn")) or written.keys() == recorded.keys()
        same = recorded.keys() - MISREAD.get(case.name, set())
        assert {k: written[k] for k in same} == {k: recorded[k] for k in same}


@pytest.mark.parametrize("file_format", ["json", "protobuf"])
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.op)
def test_op_is_read_back_equal(op: Op, file_format: Any, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    if file_format == "json" and isinstance(op, IDF):
        op = IDF(np.nan_to_num(op.idf), op.doc_freq, op.num_docs)
    save(model_of(op), path, format=file_format)
    assert load(path).nodes[0].op == op


SCALAR = DataShape("scalar")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: RegexTokenizer("(a", True, 1, True), "'\\(a' is not valid in Java: an unclosed group"),
        (lambda: RegexIndexer(("a", "[b"), (1, 2)), "an unclosed class"),
        (lambda: HashingTermFrequency(0), "num_features 0 is not a valid size"),
        (lambda: HashingTermFrequency(2**31), "not a valid size of a vector"),
        (lambda: WordToVector((), ()), "there are no words"),
        (lambda: WordToVector(("a",), (1.0,), ()), "there are no words"),
        (lambda: WordToVector(("a",), (1.0,), None, "cosine"), "kernel 'cosine' is none of default, sqrt"),
        (lambda: StringMap((), (), "skip"), "handle_invalid 'skip' is none of error, keep"),
        (lambda: MapEntrySelector(STRING, BasicType.INT, "x"), "cannot hold 'x'"),
        (lambda: FeatureHasher(-1, (), (), (), ()), "not a valid size of a vector"),
        (lambda: FeatureHasher(8, (), (SCALAR,), (), ("x",)), "one shape, type and name"),
        (lambda: FeatureHasher(8, (), (DataShape("list"),), (BasicType.INT,), ("x",)), "scalars"),
        (lambda: FeatureHasher(8, (), (SCALAR, SCALAR), (BasicType.INT, STRING), ("x", "x")), "a number and none"),
    ],
)
def test_attributes_that_do_not_fit_are_rejected(make: Any, reason: str) -> None:
    with pytest.raises(BundleError, match=reason):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: MapEntrySelector(BasicType.INT, STRING, "x"),
        lambda: MapEntrySelector(STRING, BasicType.BYTE_STRING, b"x"),
        lambda: FeatureHasher(8, (), (SCALAR,), (BasicType.BYTE_STRING,), ("x",)),
    ],
)
def test_types_that_mleap_does_not_take_either_are_rejected(make: Any) -> None:
    with pytest.raises(UnsupportedOpError):
        make()


def read(op: str, attributes: dict[str, Any]) -> Any:
    ports = {"map_entry_selector": ("input", "key"), "coalesce": (), "feature_hasher": ()}.get(op, ("input",))
    node = NodeDef("node", tuple(Socket(port, port) for port in ports), (), ModelDef(op, attributes))
    return read_node(node, "bundle 'b'").op  # type: ignore[union-attr]


def test_attributes_that_older_bundles_lack_have_mleaps_defaults() -> None:
    size = {"num_features": values.scalar("long", 8)}
    assert read("hashing_term_frequency", size) == HashingTermFrequency(8, False, 1)
    maps = {"labels": values.list_of("string", ["a"]), "values": values.list_of("double", [1.0])}
    assert read("string_map", maps) == StringMap(("a",), (1.0,), "error", 0.0)
    vectors = {"words": values.list_of("string", ["a", "b"]), "word_vectors": values.list_of("double", [1.0, 2.0])}
    assert read("word_to_vector", vectors).places() == {"a": 0, "b": 1}


@pytest.mark.parametrize(
    ("op", "attributes", "missing"),
    [
        ("regex_tokenizer", {"regex": values.scalar("string", "a")}, "match_gaps"),
        ("stopwords_remover", {"stop_words": values.list_of("string", ["a"])}, "case_sensitive"),
        ("count_vectorizer", {"vocabulary": values.list_of("string", ["a"])}, "binary"),
        ("map_entry_selector", {"key_type": values.scalar("basic_type", STRING)}, "value_type"),
        ("coalesce", {}, "nullable_inputs"),
    ],
)
def test_missing_attribute_is_named(op: str, attributes: Any, missing: str) -> None:
    with pytest.raises(BundleError, match=f"attribute '{missing}' is missing"):
        read(op, attributes)


def test_undefined_basic_type_is_rejected() -> None:
    attributes = {
        "key_type": values.scalar("basic_type", None),
        "value_type": values.scalar("basic_type", STRING),
        "default_value": values.scalar("string", "x"),
    }
    with pytest.raises(BundleError, match="have to name types"):
        read("map_entry_selector", attributes)


@pytest.mark.parametrize(("base", "given", "kept"), [(BasicType.BYTE, 200, -56), (BasicType.SHORT, -32769, 32767)])
def test_default_of_a_small_integer_has_the_low_bits_of_the_attribute(base: BasicType, given: int, kept: int) -> None:
    assert MapEntrySelector(STRING, base, given).default_value == kept


def test_words_of_a_tensor_have_vectors_without_elements() -> None:
    attributes = {"words": values.list_of("string", ["a"]), "word_vectors": values.tensor(Tensor.dense([1.0, 2.0]))}
    assert read("word_to_vector", attributes).vector_size == 0


# ---- what is computed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A  b ", ["a", "", "b"]),
        (" a", ["", "a"]),
        ("", [""]),
        ("  ", []),
        ("ÀΣΑΣ\u00a0İ\tx", ["àσας\u00a0i̇", "x"]),
    ],
)
def test_tokenizer_splits_as_java_does(text: str, tokens: list[str]) -> None:
    assert run(Tokenizer(), [text]) == [tokens]


def test_length_of_a_token_is_that_of_its_utf_16() -> None:
    assert run(RegexTokenizer(r"\s", True, 2, False), ["😀 日 ab"]) == [["😀", "ab"]]


def test_word_filter_takes_letters_of_the_basic_plane_alone() -> None:
    assert run(WordLengthFilter(2), [["日本語", "naïve", "foo-bar", "x1y", "𝔘𝔘𝔘", "ab", "ǅªʰ"]]) == [
        ["日本語", "naïve", "ǅªʰ"]
    ]


def test_ngrams_of_fewer_tokens_than_n_are_none() -> None:
    assert run(NGram(3), [["a", "b"]], [[]], [["a", "b", "c", "d"]]) == [[], [], ["a b c", "b c d"]]


def test_ngrams_of_no_tokens_fail() -> None:
    assert run(NGram(0), [["a"]]) == [None]


def test_stop_words_are_compared_in_lower_case() -> None:
    remover = StopWordsRemover(("ÉTÉ", "ΟΔΟΣ", "straße"), False)
    assert run(remover, [["été", "οδος", "οδοσ", "Straße", "STRASSE", "x"]]) == [["οδοσ", "STRASSE", "x"]]


@pytest.mark.parametrize(("version", "indices"), [(1, [70, 66, 79, 72, 0, 98]), (2, [67, 0, 79, 72, 0, 67])])
def test_hash_of_a_token_is_that_of_its_utf_8(version: int, indices: list[int]) -> None:
    found = run(
        HashingTermFrequency(100, False, version), *([[text]] for text in ["a", "日本語", "😀", "", "abcd", "ß"])
    )
    assert [v.to_dense().nonzero()[0].tolist() for v in found] == [[i] for i in indices]


def test_wide_vectors_of_hashes_are_sparse() -> None:
    table = pa.table({"input": [["a", "b", "a"], []]})
    rows = model_of(HashingTermFrequency(1 << 18, False, 2)).transform(table, outputs=["output"])
    assert rows.num_rows == 2
    frame = LeapFrame(Schema.of(list(HashingTermFrequency(8).inputs().items())), [(["a"],)])
    (found,) = model_of(HashingTermFrequency(1 << 18)).transform(frame).column("output")
    assert found.is_sparse


def test_counts_below_the_least_are_left_out() -> None:
    words = ["a", "a", "b", "x"]
    assert plain(run(CountVectorizer(("a", "b"), False, 2.0), [words])[0]) == [2.0, 0.0]
    assert plain(run(CountVectorizer(("a", "b"), True, 0.5), [words])[0]) == [1.0, 0.0]
    assert plain(run(CountVectorizer(("a", "b"), False, NAN), [words])[0]) == [0.0, 0.0]


def test_word_that_a_repeated_one_leaves_no_element_fails() -> None:
    repeated = CountVectorizer(("a", "a", "b"), False, 1.0)
    assert [plain(v) for v in run(repeated, [["a"]], [["b"]], [["x"]])] == [[0.0, 1.0], None, [0.0, 0.0]]


def test_idf_of_a_shorter_vector_uses_the_first_and_of_a_longer_one_fails() -> None:
    idf = IDF(np.array([2.0, 3.0]))
    assert [plain(v) for v in run(idf, [Tensor.dense([1.0])], [Tensor.dense([1.0, 1.0, 1.0])])] == [[2.0], None]


def test_idf_leaves_alone_what_is_not_stored() -> None:
    idf = IDF(np.array([INF, 2.0]))
    found = [plain(v) for v in run(idf, [Tensor.sparse(2, [1], [1.0])], [Tensor.dense([0.0, 1.0])])]
    assert found[0] == [0.0, 2.0]
    assert math.isnan(found[1][0])


def test_mean_of_word_vectors_counts_unknown_words() -> None:
    mean = WordToVector(("a", "b"), (4.0, 0.0, 0.0, 8.0))
    found = [plain(v) for v in run(mean, [["a", "b", "x", "y"]], [["x"]], [[]])]
    assert found == [[1.0, 2.0], [0.0, 0.0], [0.0, 0.0]]


def test_square_root_kernel_divides_by_the_norm() -> None:
    kernel = WordToVector(("a",), (3.0, 4.0), None, "sqrt")
    found = [plain(v) for v in run(kernel, [["a", "x"]], [["x"]], [[]])]
    assert found[0] == [0.6, 0.8]
    assert all(map(math.isnan, found[1]))
    assert found[2] == [0.0, 0.0]


def test_word_with_an_incomplete_vector_fails() -> None:
    beyond = WordToVector(("a", "b"), (1.0, 2.0, 3.0, 4.0), (0, 2))
    assert [plain(v) for v in run(beyond, [["a"]], [["b"]], [["x"]])] == [[1.0, 2.0], None, [0.0, 0.0]]


def test_first_pattern_that_matches_decides() -> None:
    indexer = RegexIndexer(("b+", "^a"), (1, 2))
    assert run(indexer, ["abb"], ["ac"], ["c"]) == [1, 2, None]
    assert run(RegexIndexer(("b+",), (1,), 0), ["c"]) == [0]


def _number_of_a_class(labels: tuple[str, ...], patterns: tuple[str, ...], numbers: tuple[int, ...]) -> Model:
    """A classifier of two classes, the text of its class, and the number of that text."""
    classifier = LogisticRegression(2, np.array([1.0]), 0.0, 0.5)
    steps = (
        Node("index", classifier, (Socket("features", "features"),), (Socket("prediction", "index"),)),
        Node("text", ReverseStringIndexer(labels), (Socket("input", "index"),), (Socket("output", "text"),)),
        Node("number", RegexIndexer(patterns, numbers), (Socket("input", "text"),), (Socket("output", "number"),)),
    )
    return Model.from_node(Pipeline("numbers", steps), name="numbers")


@pytest.mark.parametrize(
    ("labels", "patterns", "by_pattern"),
    [
        (("-3", "40"), ("^40$", "^-3$"), False),
        (("-3", "40"), ("^40$", "-3"), True),
        (("-3", "4\n"), ("^4$", "^-3$"), True),
    ],
)
def test_number_of_a_predicted_class_needs_no_pattern_where_labels_are_words(
    labels: tuple[str, ...], patterns: tuple[str, ...], by_pattern: bool
) -> None:
    model = _number_of_a_class(labels, patterns, (40, -3))
    assert any(isinstance(expr, p.FirstMatch) for expr in model.plan(outputs=["number"]).order) is by_pattern
    assert model.predict({"features": np.array([[2.0], [-2.0]])})["number"].tolist() == [40, -3]
    assert model.predict({"features": [2.0]})["number"] == 40


def test_missing_string_fails_an_indexer_with_patterns_alone() -> None:
    assert run(RegexIndexer((), (), 7), [None]) == [7]
    frame = LeapFrame(Schema.of([("input", ScalarType(STRING))]), [(None,)])
    found = model_of(RegexIndexer(("b",), (1,), 7)).transform(frame, on_error="null")
    assert found.column("output") == [None]


def test_label_that_repeats_has_its_last_value() -> None:
    keep = StringMap(("a", "b", "a"), (1.0, 2.0, 3.0), "keep", -1.0)
    assert run(keep, ["a"], ["b"], ["c"], [None]) == [3.0, 2.0, -1.0, -1.0]
    assert run(StringMap(("a",), (1.0,)), ["a"], ["c"], [None]) == [1.0, None, None]


def test_map_is_cast_to_the_type_of_its_values() -> None:
    selector = MapEntrySelector(STRING, BasicType.DOUBLE, 0.5)
    schema = Schema.of([("input", MapType(STRING, BasicType.INT)), ("key", ScalarType(STRING))])
    frame = LeapFrame(schema, [({"a": 1}, "a"), ({}, "a"), (None, "a"), ({"a": 1}, None)])
    found = model_of(selector).transform(frame, on_error="null")
    assert found.column("output") == [1.0, 0.5, None, None]


def test_missing_value_of_a_map_is_no_default() -> None:
    table = pa.table({"input": pa.array([[("a", None)]], pa.map_(pa.string(), pa.string())), "key": ["a"]})
    assert model_of(MapEntrySelector(STRING, STRING, "x")).transform(table)["output"].to_pylist() == [None]
    table = pa.table({"input": pa.array([[("a", None)]], pa.map_(pa.string(), pa.int64())), "key": ["a"]})
    found = model_of(MapEntrySelector(STRING, BasicType.LONG, 1)).transform(table, on_error="null")
    assert found["output"].to_pylist() == [None]


def test_coalesce_fails_for_a_hole_that_may_not_be_even_behind_a_number() -> None:
    assert [v for v in run(Coalesce((True, True)), [None, 2.0], [NAN, 2.0], [None, None]) if v == v] == [2.0, None]
    schema = Schema.of([("input0", ScalarType(BasicType.DOUBLE)), ("input1", ScalarType(BasicType.DOUBLE))])
    found = model_of(Coalesce((True, False))).transform(LeapFrame(schema, [(1.0, None), (None, 2.0)]), on_error="null")
    assert found.column("output") == [None, 2.0]


def test_labeler_counts_what_is_not_stored_and_fails_without_a_label() -> None:
    labeler = MultinomialLabeler(0.0, ("un", "deux"))
    found = run(labeler, [Tensor.sparse(2, [1], [0.5])], [Tensor.dense([-1.0, NAN])], [Tensor.dense([-1.0, 0.0, 0.0])])
    assert found == [([0.0, 0.5], ["un", "deux"]), ([], []), (None, None)]


def test_labeler_fails_for_a_tensor_of_two_dimensions() -> None:
    assert run(MultinomialLabeler(0.0, ("un",)), [Tensor.dense([[1.0]])]) == [(None, None)]


def test_hasher_adds_numbers_and_counts_categories() -> None:
    op = FeatureHasher(
        1, ("c",), (SCALAR,) * 4, (BasicType.DOUBLE, STRING, BasicType.INT, BasicType.FLOAT), tuple("nscf")
    )
    found = run(op, [1.5, "x", 7, 0.25], [None, None, 7, -0.0], [None] * 4)
    assert [plain(v) for v in found] == [[3.75], [1.0], [0.0]]


def test_value_that_does_not_fit_the_hashers_type_is_cast() -> None:
    op = hasher(32, True)
    schema = Schema.of([(port, ScalarType(STRING)) for port in op.inputs()])
    row = ["1", "1", "1", "1", "1", "1.5", "1.5", "x"]
    (ours,) = model_of(op).transform(LeapFrame(schema, [tuple(row)])).column("output")
    assert ours == run(op, [True, 1, 1, 1, 1, 1.5, 1.5, "x"])[0]


# ---- missing tokens ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (StopWordsRemover(("a",), False), [[None, "b"], ["c"]]),
        (NGram(2), [["a null", "null b"], []]),
        (WordLengthFilter(0), [None, ["c"]]),
        (HashingTermFrequency(50), [{42, 22, 20}, {8}]),
        (CountVectorizer(("a", "b"), False, 0.4), [[0.0, 0.0], [0.0, 0.0]]),
        (WordToVector(("a", "b"), (3.0, 6.0)), [[3.0], [0.0]]),
    ],
)
def test_missing_token_is_treated_as_mleap_treats_null(op: Op, expected: list[Any]) -> None:
    table = pa.table({"input": [["a", None, "b"], ["c"]]})
    found = model_of(op).transform(table, on_error="null")["output"].to_pylist()
    if isinstance(op, HashingTermFrequency):
        found = [set(np.flatnonzero(v).tolist()) for v in found]
        assert [42 in v for v in found] == [True, False]
    else:
        assert found == expected


# ---- rows do not know of each other -----------------------------------------------------------------------------------


def same(a: Any, b: Any) -> bool:
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b) or (isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b))


@pytest.mark.slow
@pytest.mark.parametrize("op", OPS, ids=lambda op: op.op)
@given(data=st.data())
@settings(max_examples=6, deadline=None)
def test_batch_gives_what_its_rows_give_one_by_one(op: Op, data: st.DataObject) -> None:
    rows = data.draw(rows_of(op, 5))
    together = [plain(v) for v in run(op, *rows)]
    alone = [plain(run(op, row)[0]) for row in rows]
    assert same(together, alone), (together, alone)


def test_pattern_that_means_something_else_outside_of_the_jvm_is_rejected_by_name() -> None:
    frame = LeapFrame(Schema.of([("input", ScalarType(STRING))]), [("aa",)])
    with pytest.raises(UnsupportedOpError, match="'\\(a\\)\\\\\\\\1' has a back reference"):
        model_of(RegexTokenizer(r"(a)\1", False, 1, False)).transform(frame)


def test_column_of_another_kind_is_rejected() -> None:
    frame = LeapFrame(Schema.of([("input", ScalarType(STRING))]), [("aa",)])
    with pytest.raises(SchemaError):
        model_of(NGram(2)).transform(frame)


@pytest.mark.parametrize("base", [BasicType.DOUBLE, BasicType.STRING])
def test_the_name_of_a_hashed_feature_may_hold_half_of_a_surrogate_pair(base: BasicType) -> None:
    def hashed(name: str) -> list[float]:
        op = FeatureHasher(8, (), (DataShape("scalar", True),), (base,), (name,))
        (port,) = op.inputs()
        model = Model.from_node(Node("hash", op, (Socket(port, "x"),), (Socket("output", "y"),)))
        value = 2.5 if base is BasicType.DOUBLE else "a"
        result: list[float] = model.transform(LeapFrame(model.schema.inputs, [(value,)])).rows[0][1].to_dense().tolist()
        return result

    # Java hashes a question mark in its place.
    assert hashed("\ud83d") == hashed("?")


def test_token_lists_of_different_lengths_become_vectors_of_their_sizes() -> None:
    words, scaled = NGram(1), StandardScaler(mean=None, std=np.array([2.0]))
    nodes = (
        Node("words", words, (Socket("input", "x"),), (Socket("output", "w"),)),
        Node("scale", scaled, (Socket("input", "w"),), (Socket("output", "y"),)),
    )
    model = Model.from_node(Pipeline("p", nodes))
    frame = LeapFrame(model.schema.inputs, [(["4"],), (["4", "6"],), (["8"],)])
    result = model.transform(frame, on_error="null")
    rows = [None if y is None else y.to_dense().tolist() for y in result.column("y")]
    assert (rows[0], rows[2]) == ([2.0], [4.0])
