"""The answers of MLeap's JVM that leapstream does not follow, each with the reason."""

from __future__ import annotations

from leapstream import Model

_ALL_VALUES = ("string_indexer", "one_hot_encoder", "multinomial_labeler")
"""Ops that add the values of all their ports to a row, also of ports without a column."""

_ALWAYS_PREDICTION = ("one_vs_rest", "linear_svc")
"""Ops that add a prediction to a row, also where that port has no column."""


def shifted_columns(model: Model) -> frozenset[str]:
    """Columns for which the JVM gives the values of other columns: 27 of the recorded pipelines differ in them.

    A node with several outputs, of which some are not connected, adds more values to the rows of MLeap's frames than columns to
    the schema. A column is read by its position, so that each column behind has the value of the port before. leapstream does
    not follow that: the values are of other columns and mostly of other types, and MLeap contradicts itself. Its row
    transformer, which runs the same nodes, answers as leapstream does (``tests/mleap/test_unconnected.py``). Bundles that
    leapstream exports connect the ports in front, so that they have the same answers everywhere.
    """
    shifted: set[str] = set()
    moved = False
    for node in model.nodes:
        columns = node.output_columns()
        if moved:
            shifted.update(columns.values())
            continue
        ports = list(node.op.outputs())
        lacking = [i for i, port in enumerate(ports) if port not in columns]
        if node.op.op in _ALL_VALUES:
            moved = bool(lacking)
        elif node.op.op in _ALWAYS_PREDICTION:
            moved = "prediction" not in columns
        if moved:
            # Columns in front of the first port that lacks one are in place.
            shifted.update(column for port, column in columns.items() if ports.index(port) > lacking[0])
    return frozenset(shifted)


PRODUCTS = (
    "a product overflows to infinity. Spark's linear algebra adds products with a fused multiply-add on Java 11 and newer, which "
    "does not round the product, and without it on Java 8 or with a native library; so the answer depends on the machine"
)
"""The reason for different sums of products with overflows."""

SLICED_ZERO = (
    "a slice of a sparse vector has a stored 0. Spark 4 leaves it out of the slice, Spark 3 keeps it; the slices differ "
    "only behind ops that distinguish a stored 0"
)

COSINES = (
    "elements are infinite, or their sums overflow. MLeap's algorithm for the cosine transform halves the vector again and "
    "again, so that it depends on the algorithm which of the sums is NaN"
)

SURROGATES = "Java matches the empty string within a pair of surrogates; the Python backends say that they cannot tell"

EXCEPTIONS: dict[str, str] = {
    "f2-248": PRODUCTS,
    "f2-489": PRODUCTS,
    "f2-1037": PRODUCTS,
    "f2-1504": PRODUCTS,
    "f2-1518": PRODUCTS,
    "f2-2406": PRODUCTS,
    "f2-1167": "the vocabulary repeats a word, and MLeap gives a vector of 3 elements with an element at index 3",
    "f2-1632": SURROGATES,
    "p2-371": SURROGATES,
    "p2-47": SLICED_ZERO,
    "p2-1016": SLICED_ZERO,
    "p2-186": COSINES,
    "p2-1266": COSINES,
    "p2-1476": "Java 17 and Java 21 differ in where a word ends behind letters that are not ASCII; the Python backends say so",
}
"""Cases of which some rows have another answer, with the reason."""
