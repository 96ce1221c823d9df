package leapstream.flink.drift;

import java.util.ArrayList;
import java.util.List;

/** The counts of a window, as an aggregate function keeps them: Flink stores them as a structured type. */
public final class DriftCounts {

    /** The model: STORE/NAME. */
    public String model;

    /** The version, whose profile has the bins. */
    public String version;

    /** The names of the columns that are counted, with commas between them. */
    public String columns;

    /** The rows in each bin of each column, and after a column's bins its missing values; null before the first row. */
    public long[] counts;

    /** Adds the counts of another part of the window. */
    void add(DriftCounts other) {
        if (other.counts == null) {
            return;
        }
        if (counts == null) {
            model = other.model;
            version = other.version;
            columns = other.columns;
            counts = (long[]) other.counts.clone();
            return;
        }
        for (int i = 0; i < counts.length; i++) {
            counts[i] += other.counts[i];
        }
    }

    /** The texts between commas, without the spaces around them. */
    static String[] split(String columns) {
        List found = new ArrayList();
        String[] parts = columns.split(",");
        for (int i = 0; i < parts.length; i++) {
            String part = parts[i].trim();
            if (!part.isEmpty()) {
                found.add(part);
            }
        }
        return (String[]) found.toArray(new String[0]);
    }
}
