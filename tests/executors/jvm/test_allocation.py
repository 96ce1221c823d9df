"""The emitted classes allocate nothing per row; allocations are counted, since times vary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

import leapstream
from leapstream import LeapFrame, Tensor
from leapstream.executors.jvm import gateway
from leapstream.executors.jvm.emitter import emit
from tests.golden_corpus import GOLDEN, Case

pytestmark = pytest.mark.flink

BENCH = GOLDEN.parent / "bench"
COUNTER = """
package leapstream.generated;

import java.lang.management.ManagementFactory;

import leapstream.runtime.RowModel;
import leapstream.runtime.Vec;

public final class Counter {

    public static long count(RowModel model, Object[] row, int rows) {
        com.sun.management.ThreadMXBean threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long id = Thread.currentThread().getId();
        long before = 0;
        for (int i = -rows; i < rows; i++) {
            if (i == 0) {
                before = threads.getThreadAllocatedBytes(id);
            }
            for (int k = 0; k < row.length; k++) {
                model.setInput(k, row[k]);
            }
            model.run();
        }
        return threads.getThreadAllocatedBytes(id) - before;
    }

    public static Vec vector(Object[] elements) {
        Vec vector = new Vec();
        double[] values = vector.dense(elements.length);
        for (int i = 0; i < elements.length; i++) {
            values[i] = ((Double) elements[i]).doubleValue();
        }
        return vector;
    }
}
"""


CASES = {
    name: (BENCH / f"{name}.zip", BENCH / f"{name}.input.json") for name in ("linear3", "forest3-20x5", "forest3-100x8")
}
CASES |= {
    name: (Case(GOLDEN / "pipeline" / name).bundle, GOLDEN / "pipeline" / name / "input.json")
    for name in ("loans-logistic", "loans-random-forest", "loans-gbt")
}


@pytest.mark.parametrize("name", CASES)
def test_a_row_allocates_nothing(java: None, name: str) -> None:
    bundle, path = CASES[name]
    model, frame = leapstream.load(bundle), LeapFrame.read(path)
    # Py4J knows the methods of a class by its name alone.
    class_name = f"leapstream.generated.Counted{list(CASES).index(name)}"
    emitted = emit(model.plan(outputs=model.prediction_columns()), class_name)
    classes = gateway.compile_java({emitted.class_name: emitted.source, "leapstream.generated.Counter": COUNTER})
    ready = gateway.runtime()
    jvm = ready.gateway.jvm

    def array(values: Sequence[Any]) -> Any:
        made = ready.gateway.new_array(jvm.Object, len(values))
        for i, value in enumerate(values):
            made[i] = value
        return made

    loader = gateway.class_loader(ready.gateway, classes, ready.loader)
    opened = loader.loadClass(emitted.class_name).getConstructors()[0].newInstance(array([]))
    opened.open(jvm.java.io.DataInputStream(jvm.java.io.ByteArrayInputStream(emitted.data)))
    methods = {m.getName(): m for m in loader.loadClass("leapstream.generated.Counter").getMethods()}

    def java_value(value: Any) -> Any:
        if isinstance(value, Tensor):
            return methods["vector"].invoke(None, array([array(value.to_dense().tolist())]))
        return value if value is None or isinstance(value, str) else float(value)

    given = frame.rows[0]
    row = array([java_value(given[frame.schema.names.index(f.name)]) for f in model.plan().inputs])
    # An object takes 16 bytes; the virtual machine may allocate a few of its own when it changes compiled code.
    assert methods["count"].invoke(None, array([opened, row, 10_000])) < 10_000
