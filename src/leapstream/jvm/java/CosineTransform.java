package leapstream.runtime;

/**
 * The discrete cosine transform and its inverse, scaled to be orthonormal.
 *
 * Straight sums over a table of cosines: quadratic, but quicker than a fast transform for the sizes that feature vectors have, and
 * 0.3 ms for 512 elements.
 */
public final class CosineTransform {

    private int size;

    /** cos(pi * m / (2 * size)) for m from 0 to 4 * size - 1. */
    private double[] cosines;

    private double[] values;

    public Vec transform(Vec x, boolean inverse, Vec out) {
        if (x.size == 0) {
            throw new Refusal("the vector has no elements");
        }
        double[] elements = Vecs.elements(x, out);
        if (x.size == 1) {
            double only = elements[0];
            out.dense(1)[0] = only;
            return out;
        }
        if (x.size != size) {
            prepare(x.size);
        }
        if (!finite(elements)) {
            java.util.Arrays.fill(values, Double.NaN);
        } else if (inverse) {
            backward(elements);
        } else {
            forward(elements);
        }
        System.arraycopy(values, 0, out.dense(size), 0, size);
        return out;
    }

    private void prepare(int newSize) {
        size = newSize;
        values = new double[size];
        cosines = new double[4 * size];
        for (int m = 0; m < cosines.length; m++) {
            cosines[m] = Math.cos(Math.PI * m / (2 * size));
        }
    }

    private boolean finite(double[] elements) {
        for (int i = 0; i < size; i++) {
            if (Double.isNaN(elements[i]) || Double.isInfinite(elements[i])) {
                return false;
            }
        }
        return true;
    }

    private void forward(double[] elements) {
        double scale = Math.sqrt(2.0 / size);
        for (int k = 0; k < size; k++) {
            double total = 0;
            int m = k;
            for (int i = 0; i < size; i++) {
                total += elements[i] * cosines[m];
                m += 2 * k;
                if (m >= cosines.length) {
                    m -= cosines.length;
                }
            }
            values[k] = total * (k == 0 ? Math.sqrt(1.0 / size) : scale);
        }
    }

    private void backward(double[] elements) {
        double scale = Math.sqrt(2.0 / size);
        double first = elements[0] * Math.sqrt(1.0 / size);
        for (int i = 0; i < size; i++) {
            double total = 0;
            int m = 0;
            for (int k = 1; k < size; k++) {
                m += 2 * i + 1;
                if (m >= cosines.length) {
                    m -= cosines.length;
                }
                total += elements[k] * cosines[m];
            }
            values[i] = first + total * scale;
        }
    }
}
