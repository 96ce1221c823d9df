package leapstream.runtime;

/** Turns the scores of classes into probabilities and predictions; results go into a buffer that the caller owns. */
public final class Classes {

    private Classes() {}

    public static Vec softmax(Vec x, Vec out) {
        double[] values = Vectors.copy(x, out);
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
        Vectors.copyStored(x, out);
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
            return argMax(Vectors.elements(x, buffer), x.size);
        }
        Vectors.requireSize(x, thresholds.length);
        double[] values = Vectors.copy(x, buffer);
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

    /** Returns x; fails unless each stored element is 0 or 1. */
    public static Vec requireZeroOrOne(Vec x) {
        int count = x.stored();
        for (int k = 0; k < count; k++) {
            if (!(x.value[k] == 0 || x.value[k] == 1)) {
                throw Failures.notZeroOrOne();
            }
        }
        return x;
    }

    /** Returns x; fails unless each stored element is at least 0. */
    public static Vec requireNonnegative(Vec x) {
        int count = x.stored();
        for (int k = 0; k < count; k++) {
            if (!(x.value[k] >= 0)) {
                throw Failures.negativeElement();
            }
        }
        return x;
    }

    /** The exponentials divided by their sum, or the logarithms of that. */
    public static Vec expNormalize(Vec x, boolean log, Vec out) {
        double[] values = Vectors.copy(x, out);
        double greatest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < x.size; i++) {
            greatest = Math.max(greatest, values[i]);
        }
        double total = 0;
        for (int i = 0; i < x.size; i++) {
            double power = Math.exp(values[i] - greatest);
            total += power;
            if (!log) {
                values[i] = power;
            }
        }
        double shift = Math.log(total) + greatest;
        for (int i = 0; i < x.size; i++) {
            values[i] = log ? values[i] - shift : values[i] / total;
        }
        return out;
    }

    /** The sum of the squares of each block of size elements. */
    public static Vec squareSums(Vec x, int size, Vec buffer, Vec out) {
        double[] given = Vectors.elements(x, buffer);
        double[] sums = out.dense(x.size / size);
        for (int i = 0, at = 0; i < out.size; i++) {
            double total = 0;
            for (int j = 0; j < size; j++, at++) {
                total += given[at] * given[at];
            }
            sums[i] = total;
        }
        return out;
    }

    /** The position of the greatest element, NaN being the greatest of all. */
    public static int greatest(Vec x, Vec buffer) {
        double[] given = Vectors.elements(x, buffer);
        int best = 0;
        for (int i = 1; i < x.size; i++) {
            if (Double.compare(given[i], given[best]) > 0) {
                best = i;
            }
        }
        return best;
    }

    /** The element at which the weights, added up by rising elements, reach half of their sum. */
    public static double weightedMedian(Vec x, double[] weights, Vec buffer) {
        Vectors.requireSize(x, weights.length);
        double[] values = Vectors.elements(x, buffer);
        int[] order = new int[x.size];
        double[] sums = new double[x.size];
        for (int i = 0; i < x.size; i++) {
            int low = 0;
            for (int high = i; low < high; ) {
                int middle = (low + high) >>> 1;
                if (less(values[i], values[order[middle]])) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            System.arraycopy(order, low, order, low + 1, i - low);
            order[low] = i;
        }
        double total = 0;
        for (int i = 0; i < x.size; i++) {
            total = i == 0 ? weights[order[i]] : total + weights[order[i]];
            sums[i] = total;
        }
        for (int i = 0; i < x.size; i++) {
            if (sums[i] >= 0.5 * total) {
                return values[order[i]];
            }
        }
        return values[order[0]];
    }

    /** True if a comes before b: NaN is the greatest, and -0.0 is equal to 0.0. */
    private static boolean less(double a, double b) {
        return a < b || (b != b && a == a);
    }
}
