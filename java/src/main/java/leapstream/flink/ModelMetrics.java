package leapstream.flink;

import leapstream.runtime.Printable;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;
import org.apache.flink.runtime.metrics.groups.AbstractMetricGroup;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The metrics of a model, in the group leapstream.model.NAME.version.VERSION: predictions, failures, dropped, lastError,
 * lastErrorTime, the milliseconds since 1970 at the last error, loadTimeMs, and latencyNanos, the time of one prediction in
 * 1024. Warns of rows that fail and do not stop the job.
 */
public final class ModelMetrics {

    private static final Logger LOG = LoggerFactory.getLogger(ModelMetrics.class);
    private static final int SAMPLED = 1024;
    private static final int KEPT = 1000;
    private static final long NANOS_BETWEEN_WARNINGS = 60000000000L;

    private final Count predictions = new Count();
    private final Count failures = new Count();
    private final Count dropped = new Count();
    private final Histogram latency = new DescriptiveStatisticsHistogram(KEPT);
    private final MetricGroup group;
    private final String name;
    private volatile String lastError = "";
    private volatile long lastErrorTime;
    private long unreported;
    private long warned;
    private boolean hasWarned;

    public ModelMetrics(MetricGroup parent, String model, String version, final long loadNanos) {
        name = "model '" + Printable.value(model) + "', version " + Printable.value(version);
        group = parent.addGroup("leapstream").addGroup("model", model).addGroup("version", version);
        group.counter("predictions", predictions);
        group.counter("failures", failures);
        group.counter("dropped", dropped);
        final ModelMetrics metrics = this;
        group.gauge("lastError", new Gauge() {
            public Object getValue() {
                return metrics.lastError();
            }
        });
        group.gauge("lastErrorTime", new Gauge() {
            public Object getValue() {
                return Long.valueOf(metrics.lastErrorTime);
            }
        });
        group.histogram("latencyNanos", latency);
        group.gauge("loadTimeMs", new Gauge() {
            public Object getValue() {
                return Long.valueOf(loadNanos / 1000000);
            }
        });
    }

    /** Takes the metrics out of the registry, where Flink has a way for it. */
    public void close() {
        warnOfRest();
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

    /** Counts a row that the model drops. */
    public void dropped() {
        dropped.value++;
    }

    /** Counts a row that fails. */
    public void failed(String error) {
        failures.value++;
        lastError = error;
        lastErrorTime = System.currentTimeMillis();
    }

    /** Warns, at most once a minute, of rows that fail and do not stop the job. */
    public void warn() {
        unreported++;
        long now = System.nanoTime();
        if (!hasWarned || now - warned >= NANOS_BETWEEN_WARNINGS) {
            hasWarned = true;
            warned = now;
            report();
        }
    }

    /** Warns of the rows that no warning has counted. */
    public void warnOfRest() {
        if (unreported > 0) {
            report();
        }
    }

    public String lastError() {
        return lastError;
    }

    private void report() {
        // Janino takes an array of arguments for the first one.
        LOG.warn(name + ": rows that failed since the last warning: " + unreported + ". The last error: " + lastError);
        unreported = 0;
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
