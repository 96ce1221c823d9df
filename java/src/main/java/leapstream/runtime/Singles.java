package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.Arrays;

/** Elements, functions and linear models in single precision, as XGBoost computes; numbers are doubles of the same value. */
public final class Singles {

    /** The elements that are picked, each once, in order; which of them each element of the result is. */
    private final int[] used;
    private final int[] slot;

    /** What stands in place of each element of the result where it is missing, and whether it is rounded down. */
    private final double[] missing;
    private final int[] whole;

    private final double[] found;

    public Singles(DataInputStream in) throws IOException {
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

    // ---- functions ------------------------------------------------------------------------------------------------

    /** The functions of a number, by name. */
    public static double single(double x) {
        return (float) x;
    }

    public static double exp(double x) {
        return (float) Math.exp(x);
    }

    public static double logistic(double x) {
        float power = (float) -x > 88.7f ? 88.7f : (float) -x;
        return 1.0f / ((float) Math.exp(power) + 1.0f);
    }

    public static double step(double x) {
        return x > 0 ? 1.0 : 0.0;
    }

    public static double round(double x) {
        return Math.round((float) x);
    }

    public static Vec softmax(Vec x, Vec out) {
        float greatest = Float.NaN;
        for (int i = 0; i < x.size; i++) {
            if (greatest != greatest || x.value[i] > greatest) {
                greatest = (float) x.value[i];
            }
        }
        double[] values = out.dense(x.size);
        double total = 0;
        for (int i = 0; i < x.size; i++) {
            values[i] = exp((float) x.value[i] - greatest);
            total += values[i];
        }
        float sum = (float) total;
        for (int i = 0; i < x.size; i++) {
            values[i] = (float) values[i] / sum;
        }
        return out;
    }

    // ---- linear models --------------------------------------------------------------------------------------------

    /** For each group base and the products of elements and weights (elements, groups), one after the other. */
    public static Vec sums(Vec x, double[] weights, double[] base, Vec out) {
        double[] values = out.dense(base.length);
        System.arraycopy(base, 0, values, 0, base.length);
        for (int i = 0; i < x.size; i++) {
            for (int g = 0; g < base.length; g++) {
                float product = (float) x.value[i] * (float) weights[i * base.length + g];
                values[g] = (float) values[g] + product;
            }
        }
        return out;
    }

    /** For each group the products, then base. */
    public static Vec products(Vec x, double[] weights, double[] base, Vec out) {
        double[] values = out.dense((x.size + 1) * base.length);
        int at = 0;
        for (int g = 0; g < base.length; g++) {
            for (int i = 0; i < x.size; i++) {
                values[at++] = (float) x.value[i] * (float) weights[i * base.length + g];
            }
            values[at++] = base[g];
        }
        return out;
    }
}
