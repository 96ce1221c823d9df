package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.Arrays;

/** Picks the elements that a model of XGBoost reads, in single precision; numbers are doubles of the same value. */
public final class FloatFeatures {

    /** The elements that are picked, each once, in order; which of them each element of the result is. */
    private final int[] used;

    private final int[] slot;

    /** For each element of the result, the number that replaces it where it is missing. */
    private final double[] missing;

    /** For each element of the result, 1 if it is rounded down. */
    private final int[] whole;

    private final double[] found;

    public FloatFeatures(DataInputStream in) throws IOException {
        used = Data.readInts(in);
        slot = Data.readInts(in);
        missing = Data.readDoubles(in);
        whole = Data.readInts(in);
        found = new double[used.length];
    }

    /** Picks elements; x may have most elements, of which none may be infinite. */
    public Vec pick(Vec x, int most, Vec out) {
        if (x.size > most) {
            throw Failures.tooLong(x.size, most);
        }
        int stored = x.stored();
        for (int k = 0; k < stored; k++) {
            if (Float.isInfinite((float) x.value[k])) {
                throw Failures.infiniteElement();
            }
        }
        if (x.index == null) {
            for (int i = 0; i < used.length; i++) {
                found[i] = used[i] < x.size ? (double) (float) x.value[used[i]] : Double.NaN;
            }
        } else {
            Arrays.fill(found, Double.NaN);
            for (int k = 0; k < stored; k++) {
                int i = Arrays.binarySearch(used, x.index[k]);
                if (i >= 0) {
                    found[i] = (double) (float) x.value[k];
                }
            }
        }
        double[] values = out.dense(slot.length);
        for (int j = 0; j < slot.length; j++) {
            double value = found[slot[j]];
            values[j] = value != value ? missing[j] : whole[j] == 1 ? Math.floor(value) : value;
        }
        return out;
    }
}
