package leapstream.runtime;

import java.util.Arrays;

/** Copies, scales and checks vectors; results go into a buffer that the caller owns. */
public final class Vectors {

    /** Vectors that are longer than declared double each time that they are put together. */
    private static final int MOST_ELEMENTS = 1 << 25;

    private Vectors() {}

    /** Returns x; fails if it is not a vector. */
    public static Vec requireVector(Vec x) {
        if (x.dimensions != null) {
            throw Failures.noVector(x.dimensions.length);
        }
        return x;
    }

    static void requireSize(Vec x, int size) {
        if (x.size != size) {
            throw Failures.wrongSize(x.size, size);
        }
    }

    /** Fails where two vectors differ in size. */
    public static void requireEqualSizes(Vec a, Vec b) {
        requireSize(b, a.size);
    }

    /** All elements of x, its own array when it is dense. */
    public static double[] elements(Vec x, Vec buffer) {
        return x.index == null ? x.value : copy(x, buffer);
    }

    /** Makes the buffer a dense copy of x. */
    public static double[] copy(Vec x, Vec buffer) {
        double[] values = buffer.dense(x.size);
        write(x, values, 0);
        return values;
    }

    private static void write(Vec x, double[] values, int at) {
        if (x.index == null) {
            System.arraycopy(x.value, 0, values, at, x.size);
            return;
        }
        Arrays.fill(values, at, at + x.size, 0.0);
        for (int k = 0; k < x.count; k++) {
            values[at + x.index[k]] = x.value[k];
        }
    }

    /** Makes the buffer a copy that stores what x stores. */
    static void copyStored(Vec x, Vec buffer) {
        if (x.index == null) {
            buffer.dense(x.size);
        } else {
            buffer.sparse(x.size, x.count);
            System.arraycopy(x.index, 0, buffer.index, 0, x.count);
            buffer.count = x.count;
        }
        System.arraycopy(x.value, 0, buffer.value, 0, x.stored());
    }

    /** The vector with its stored elements in ascending order of index; if an index repeats, its last element counts. */
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

    /** Appends a vector to a dense one. */
    public static void append(Vec x, Vec out) {
        if (x.size > MOST_ELEMENTS - out.size) {
            throw Failures.tooManyElements(MOST_ELEMENTS);
        }
        int size = out.size;
        out.grow(size + x.size);
        write(x, out.value, size);
        out.size = size + x.size;
        out.count = out.size;
    }

    /** Appends an element to a dense vector. */
    public static void append(double x, Vec out) {
        out.grow(out.size + 1);
        out.value[out.size++] = x;
        out.count = out.size;
    }

    /** Parameters that are null are left out. */
    public static Vec affine(
            Vec x,
            int size,
            double[] shift,
            double[] divisor,
            double[] factor,
            double[] offset,
            double[] fixed,
            boolean keepNaN,
            Vec out) {
        boolean keepsStored = shift == null && offset == null && fixed == null;
        if (x.size > size) {
            boolean skips = keepNaN && (x.index == null || !keepsStored) && isNaNFrom(x, size);
            if (!skips && !(keepsStored && storesBelow(x, size))) {
                throw Failures.wrongSize(x.size, size);
            }
        }
        if (keepsStored) {
            copyStored(x, out);
        } else {
            copy(x, out);
        }
        double[] values = out.value;
        int[] index = out.index;
        for (int k = 0; k < out.count; k++) {
            int i = index == null ? k : index[k];
            if (i >= size) {
                break;
            }
            double given = values[k];
            double value = given;
            if (shift != null) {
                value -= shift[i];
            }
            if (divisor != null) {
                value /= divisor[i];
            }
            if (factor != null) {
                value *= factor[i];
            }
            if (offset != null) {
                value += offset[i];
            }
            if (fixed != null && fixed[i] == fixed[i] && !(keepNaN && given != given)) {
                value = fixed[i];
            }
            values[k] = value;
        }
        return out;
    }

    /** True if all elements at an index of size or more are NaN. */
    private static boolean isNaNFrom(Vec x, int size) {
        for (int i = size; i < x.size; i++) {
            double element = x.index == null ? x.value[i] : Selection.item(x, i);
            if (element == element) {
                return false;
            }
        }
        return true;
    }

    /** True for a sparse vector that stores no element at an index of size or more. */
    private static boolean storesBelow(Vec x, int size) {
        if (x.index == null) {
            return false;
        }
        for (int k = 0; k < x.count; k++) {
            if (x.index[k] >= size) {
                return false;
            }
        }
        return true;
    }

    public static Vec clip(Vec x, double low, double high, Vec out) {
        if (low <= 0 && high >= 0) {
            copyStored(x, out);
        } else {
            copy(x, out);
        }
        for (int k = 0; k < out.count; k++) {
            out.value[k] = Functions.clip(out.value[k], low, high);
        }
        return out;
    }

    public static Vec normalize(Vec x, double p, Vec out) {
        if (!(p >= 1)) {
            throw Failures.wrongNorm(p);
        }
        copyStored(x, out);
        double norm = norm(out, p);
        if (norm != 0) {
            for (int k = 0; k < out.count; k++) {
                out.value[k] /= norm;
            }
        }
        return out;
    }

    static double norm(Vec x, double p) {
        int count = x.stored();
        double total = 0;
        if (p == 1) {
            for (int k = 0; k < count; k++) {
                total += Math.abs(x.value[k]);
            }
            return total;
        }
        if (p == 2) {
            for (int k = 0; k < count; k++) {
                total += x.value[k] * x.value[k];
            }
            return Math.sqrt(total);
        }
        if (p == Double.POSITIVE_INFINITY) {
            for (int k = 0; k < count; k++) {
                double value = Math.abs(x.value[k]);
                if (value > total) {
                    total = value;
                }
            }
            return total;
        }
        for (int k = 0; k < count; k++) {
            total += Math.pow(Math.abs(x.value[k]), p);
        }
        return Math.pow(total, 1.0 / p);
    }
}
