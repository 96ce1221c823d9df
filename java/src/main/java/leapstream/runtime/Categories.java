package leapstream.runtime;

import java.util.Arrays;

/** Turns numbers into categories; vectors go into a buffer that the caller owns. */
public final class Categories {

    private Categories() {}

    /** The position of a one-hot encoder's 1. */
    public static int category(double x, int categories, boolean keep) {
        if ((int) x != x) {
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
        int found = Arrays.binarySearch(splits, x);
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
        double[] values = Vectors.copy(x, out);
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
}
