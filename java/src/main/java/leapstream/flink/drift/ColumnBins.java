package leapstream.flink.drift;

import java.lang.reflect.Array;
import java.util.HashMap;
import java.util.Map;
import leapstream.flink.live.StoredModel;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.table.data.binary.BinaryStringData;

/** The bins of a column in a profile. */
final class ColumnBins {

    private static final double LEAST_SHARE = 1e-4;

    final String side;
    final boolean hasBins;
    final double missingRate;

    private final String name;
    private final int element;
    private final long[] expected;
    private final int missing;
    private final NumberBins numbers;
    private final Map places;
    private final TextBins bytes;

    ColumnBins(JsonNode column) {
        name = StoredModel.field(column, "name").asText();
        element = StoredModel.field(column, "element").asInt(-1);
        side = StoredModel.field(column, "side").asText();
        String kind = StoredModel.field(column, "kind").asText();
        hasBins = !kind.equals("other");
        JsonNode counts = StoredModel.field(column, "counts");
        expected = new long[counts.size()];
        missing = expected.length;
        long rows = StoredModel.field(column, "missing").asLong();
        double without = rows;
        for (int i = 0; i < expected.length; i++) {
            expected[i] = ((JsonNode) counts.get(i)).asLong();
            rows += expected[i];
        }
        missingRate = rows == 0 ? 0 : without / rows;
        JsonNode bounds = StoredModel.field(column, "edges");
        double[] edges = kind.equals("number") ? new double[bounds.size()] : null;
        for (int i = 0; edges != null && i < edges.length; i++) {
            edges[i] = ((JsonNode) bounds.get(i)).asDouble();
        }
        numbers = edges == null ? null : new NumberBins(edges);
        places = kind.equals("category") ? new HashMap() : null;
        JsonNode values = StoredModel.field(column, "values");
        String[] texts = new String[places == null ? 0 : values.size()];
        for (int i = 0; i < texts.length; i++) {
            String text = ((JsonNode) values.get(i)).asText();
            places.put(text, Integer.valueOf(i));
            texts[i] = text;
        }
        bytes = new TextBins(texts);
    }

    /** The column's name, and the place of an element: {@code probability[1]}. */
    String label() {
        return element < 0 ? name : name + "[" + element + "]";
    }

    /** The number of bins, and one more for missing values. */
    int size() {
        return expected.length + 1;
    }

    /** The place of a value's bin; the last one is that of missing values. */
    int place(Object given) {
        Object value = element < 0 || given == null ? given : element(given);
        if (value == null) {
            return missing;
        }
        if (numbers != null) {
            double number = value instanceof Double ? ((Double) value).doubleValue() : number(value);
            return number == number ? numbers.place(number) : missing;
        }
        if (places != null) {
            if (value instanceof BinaryStringData) {
                int place = bytes.place((BinaryStringData) value);
                return place < 0 ? missing - 1 : place;
            }
            Integer place = (Integer) places.get(value.toString());
            return place == null ? missing - 1 : place.intValue();
        }
        return 0;
    }

    /** The element of a vector; null if it is none, or is too short. */
    private Object element(Object vector) {
        if (vector instanceof double[]) {
            double[] numbers = (double[]) vector;
            return element < numbers.length ? Double.valueOf(numbers[element]) : null;
        }
        boolean isLongEnough = vector.getClass().isArray() && element < Array.getLength(vector);
        return isLongEnough ? Array.get(vector, element) : null;
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
