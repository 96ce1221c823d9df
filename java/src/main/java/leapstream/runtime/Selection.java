package leapstream.runtime;

import java.util.ArrayList;
import java.util.Arrays;

/** Picks elements of vectors; results go into a buffer that the caller owns. */
public final class Selection {

    private Selection() {}

    public static double item(Vec x, int i) {
        if (i >= x.size) {
            throw Failures.elementBeyond(x.size, i);
        }
        if (x.index == null) {
            return x.value[i];
        }
        for (int k = 0; k < x.count; k++) {
            if (x.index[k] == i) {
                return x.value[k];
            }
        }
        return 0;
    }

    /**
     * Elements by index. A sparse vector lacks those beyond it, and with rising those whose index is not greater than all
     * before.
     */
    public static Vec take(Vec x, int[] indices, boolean rising, Vec buffer, Vec out) {
        if (x.index == null) {
            double[] values = out.dense(indices.length);
            for (int j = 0; j < indices.length; j++) {
                if (indices[j] >= x.size) {
                    throw Failures.elementBeyond(x.size, indices[j]);
                }
                values[j] = x.value[indices[j]];
            }
            return out;
        }
        Vec sorted = Vectors.ordered(x, buffer);
        out.sparse(indices.length, indices.length);
        int highest = -1;
        for (int j = 0; j < indices.length; j++) {
            if (rising && indices[j] <= highest) {
                continue;
            }
            highest = Math.max(highest, indices[j]);
            int found = Arrays.binarySearch(sorted.index, 0, sorted.count, indices[j]);
            if (found >= 0) {
                out.store(j, sorted.value[found]);
            }
        }
        return out;
    }

    /** The dimensions are null for a vector. */
    public static Vec reshape(Vec x, int[] dimensions, int size, Vec out) {
        if (x.size != size) {
            throw Failures.wrongTensorSize(x.size, size);
        }
        Vectors.copyStored(x, out);
        out.dimensions = dimensions;
        return out;
    }

    /** The elements of a vector that are at least a threshold, or their positions, as a list of doubles. */
    public static Object[] elementsAtLeast(Vec x, double threshold, int limit, boolean positions, Vec buffer) {
        double[] values = Vectors.elements(x, buffer);
        ArrayList found = new ArrayList();
        for (int i = 0; i < x.size; i++) {
            if (values[i] >= threshold) {
                if (i >= limit) {
                    throw Failures.elementWithoutLabel(limit);
                }
                found.add(Double.valueOf(positions ? i : values[i]));
            }
        }
        return found.toArray();
    }
}
