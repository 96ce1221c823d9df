package leapstream.runtime;

/** What classifiers and mixtures compute of vectors; what they make goes into a buffer that the caller owns. */
public final class Classes {

    private Classes() {}

    /** The same, when each stored element is 0 or 1. */
    public static Vec zeroOrOne(Vec x) {
        int count = x.stored();
        for (int k = 0; k < count; k++) {
            if (!(x.value[k] == 0 || x.value[k] == 1)) {
                throw Failures.notZeroOrOne();
            }
        }
        return x;
    }

    /** The same, when each stored element is at least 0. */
    public static Vec nonnegative(Vec x) {
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
        double[] values = Vecs.copy(x, out);
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

    /** The sum of the squares of every so many elements. */
    public static Vec squareSums(Vec x, int size, Vec buffer, Vec out) {
        double[] given = Vecs.elements(x, buffer);
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

    /** For each centre the sum of the squares of the differences, each divided by its scale. */
    public static Vec scaledDistances(Vec x, double[] centers, double[] scales, int size, Vec buffer, Vec out) {
        Vecs.requireSize(x, size);
        double[] given = Vecs.elements(x, buffer);
        double[] sums = out.dense(centers.length / size);
        for (int i = 0, at = 0; i < out.size; i++) {
            double total = 0;
            for (int j = 0; j < size; j++, at++) {
                double difference = given[j] - centers[at];
                total += difference * difference / scales[at];
            }
            sums[i] = total;
        }
        return out;
    }

    /** The position of the greatest element, NaN being the greatest of all. */
    public static int greatest(Vec x, Vec buffer) {
        double[] given = Vecs.elements(x, buffer);
        int best = 0;
        for (int i = 1; i < x.size; i++) {
            if (Double.compare(given[i], given[best]) > 0) {
                best = i;
            }
        }
        return best;
    }
}
