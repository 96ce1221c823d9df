package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.Arrays;

/** Looks some elements of a vector up, each in its own table. */
public final class Recoding {

    private final int[] positions;
    private final int[] starts;
    private final double[] keys;
    private final double[] values;

    /** The numbers for elements that are not in their tables; null if such an element fails. */
    private final double[] others;

    public Recoding(DataInputStream data) throws IOException {
        positions = Data.readInts(data);
        starts = Data.readInts(data);
        keys = Data.readDoubles(data);
        values = Data.readDoubles(data);
        others = data.readBoolean() ? Data.readDoubles(data) : null;
    }

    public Vec recode(Vec x, int size, Vec out) {
        Vectors.requireSize(x, size);
        Vectors.copyStored(x, out);
        if (x.index == null) {
            for (int table = 0; table < positions.length; table++) {
                out.value[positions[table]] = find(table, x.value[positions[table]]);
            }
        } else {
            for (int k = 0; k < x.count; k++) {
                int table = Arrays.binarySearch(positions, x.index[k]);
                if (table >= 0) {
                    out.value[k] = find(table, x.value[k]);
                }
            }
        }
        return out;
    }

    private double find(int table, double x) {
        // Adding 0 makes -0.0 the key 0.0.
        int found = Arrays.binarySearch(keys, starts[table], starts[table + 1], x + 0.0);
        if (found >= 0) {
            return values[found];
        }
        if (others == null) {
            throw Failures.unknownCategory(x, positions[table]);
        }
        return others[table];
    }
}
