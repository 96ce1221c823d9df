package leapstream.runtime;

/** Distances of a vector from centres. */
public final class Clusters {

    private static final double EPSILON = Math.ulp(1.0);

    private Clusters() {}

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
        double norm = Vectors.norm(x, 2);
        double least = Double.POSITIVE_INFINITY;
        int best = 0;
        for (int c = 0; c < norms.length; c++) {
            double difference = norms[c] - norm;
            if (difference * difference < least) {
                Vectors.requireSize(x, size);
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
            return squares - 2.0 * Linear.dot(x, centers, at, x.size);
        }
        if (x.index != null) {
            double product = Linear.dot(x, centers, at, x.size);
            double distance = Math.max(squares - 2.0 * product, 0.0);
            if (!(EPSILON * (squares + 2.0 * Math.abs(product)) / (distance + EPSILON) > 1e-6)) {
                return distance;
            }
        }
        double total = 0;
        for (int i = 0; i < x.size; i++) {
            double step = (x.index == null ? x.value[i] : Selection.item(x, i)) - centers[at + i];
            total += step * step;
        }
        return total;
    }

    /** For each centre the sum of the squares of the differences, each divided by its scale. */
    public static Vec scaledDistances(
            Vec x, double[] centers, double[] scales, int count, int size, Vec buffer, Vec out) {
        Vectors.requireSize(x, size);
        double[] given = Vectors.elements(x, buffer);
        double[] sums = out.dense(count);
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
}
