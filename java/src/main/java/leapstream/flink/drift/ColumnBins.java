package leapstream.flink.drift;

import java.util.HashMap;
import java.util.Map;
import leapstream.flink.live.StoredModel;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/** The bins of a column in a profile. */
final class ColumnBins {

    private static final double LEAST_SHARE = 1e-4;

    final String name;
    final String side;
    final boolean hasBins;
    final double missingRate;

    private final long[] expected;
    private final double[] edges;
    private final Map places;

    ColumnBins(JsonNode column) {
        name = StoredModel.field(column, "name").asText();
        side = StoredModel.field(column, "side").asText();
        String kind = StoredModel.field(column, "kind").asText();
        hasBins = !kind.equals("other");
        JsonNode counts = StoredModel.field(column, "counts");
        expected = new long[counts.size()];
        long rows = StoredModel.field(column, "missing").asLong();
        double missing = rows;
        for (int i = 0; i < expected.length; i++) {
            expected[i] = ((JsonNode) counts.get(i)).asLong();
            rows += expected[i];
        }
        missingRate = rows == 0 ? 0 : missing / rows;
        JsonNode bounds = StoredModel.field(column, "edges");
        edges = kind.equals("number") ? new double[bounds.size()] : null;
        for (int i = 0; edges != null && i < edges.length; i++) {
            edges[i] = ((JsonNode) bounds.get(i)).asDouble();
        }
        places = kind.equals("category") ? new HashMap() : null;
        JsonNode values = StoredModel.field(column, "values");
        for (int i = 0; places != null && i < values.size(); i++) {
            places.put(((JsonNode) values.get(i)).asText(), Integer.valueOf(i));
        }
    }

    /** The number of bins, and one more for missing values. */
    int size() {
        return expected.length + 1;
    }

    /** The place of a value's bin; the last one is that of missing values. */
    int place(Object value) {
        if (value == null) {
            return expected.length;
        }
        if (edges != null) {
            double number = number(value);
            return Double.isNaN(number) ? expected.length : place(number);
        }
        if (places != null) {
            Integer place = (Integer) places.get(value.toString());
            return place == null ? expected.length - 1 : place.intValue();
        }
        return 0;
    }

    private static double number(Object value) {
        if (value instanceof Number) {
            return ((Number) value).doubleValue();
        }
        if (value instanceof Boolean) {
            return ((Boolean) value).booleanValue() ? 1 : 0;
        }
        try {
            return Double.parseDouble(value.toString());
        } catch (NumberFormatException e) {
            return Double.NaN;
        }
    }

    /** The number of bounds that are less than a number: a bound belongs to the bin below it. */
    private int place(double number) {
        int low = 0;
        int high = edges.length;
        while (low < high) {
            int middle = low + high >>> 1;
            if (edges[middle] < number) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** The population stability index of counts that begin at a place; null if there are none, or no bins. */
    Double psi(long[] counts, int start) {
        double before = 0;
        double now = 0;
        for (int i = 0; i < expected.length; i++) {
            before += expected[i];
            now += counts[start + i];
        }
        if (!hasBins || before == 0 || now == 0) {
            return null;
        }
        double sum = 0;
        for (int i = 0; i < expected.length; i++) {
            double then = Math.max(expected[i] / before, LEAST_SHARE);
            double today = Math.max(counts[start + i] / now, LEAST_SHARE);
            sum += (today - then) * Math.log(today / then);
        }
        return Double.valueOf(sum);
    }

    /** The rows that were counted. */
    long rows(long[] counts, int start) {
        long rows = 0;
        for (int i = 0; i < size(); i++) {
            rows += counts[start + i];
        }
        return rows;
    }
}
