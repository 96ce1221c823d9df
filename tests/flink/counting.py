"""A reporter of metrics in this process's Flink, which keeps the last values of the counters of a name, and of gauges."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from pyflink.java_gateway import get_gateway
from pyflink.table import TableEnvironment

from leapstream.executors.jvm.gateway import compile_java
from leapstream.executors.jvm.jar import write_jar
from leapstream.flink.jars import add_jar

_numbers = itertools.count()
_FACTORY = "leapstream.test.CountingReporter"
# A metric is read when its operator ends.
_REPORTER = """package leapstream.test;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

public class CountingReporter implements MetricReporter, MetricReporterFactory {

    private String property;
    private String counter;

    public MetricReporter createMetricReporter(java.util.Properties properties) {
        return this;
    }

    public void open(MetricConfig config) {
        property = config.getString("property", null);
        counter = config.getString("counter", null);
    }

    public void close() {}

    public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {}

    public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {
        if (metric instanceof Gauge && group.getMetricIdentifier(name).contains(".leapstream.")) {
            System.setProperty(
                property + group.getMetricIdentifier(name), String.valueOf(((Gauge) metric).getValue()));
        }
        if (name.equals(counter)) {
            synchronized (System.class) {
                long sum = Long.getLong(property, 0).longValue() + ((Counter) metric).getCount();
                System.setProperty(property, String.valueOf(sum));
            }
        }
    }
}
"""


class _Reported:
    """The values that a reporter of an environment's jobs keeps, as properties of the JVM that begin alike."""

    def __init__(self, table_env: TableEnvironment, directory: Path, counter: str = "") -> None:
        jar = directory / "counting.jar"
        service = "META-INF/services/org.apache.flink.metrics.reporter.MetricReporterFactory"
        write_jar(jar, compile_java({_FACTORY: _REPORTER}), {service: f"{_FACTORY}\n".encode()}, {})
        add_jar(table_env, jar)
        self._property = f"leapstream.test.metrics.{next(_numbers)}."
        options = table_env.get_config()
        options.set("metrics.reporter.counting.factory.class", _FACTORY)
        options.set("metrics.reporter.counting.property", self._property)
        options.set("metrics.reporter.counting.counter", counter)


class Counted(_Reported):
    """The sum of the counters of a name in an environment's jobs that have ended."""

    def count(self) -> int:
        """The sum, once a job has ended: its rows may come before its end."""
        system, deadline = get_gateway().jvm.System, time.monotonic() + 10
        while system.getProperty(self._property) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.5)
        return int(system.getProperty(self._property, "0"))


class Predictions(Counted):
    """The number of predictions of an environment's jobs that have ended."""

    def __init__(self, table_env: TableEnvironment, directory: Path) -> None:
        super().__init__(table_env, directory, "predictions")


class Gauges(_Reported):
    """The last values of the gauges of leapstream in an environment's jobs that have ended."""

    def read(self, group: str, number: int) -> dict[str, float]:
        """So many gauges below a group, by what follows it in their names."""
        system, deadline = get_gateway().jvm.System, time.monotonic() + 10
        found: dict[str, float] = {}
        while len(found) < number and time.monotonic() < deadline:
            names = [name for name in system.getProperties().stringPropertyNames() if name.startswith(self._property)]
            found = {name.partition(group)[2]: float(system.getProperty(name)) for name in names if group in name}
        return found
