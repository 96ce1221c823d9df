"""Peak memory of hashed text features, and size and load time of the jar of 1,000 trees.

100,000 documents go through tokenizer, stop words, hashing TF (2**18), IDF and logistic regression, in the vectorized executor
from Arrow. Then 1,000 trees of depth 8 are compiled into a jar, which is opened as Flink opens it.

Run it with ``python benchmarks/memory.py [--documents N] [--trees N]``.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from leapstream import Model
from leapstream.bundle.definition import CONTINUOUS, LEAF, Socket, Tree
from leapstream.ops.feature.text import IDF, HashingTermFrequency, StopWordsRemover, Tokenizer
from leapstream.ops.linear import LogisticRegression
from leapstream.ops.pipeline import Node, Pipeline
from leapstream.ops.trees import DecisionTreeRegression, RandomForestRegression

FEATURES = 1 << 18


def peak() -> float:
    """The most memory that this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def text_model(rng: np.random.Generator) -> Model:
    """The pipeline, over a column ``text``."""
    ops = [
        ("words", Tokenizer()),
        ("left", StopWordsRemover(("the", "a", "of", "and", "to", "in"), case_sensitive=False)),
        ("counts", HashingTermFrequency(FEATURES)),
        ("features", IDF(rng.uniform(0.5, 5.0, FEATURES))),
        ("prediction", LogisticRegression(2, rng.normal(size=FEATURES), 0.1, 0.5)),
    ]
    columns = ["text", *(column for column, _ in ops)]
    nodes = []
    for before, (after, op) in zip(columns, ops, strict=False):
        (given,) = op.inputs()
        made = "prediction" if "prediction" in op.outputs() else next(iter(op.outputs()))
        nodes.append(Node(after, op, (Socket(given, before),), (Socket(made, after),)))
    return Model.from_node(Pipeline("text", tuple(nodes)))


def documents(rng: np.random.Generator, count: int) -> list[str]:
    """Documents of 20 to 200 words out of 50,000."""
    words = np.array([f"word{n}" for n in range(50_000)])
    lengths = rng.integers(20, 200, count)
    return [" ".join(words[(rng.pareto(1.0, n) * 20).astype(int) % len(words)]) for n in lengths]


def full_tree(rng: np.random.Generator, depth: int, features: int) -> Tree:
    """A tree with all of its leaves at one depth, in pre-order."""
    inner, total = 2**depth - 1, 2 ** (depth + 1) - 1
    kind, right = np.empty(total, dtype=np.uint8), np.full(total, -1, dtype=np.int32)

    def place(node: int, left: int) -> None:
        kind[node] = LEAF if left == 0 else CONTINUOUS
        if left:
            right[node] = node + 2**left
            place(node + 1, left - 1)
            place(int(right[node]), left - 1)

    place(0, depth)
    leaf = kind == LEAF
    feature, threshold = rng.integers(0, features, total).astype(np.int32), rng.normal(size=total)
    feature[leaf], threshold[leaf] = -1, np.nan
    end = np.cumsum(leaf).astype(np.int32)
    return Tree(
        kind=kind,
        feature=feature,
        threshold=threshold,
        right=right,
        data_start=end - leaf.astype(np.int32),
        data_end=end,
        data=rng.normal(size=total - inner),
        num_categories=np.zeros(total, dtype=np.int32),
    )


def jar_of(trees: int, rng: np.random.Generator) -> tuple[int, float]:
    """Bytes of the jar of a forest, and the seconds that its class takes to open."""
    from leapstream.executors.jvm.gateway import gateway
    from leapstream.flink import Target, compile_jar

    forest = RandomForestRegression(
        20, (1.0,) * trees, tuple(DecisionTreeRegression(full_tree(rng, 8, 20), 20) for _ in range(trees))
    )
    model = Model.from_node(
        Node("forest", forest, (Socket("features", "features"),), (Socket("prediction", "prediction"),))
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "forest.jar")
        compile_jar([Target("Forest", model)], path)
        gate = gateway()
        jvm = gate.jvm
        urls = gate.new_array(jvm.java.net.URL, 1)
        urls[0] = jvm.java.net.URL(path.as_uri())
        loader = jvm.java.net.URLClassLoader(urls, jvm.Thread.currentThread().getContextClassLoader())
        function = loader.loadClass("leapstream.models.Forest").getConstructors()[0].newInstance(None)
        context = jvm.org.apache.flink.table.functions.FunctionContext(None)
        start = time.perf_counter()
        function.open(context)
        return path.stat().st_size, time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--trees", type=int, default=1000)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    model = text_model(rng)
    table = pa.table({"text": documents(rng, arguments.documents)})
    before = peak()
    start = time.perf_counter()
    model.predict(table)
    seconds = time.perf_counter() - start
    print(
        f"{arguments.documents:,} documents, {FEATURES:,} features: {seconds:.1f} s, peak {peak():.0f} MiB ({before:.0f} before)"
    )
    size, opening = jar_of(arguments.trees, rng)
    print(f"{arguments.trees:,} trees of depth 8: jar of {size / 1e6:.1f} MB, opened in {opening:.2f} s")


if __name__ == "__main__":
    main()
