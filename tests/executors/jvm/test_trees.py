from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from leapstream.bundle.definition import Tree
from leapstream.executors.jvm import gateway
from leapstream.executors.jvm.emitter import emit
from leapstream.executors.jvm.jar import write_jar
from leapstream.plan import primitives as p
from tests.primitives.cases import column, plan_of
from tests.trees import random_tree

pytestmark = pytest.mark.flink


def test_thousand_deep_trees_make_a_jar_that_opens_within_a_second(java: None, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    trees: list[Tree] = [random_tree(rng, 8, 20, split=1.0) for _ in range(20)]
    x = column(p.vector(20))
    plan = plan_of(out=p.Trees(x=x, trees=tuple(trees) * 50, combine="mean", width=1, type=p.DOUBLE))
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
