package leapstream.flink.drift;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.metrics.MetricGroup;

/** The bins of the versions that a task has met. */
final class KnownBins {

    private static final int MOST_VERSIONS = 64;

    private final MetricGroup group;
    private final Map known = new HashMap();

    /** @param group the group of the gauges; null for none */
    KnownBins(MetricGroup group) {
        this.group = group;
    }

    /** The bins of columns of a version, which are read the first time. */
    VersionBins bins(String model, String version, String columns) throws IOException {
        String key = model + "\n" + version + "\n" + columns;
        VersionBins found = (VersionBins) known.get(key);
        if (found == null) {
            if (known.size() >= MOST_VERSIONS) {
                known.clear();
            }
            found = VersionBins.read(model, version, columns, group);
            known.put(key, found);
        }
        return found;
    }
}
