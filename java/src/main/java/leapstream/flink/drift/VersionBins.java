package leapstream.flink.drift;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import leapstream.flink.live.StoredModel;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.types.Row;

/** The bins of some columns of a version, from its profile, and the gauges of their last window. */
final class VersionBins {

    private static final String PROFILE = "profile.json";
    private static final int MOST_PROFILE = 8 << 20;

    private final String model;
    private final String version;
    private final ColumnBins[] columns;
    private final int[] places;
    private final int[] starts;
    private final int size;
    private final Reading[] readings;

    /** @param places the places of the columns among those that were asked for */
    private VersionBins(String model, String version, ColumnBins[] columns, List places, MetricGroup group) {
        this.model = model;
        this.version = version;
        this.columns = columns;
        this.places = new int[columns.length];
        starts = new int[columns.length];
        readings = new Reading[columns.length];
        int total = 0;
        MetricGroup own = group == null
                ? null
                : group.addGroup("leapstream").addGroup("drift", model).addGroup("version", version);
        for (int i = 0; i < columns.length; i++) {
            this.places[i] = ((Integer) places.get(i)).intValue();
            starts[i] = total;
            total += columns[i].size();
            readings[i] = own == null ? new Reading() : new Reading(own.addGroup("column", columns[i].label()));
        }
        size = total;
    }

    /** Reads the profile of a version from its store; without a group there are no gauges. */
    static VersionBins read(String uri, String version, String names, MetricGroup group) throws IOException {
        StoredModel stored = new StoredModel(uri, null, version, 1);
        byte[] data = stored.file(version, PROFILE, MOST_PROFILE);
        if (data == null) {
            throw new IOException(uri + "@" + version + " has no profile; leapstream publish --profile makes one");
        }
        JsonNode profile = StoredModel.json(data, "the profile of " + uri + "@" + version);
        if (StoredModel.field(profile, "format").asInt() != 1) {
            throw new IOException("the profile of " + uri + "@" + version + " has format "
                    + StoredModel.field(profile, "format") + ", and this version of leapstream reads 1");
        }
        String[] wanted = DriftCounts.split(names);
        JsonNode columns = StoredModel.field(profile, "columns");
        List found = new ArrayList();
        List places = new ArrayList();
        for (int i = 0; i < wanted.length; i++) {
            int before = found.size();
            for (int j = 0; j < columns.size(); j++) {
                JsonNode column = (JsonNode) columns.get(j);
                // Behind a column of vectors are its elements.
                if (StoredModel.field(column, "name").asText().equals(wanted[i])) {
                    places.add(Integer.valueOf(i));
                    found.add(new ColumnBins(column));
                }
            }
            if (found.size() == before) {
                throw new IOException("the profile of " + uri + "@" + version + " has no column '" + wanted[i] + "'");
            }
        }
        ColumnBins[] bins = (ColumnBins[]) found.toArray(new ColumnBins[0]);
        return new VersionBins(stored.name(), version, bins, places, group);
    }

    /** The number of counts. */
    int size() {
        return size;
    }

    /** Counts the values of a row, which begin at a place. */
    void count(Object[] values, int first, long[] counts) {
        for (int i = 0; i < columns.length; i++) {
            counts[starts[i] + columns[i].place(values[first + places[i]])]++;
        }
    }

    /** Counts the values of a row's fields. */
    void count(Row row, int[] positions, long[] counts) {
        for (int i = 0; i < columns.length; i++) {
            counts[starts[i] + columns[i].place(row.getField(positions[places[i]]))]++;
        }
    }

    /** The rows that were counted; each has one value of each column. */
    long rowsOf(long[] counts) {
        return columns[0].rows(counts, 0);
    }

    /** The drift of each column. */
    Row[] rows(long[] counts) {
        Row[] found = new Row[columns.length];
        for (int i = 0; i < columns.length; i++) {
            ColumnBins column = columns[i];
            int start = starts[i];
            long rows = column.rows(counts, start);
            long missing = counts[start + column.size() - 1];
            Double psi = column.psi(counts, start);
            double rate = rows == 0 ? 0 : (double) missing / rows;
            readings[i].psi = psi == null ? Double.NaN : psi.doubleValue();
            readings[i].missingRate = rate;
            Row row = new Row(8);
            row.setField(0, model);
            row.setField(1, version);
            row.setField(2, column.side);
            row.setField(3, column.label());
            row.setField(4, psi);
            row.setField(5, Double.valueOf(rate));
            row.setField(6, Double.valueOf(column.missingRate));
            row.setField(7, Long.valueOf(rows));
            found[i] = row;
        }
        return found;
    }

    /** The gauges of a column. */
    private static final class Reading {

        volatile double psi = Double.NaN;
        volatile double missingRate = Double.NaN;

        Reading() {}

        Reading(MetricGroup group) {
            group.gauge("psi", new Gauge() {
                public Object getValue() {
                    return Double.valueOf(psi);
                }
            });
            group.gauge("missingRate", new Gauge() {
                public Object getValue() {
                    return Double.valueOf(missingRate);
                }
            });
        }
    }
}
