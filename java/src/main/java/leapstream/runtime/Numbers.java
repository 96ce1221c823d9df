package leapstream.runtime;

import java.util.Arrays;

/** Arithmetic, and vectors made of vectors; what is made goes into a buffer that the caller owns. */
public final class Numbers {

    private static final int PRIME = 2038074743;

    private Numbers() {}

    // ---- numbers --------------------------------------------------------------------------------------------------

    public static double within(double x, double low, double high) {
        if (x < low || x > high) {
            throw Failures.outsideOfBounds(x, low, high);
        }
        return x;
    }

    /** The prediction at x: at a boundary, between two, or beyond all of them. */
    public static double interpolate(double x, double[] boundaries, double[] predictions) {
        int found = Arrays.binarySearch(boundaries, x);
        if (found >= 0) {
            return predictions[found];
        }
        int above = -found - 1;
        if (above == 0) {
            return predictions[0];
        }
        if (above == boundaries.length) {
            return predictions[above - 1];
        }
        double x1 = boundaries[above - 1];
        double y1 = predictions[above - 1];
        return y1 + (predictions[above] - y1) * (x - x1) / (boundaries[above] - x1);
    }

    // ---- vectors --------------------------------------------------------------------------------------------------

    /** The same vector with its stored elements by rising index; of an index that repeats the last element counts. */
    public static Vec ordered(Vec x, Vec buffer) {
        if (x.index == null || rises(x)) {
            return x;
        }
        long[] order = new long[x.count];
        for (int k = 0; k < x.count; k++) {
            order[k] = ((long) x.index[k] << 32) | k;
        }
        Arrays.sort(order);
        buffer.sparse(x.size, x.count);
        for (int k = 0; k < x.count; k++) {
            int index = (int) (order[k] >> 32);
            if (k + 1 == x.count || index != (int) (order[k + 1] >> 32)) {
                buffer.store(index, x.value[(int) order[k]]);
            }
        }
        return buffer;
    }

    private static boolean rises(Vec x) {
        for (int k = 1; k < x.count; k++) {
            if (x.index[k - 1] >= x.index[k]) {
                return false;
            }
        }
        return true;
    }

    /**
     * Elements by index. A vector that does not store all elements lacks those beyond it, and with rising those whose index is not
     * greater than all before.
     */
    public static Vec take(Vec x, int[] indices, boolean rising, Vec buffer, Vec out) {
        if (x.index == null || x.count == x.size) {
            double[] elements = Vecs.elements(x, buffer);
            double[] values = out.dense(indices.length);
            for (int j = 0; j < indices.length; j++) {
                if (indices[j] >= x.size) {
                    throw Failures.elementBeyond(x.size, indices[j]);
                }
                values[j] = elements[indices[j]];
            }
            return out;
        }
        Vec sorted = ordered(x, buffer);
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

    /** Products of powers of elements; those of term t lie from starts[t] up to the next start. */
    public static Vec powerProducts(Vec x, int[] starts, int[] index, int[] power, Vec buffer, Vec out) {
        double[] elements = Vecs.elements(x, buffer);
        double[] result = out.dense(starts.length - 1);
        for (int t = 0; t < starts.length - 1; t++) {
            double product = 1;
            for (int k = starts[t]; k < starts[t + 1]; k++) {
                if (index[k] >= x.size) {
                    throw Failures.elementBeyond(x.size, index[k]);
                }
                double element = elements[index[k]];
                product *= power[k] == 1 ? element : Math.pow(element, power[k]);
            }
            result[t] = product;
        }
        return out;
    }

    /** The least hash, for each pair of coefficients, of the indices of elements that are not 0. */
    public static Vec minHash(Vec x, int[] a, int[] b, Vec out) {
        double[] result = out.dense(a.length);
        int nonzeros = 0;
        for (int k = 0; k < x.stored(); k++) {
            if (x.value[k] != 0) {
                int index = x.index == null ? k : x.index[k];
                for (int h = 0; h < a.length; h++) {
                    int hash = ((1 + index) * a[h] + b[h]) % PRIME;
                    if (nonzeros == 0 || hash < result[h]) {
                        result[h] = hash;
                    }
                }
                nonzeros++;
            }
        }
        if (nonzeros == 0) {
            throw Failures.allZeros();
        }
        return out;
    }

    /** The dimensions are null for a vector. */
    public static Vec reshape(Vec x, int[] dimensions, int size, Vec out) {
        if (x.size != size) {
            throw Failures.wrongTensorSize(x.size, size);
        }
        Vecs.copyStored(x, out);
        out.dimensions = dimensions;
        return out;
    }
}
