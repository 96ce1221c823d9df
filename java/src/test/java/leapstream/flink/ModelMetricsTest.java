package leapstream.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.Test;

class ModelMetricsTest {

    /** Keeps metrics by their names with those of their groups. */
    private static final class Recorded extends UnregisteredMetricsGroup {

        private final Map<String, Object> metrics;
        private final String prefix;

        Recorded(Map<String, Object> metrics, String prefix) {
            this.metrics = metrics;
            this.prefix = prefix;
        }

        @Override
        public MetricGroup addGroup(String name) {
            return new Recorded(metrics, prefix + name + ".");
        }

        @Override
        public MetricGroup addGroup(String key, String value) {
            return new Recorded(metrics, prefix + key + "." + value + ".");
        }

        @Override
        public <C extends Counter> C counter(String name, C counter) {
            metrics.put(prefix + name, counter);
            return counter;
        }

        @Override
        public <T, G extends Gauge<T>> G gauge(String name, G gauge) {
            metrics.put(prefix + name, gauge);
            return gauge;
        }

        @Override
        public <H extends Histogram> H histogram(String name, H histogram) {
            metrics.put(prefix + name, histogram);
            return histogram;
        }
    }

    private final Map<String, Object> metrics = new HashMap<>();
    private final ModelMetrics model = new ModelMetrics(new Recorded(metrics, ""), "loans", "v2", 5000000);

    private long count(String name) {
        return ((Counter) metrics.get("leapstream.model.loans.version.v2." + name)).getCount();
    }

    @Test
    void predictionsAndFailuresAreCountedByModelAndVersion() {
        model.end(model.begin());
        model.begin();
        model.failed("first");
        model.failed("last");
        model.dropped();
        assertEquals(2, count("predictions"));
        assertEquals(2, count("failures"));
        assertEquals(1, count("dropped"));
        assertEquals("last", ((Gauge<?>) metrics.get("leapstream.model.loans.version.v2.lastError")).getValue());
    }

    @Test
    void theTimeOfTheLastErrorIsZeroUntilARowFails() {
        Gauge<?> time = (Gauge<?>) metrics.get("leapstream.model.loans.version.v2.lastErrorTime");
        assertEquals(0L, time.getValue());
        long before = System.currentTimeMillis();
        model.failed("first");
        long found = (Long) time.getValue();
        assertTrue(before <= found && found <= System.currentTimeMillis());
    }

    @Test
    void loadTimeIsInMilliseconds() {
        assertEquals(5L, ((Gauge<?>) metrics.get("leapstream.model.loans.version.v2.loadTimeMs")).getValue());
    }

    @Test
    void oneLatencyIn1024IsTaken() {
        for (int i = 1; i < 1024; i++) {
            assertEquals(0, model.begin());
            model.end(0);
        }
        long began = model.begin();
        assertNotEquals(0, began);
        model.end(began);
        assertEquals(1, ((Histogram) metrics.get("leapstream.model.loans.version.v2.latencyNanos")).getCount());
    }
}
