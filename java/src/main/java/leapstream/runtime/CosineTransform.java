package leapstream.runtime;

/**
 * The discrete cosine transform and its inverse, scaled to be orthonormal.
 *
 * A transform of an even size is made of two of half that size (Lee's algorithm); what is odd or small is summed up straight.
 */
public final class CosineTransform {

    private static final int SMALL = 8;

    private int size;
    private double[] values;
    private double[] halves;

    /** cos(pi * m / (2 * n)) for m from 0 to 4 * n - 1, for the size n that is halved no more. */
    private double[] cosines;

    /** 1 / (2 * cos(pi * (2 * i + 1) / (2 * n))) for i below n / 2, behind n / 2 - 1 others: for each n that is halved. */
    private double[] secants;

    public Vec transform(Vec x, boolean inverse, Vec out) {
        if (x.size == 0) {
            throw Failures.noElements();
        }
        if (x.size != size) {
            prepare(x.size);
        }
        double[] result = Vectors.copy(x, out);
        if (size == 1) {
            return out;
        }
        double total = 0;
        for (int i = 0; i < size; i++) {
            // Is NaN unless all elements are finite.
            total += result[i] - result[i];
        }
        if (total != 0) {
            java.util.Arrays.fill(result, 0, size, Double.NaN);
            return out;
        }
        System.arraycopy(result, 0, values, 0, size);
        if (inverse) {
            scale(values);
            backward(values, halves, 0, size);
        } else {
            forward(values, halves, 0, size);
            scale(values);
        }
        System.arraycopy(values, 0, result, 0, size);
        return out;
    }

    private void scale(double[] x) {
        double factor = Math.sqrt(2.0 / size);
        x[0] *= Math.sqrt(1.0 / size);
        for (int i = 1; i < size; i++) {
            x[i] *= factor;
        }
    }

    private static boolean isHalved(int n) {
        return n > SMALL && n % 2 == 0;
    }

    private void prepare(int newSize) {
        size = newSize;
        values = new double[size];
        halves = new double[size];
        secants = new double[size];
        int n = size;
        for (; isHalved(n); n /= 2) {
            for (int i = 0; i < n / 2; i++) {
                secants[n / 2 + i - 1] = 0.5 / Math.cos(Math.PI * (2 * i + 1) / (2 * n));
            }
        }
        cosines = new double[4 * n];
        for (int m = 0; m < cosines.length; m++) {
            cosines[m] = Math.cos(Math.PI * m / (2 * n));
        }
    }

    /** Replaces n elements from a place on by the sums over i of x[i] * cos(pi * (2 * i + 1) * k / (2 * n)). */
    private void forward(double[] x, double[] spare, int at, int n) {
        if (!isHalved(n)) {
            System.arraycopy(x, at, spare, at, n);
            for (int k = 0; k < n; k++) {
                x[at + k] = sum(spare, at, n, k, 2 * k);
            }
            return;
        }
        int half = n / 2;
        for (int i = 0; i < half; i++) {
            double a = x[at + i];
            double b = x[at + n - 1 - i];
            spare[at + i] = a + b;
            spare[at + half + i] = (a - b) * secants[half + i - 1];
        }
        forward(spare, x, at, half);
        forward(spare, x, at + half, half);
        for (int i = 0; i < half; i++) {
            double next = i + 1 < half ? spare[at + half + i + 1] : 0;
            x[at + 2 * i] = spare[at + i];
            x[at + 2 * i + 1] = spare[at + half + i] + next;
        }
    }

    /** Replaces n elements from a place on by the sums over k of x[k] * cos(pi * (2 * i + 1) * k / (2 * n)). */
    private void backward(double[] x, double[] spare, int at, int n) {
        if (!isHalved(n)) {
            System.arraycopy(x, at, spare, at, n);
            for (int i = 0; i < n; i++) {
                x[at + i] = sum(spare, at, n, 0, 2 * i + 1);
            }
            return;
        }
        int half = n / 2;
        for (int i = 0; i < half; i++) {
            double before = i > 0 ? x[at + 2 * i - 1] : 0;
            spare[at + i] = x[at + 2 * i];
            spare[at + half + i] = before + x[at + 2 * i + 1];
        }
        backward(spare, x, at, half);
        backward(spare, x, at + half, half);
        for (int i = 0; i < half; i++) {
            double a = spare[at + i];
            double b = spare[at + half + i] * secants[half + i - 1];
            x[at + i] = a + b;
            x[at + n - 1 - i] = a - b;
        }
    }

    /** The sum of n elements from a place on, times cosines that lie some steps apart. */
    private double sum(double[] x, int at, int n, int first, int step) {
        double total = 0;
        int m = first;
        for (int i = 0; i < n; i++) {
            total += x[at + i] * cosines[m];
            m += step;
            if (m >= cosines.length) {
                m -= cosines.length;
            }
        }
        return total;
    }
}
