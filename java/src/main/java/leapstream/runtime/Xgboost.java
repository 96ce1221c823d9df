package leapstream.runtime;

/** Functions and linear models in single precision, as XGBoost computes; numbers are doubles of the same value. */
public final class Xgboost {

    private Xgboost() {}

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
