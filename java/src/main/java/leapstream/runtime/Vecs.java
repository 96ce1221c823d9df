package leapstream.runtime;

/** Operations on vectors; what they make goes into a buffer that the caller owns. */
public final class Vecs {

    private static final double EPSILON = Math.ulp(1.0);

    private Vecs() {}

    /** The same, when it is a vector. */
    public static Vec vector(Vec x) {
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
        java.util.Arrays.fill(values, at, at + x.size, 0.0);
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

    /** Appends a vector to a dense one. */
    public static void append(Vec x, Vec out) {
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

    // ---- categories -----------------------------------------------------------------------------------------------

    /** The position of a one-hot encoder's 1. */
    public static int category(double x, int categories, boolean keep) {
        if (Math.rint(x) != x || Math.abs(x) > 2147483648.0) {
            throw Failures.noIntegerCategory(x);
        }
        if (x >= 0 && x < categories) {
            return (int) x;
        }
        if (keep) {
            return categories;
        }
        throw Failures.outsideOfCategories(x, categories);
    }

    public static Vec oneHot(int position, int width, Vec out) {
        out.sparse(width, 1);
        if (position < width) {
            out.store(position, 1.0);
        }
        return out;
    }

    /** The bucket of a number that is not NaN. */
    public static double bucket(double x, double[] splits) {
        if (x == splits[splits.length - 1]) {
            return splits.length - 2;
        }
        int found = java.util.Arrays.binarySearch(splits, x);
        if (found >= 0) {
            return found;
        }
        int above = -found - 1;
        if (above == 0 || above == splits.length) {
            throw Failures.outsideOfSplits(x);
        }
        return above - 1;
    }

    public static Vec binarize(Vec x, double threshold, Vec out) {
        double[] values = copy(x, out);
        if (x.index == null) {
            for (int i = 0; i < x.size; i++) {
                values[i] = values[i] > threshold ? 1.0 : 0.0;
            }
        } else {
            for (int k = 0; k < x.count; k++) {
                values[x.index[k]] = x.value[k] > threshold ? 1.0 : 0.0;
            }
        }
        out.compress();
        return out;
    }

    // ---- scaling --------------------------------------------------------------------------------------------------

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
        if (x.size > size) {
            throw Failures.wrongSize(x.size, size);
        }
        if (shift == null && offset == null && fixed == null) {
            copyStored(x, out);
        } else {
            copy(x, out);
        }
        double[] values = out.value;
        int[] index = out.index;
        for (int k = 0; k < out.count; k++) {
            int i = index == null ? k : index[k];
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

    // ---- linear algebra -------------------------------------------------------------------------------------------

    /** x · the weights from a place on, as many as there have to be elements. */
    public static double dot(Vec x, double[] weights, int at, int size) {
        requireSize(x, size);
        double[] values = x.value;
        double total = 0;
        if (x.index == null) {
            for (int i = 0; i < size; i++) {
                total += values[i] * weights[at + i];
            }
        } else {
            for (int k = 0; k < x.count; k++) {
                total += values[k] * weights[at + x.index[k]];
            }
        }
        return total;
    }

    /** The matrix is row by row. */
    public static Vec matVec(Vec x, double[] matrix, double[] intercepts, int columns, Vec out) {
        requireSize(x, columns);
        double[] result = out.dense(intercepts.length);
        for (int row = 0; row < intercepts.length; row++) {
            result[row] = dot(x, matrix, row * columns, columns) + intercepts[row];
        }
        return out;
    }

    /** The norm of each row of a matrix. */
    public static double[] norms(double[] matrix, int columns) {
        double[] norms = new double[columns == 0 ? 0 : matrix.length / columns];
        for (int row = 0; row < norms.length; row++) {
            double total = 0;
            for (int i = 0; i < columns; i++) {
                total += matrix[row * columns + i] * matrix[row * columns + i];
            }
            norms[row] = Math.sqrt(total);
        }
        return norms;
    }

    /** Number of the nearest centre, by distances as Spark computes them. */
    public static int nearest(Vec x, double[] centers, double[] norms, int size) {
        requireSize(x, size);
        double norm = norm(x, 2);
        double least = Double.POSITIVE_INFINITY;
        int best = 0;
        for (int c = 0; c < norms.length; c++) {
            double difference = norms[c] - norm;
            if (difference * difference < least) {
                double distance = squaredDistance(x, norm, centers, c * size, norms[c]);
                if (distance < least) {
                    least = distance;
                    best = c;
                }
            }
        }
        return best;
    }

    static double squaredDistance(Vec x, double norm, double[] centers, int at, double centerNorm) {
        double squares = centerNorm * centerNorm + norm * norm;
        double difference = centerNorm - norm;
        if (2.0 * EPSILON * squares / (difference * difference + EPSILON) < 1e-6) {
            return squares - 2.0 * dot(x, centers, at, x.size);
        }
        if (x.index != null) {
            double product = dot(x, centers, at, x.size);
            double distance = Math.max(squares - 2.0 * product, 0.0);
            if (EPSILON * (squares + 2.0 * Math.abs(product)) / (distance + EPSILON) <= 1e-6) {
                return distance;
            }
        }
        double total = 0;
        for (int i = 0; i < x.size; i++) {
            double step = (x.index == null ? x.value[i] : item(x, i)) - centers[at + i];
            total += step * step;
        }
        return total;
    }

    // ---- classes --------------------------------------------------------------------------------------------------

    public static Vec softmax(Vec x, Vec out) {
        double[] values = copy(x, out);
        int size = x.size;
        int best = argMax(values, size);
        if (best < 0) {
            return out;
        }
        double greatest = values[best];
        if (greatest == Double.POSITIVE_INFINITY) {
            for (int i = 0; i < size; i++) {
                values[i] = i == best ? 1.0 : 0.0;
            }
            return out;
        }
        double total = 0;
        for (int i = 0; i < size; i++) {
            values[i] = Math.exp(greatest > 0 ? values[i] - greatest : values[i]);
            total += values[i];
        }
        double factor = 1.0 / total;
        for (int i = 0; i < size; i++) {
            values[i] *= factor;
        }
        return out;
    }

    public static Vec normalizeSum(Vec x, Vec out) {
        copyStored(x, out);
        double total = 0;
        for (int k = 0; k < out.count; k++) {
            total += out.value[k];
        }
        if (total != 0) {
            for (int k = 0; k < out.count; k++) {
                out.value[k] /= total;
            }
        }
        return out;
    }

    /** Index of the greatest element, after division by thresholds that are not null. */
    public static double argMax(Vec x, double[] thresholds, Vec buffer) {
        if (thresholds == null) {
            return argMax(elements(x, buffer), x.size);
        }
        requireSize(x, thresholds.length);
        double[] values = copy(x, buffer);
        for (int i = 0; i < x.size; i++) {
            values[i] = thresholds[i] == 0 ? Double.POSITIVE_INFINITY : values[i] / thresholds[i];
        }
        return argMax(values, x.size);
    }

    private static int argMax(double[] values, int size) {
        if (size == 0) {
            return -1;
        }
        int best = 0;
        for (int i = 1; i < size; i++) {
            if (values[i] > values[best]) {
                best = i;
            }
        }
        return best;
    }
}
