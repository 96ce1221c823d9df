package leapstream.runtime;

/** Products of vectors and matrices. */
public final class Linear {

    private Linear() {}

    /** x · the weights from a place on, as many as there have to be elements. */
    public static double dot(Vec x, double[] weights, int at, int size) {
        return add(0, x, weights, at, size);
    }

    /** The total plus the products of dot, one after the other. */
    public static double add(double start, Vec x, double[] weights, int at, int size) {
        Vectors.requireSize(x, size);
        double[] values = x.value;
        double total = start;
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
        Vectors.requireSize(x, columns);
        double[] result = out.dense(intercepts.length);
        for (int row = 0; row < intercepts.length; row++) {
            result[row] = dot(x, matrix, row * columns, columns) + intercepts[row];
        }
        return out;
    }
}
