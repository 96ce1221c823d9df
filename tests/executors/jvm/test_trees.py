from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from leapstream import PredictionError, Tensor
from leapstream.bundle.definition import Tree
from leapstream.executors.jvm import gateway
from leapstream.executors.jvm.emitter import emit
from leapstream.executors.jvm.jar import write_jar
from leapstream.plan import primitives as p
from tests.executors.jvm.conftest import Run, column, plan_of
from tests.trees import ENSEMBLES, ensemble, expected, random_tree, telling

pytestmark = pytest.mark.flink


@pytest.mark.parametrize("kind", ENSEMBLES)
def test_ensemble_gives_bit_for_bit_what_a_walk_from_node_to_node_gives(run: Run, kind: str) -> None:
    rng = np.random.default_rng(7)
    x = column(p.vector(None))
    for width in (1, 2, 4, 4):
        expr = ensemble(kind, x, rng, 3)
        rows = rng.choice(telling(expr), (40, width))
        found = run(expr, x, rows=[[Tensor.dense(row)] for row in rows])
        for ours, theirs in zip(found, expected(expr, rows), strict=True):
            if theirs is None:
                assert isinstance(ours, PredictionError) and "beyond the vector's" in ours.reason
            else:
                np.testing.assert_array_equal(ours.to_dense() if isinstance(ours, Tensor) else ours, theirs)


def test_thousand_deep_trees_make_a_jar_that_opens_within_a_second(java: None, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    trees: list[Tree] = [random_tree(rng, 8, 20, split=1.0) for _ in range(20)]
    x = column(p.vector(20))
    plan = plan_of(p.Trees(x=x, trees=tuple(trees) * 50, combine="mean", width=1, type=p.DOUBLE), x)
    model = emit(plan, "leapstream.generated.Thousand")
    classes = gateway.compile_java({model.class_name: model.source})
    write_jar(tmp_path / "model.jar", classes, {"model.bin": model.data}, {})
    assert len(ZipFile(BytesIO((tmp_path / "model.jar").read_bytes())).read("model.bin")) == len(model.data)

    ready = gateway.runtime()
    jvm = ready.gateway.jvm
    loader = gateway.class_loader(ready.gateway, classes, ready.loader)
    none = ready.gateway.new_array(jvm.Object, 0)
    data = jvm.java.io.ByteArrayInputStream(model.data)
    seconds = []
    for _ in range(3):
        opened = loader.loadClass(model.class_name).getConstructors()[0].newInstance(none)
        data.reset()
        start = time.perf_counter()
        opened.open(jvm.java.io.DataInputStream(data))
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1.0, seconds
