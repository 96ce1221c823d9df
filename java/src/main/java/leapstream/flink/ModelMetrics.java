package leapstream.flink;

import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;
import org.apache.flink.runtime.metrics.groups.AbstractMetricGroup;

/**
 * The metrics of a model, in the group leapstream.model.NAME.version.VERSION: predictions, failures, loadTimeMs, and
 * latencyNanos, the time of one prediction in 1024.
 */
public final class ModelMetrics {

    private static final int SAMPLED = 1024;
    private static final int KEPT = 1000;

    private final Count predictions = new Count();
    private final Count failures = new Count();
    private final Histogram latency = new DescriptiveStatisticsHistogram(KEPT);
    private final MetricGroup group;

    public ModelMetrics(MetricGroup parent, String model, String version, final long loadNanos) {
        group = parent.addGroup("leapstream").addGroup("model", model).addGroup("version", version);
        group.counter("predictions", predictions);
        group.counter("failures", failures);
        group.histogram("latencyNanos", latency);
        group.gauge("loadTimeMs", new Gauge() {
            public Object getValue() {
                return Long.valueOf(loadNanos / 1000000);
            }
        });
    }

    /** Takes the metrics out of the registry, where Flink has a way for it. */
    public void close() {
        if (group instanceof AbstractMetricGroup) {
            ((AbstractMetricGroup) group).close();
        }
    }

    /** Counts a prediction; when it started, or 0 if its time is not taken. */
    public long begin() {
        return ++predictions.value % SAMPLED == 0 ? System.nanoTime() : 0;
    }

    /** A prediction that began then is done. */
    public void end(long began) {
        if (began != 0) {
            latency.update(System.nanoTime() - began);
        }
    }

    /** Counts a row that fails. */
    public void failed() {
        failures.value++;
    }

    /** A counter whose owner adds to the field. */
    private static final class Count implements Counter {

        private long value;

        public void inc() {
            value++;
        }

        public void inc(long n) {
            value += n;
        }

        public void dec() {
            value--;
        }

        public void dec(long n) {
            value -= n;
        }

        public long getCount() {
            return value;
        }
    }
}
