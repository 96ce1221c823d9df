package leapstream.runtime;

import java.util.Arrays;

/** The distances of a vector from rows, and the weights of the nearest ones. */
public final class Neighbors {

    private final int most;
    private final double radius;
    private final int[] nearest;
    private boolean[] chosen = new boolean[0];

    /**
     * Neighbours by distance.
     *
     * @param most the greatest number of neighbours
     * @param radius the greatest distance of a neighbour
     */
    public Neighbors(int most, double radius) {
        this.most = most;
        this.radius = radius;
        this.nearest = new int[most];
    }

    // ---- distances: from each of count rows, one after the other in an array
    // --------------------------------------------

    public static Vec squared(Vec x, double[] rows, int count, int size, Vec buffer, Vec out) {
        Vectors.requireSize(x, size);
        double[] given = Vectors.elements(x, buffer);
        double[] totals = out.dense(count);
        for (int i = 0, at = 0; i < count; i++) {
            double total = 0;
            for (int j = 0; j < size; j++, at++) {
                double difference = given[j] - rows[at];
                total += difference * difference;
            }
            totals[i] = total;
        }
        return out;
    }

    public static Vec manhattan(Vec x, double[] rows, int count, int size, Vec buffer, Vec out) {
        Vectors.requireSize(x, size);
        double[] given = Vectors.elements(x, buffer);
        double[] totals = out.dense(count);
        for (int i = 0, at = 0; i < count; i++) {
            double total = 0;
            for (int j = 0; j < size; j++, at++) {
                total += Math.abs(given[j] - rows[at]);
            }
            totals[i] = total;
        }
        return out;
    }

    public static Vec chebyshev(Vec x, double[] rows, int count, int size, Vec buffer, Vec out) {
        Vectors.requireSize(x, size);
        double[] given = Vectors.elements(x, buffer);
        double[] totals = out.dense(count);
        for (int i = 0, at = 0; i < count; i++) {
            double greatest = 0;
            for (int j = 0; j < size; j++, at++) {
                greatest = Math.max(greatest, Math.abs(given[j] - rows[at]));
            }
            totals[i] = greatest;
        }
        return out;
    }

    /** The mean square of the differences that are not NaN, times the size. */
    public static Vec present(Vec x, double[] rows, int count, int size, Vec buffer, Vec out) {
        Vectors.requireSize(x, size);
        double[] given = Vectors.elements(x, buffer);
        double[] totals = out.dense(count);
        for (int i = 0, at = 0; i < count; i++) {
            double total = 0;
            double present = 0;
            for (int j = 0; j < size; j++, at++) {
                double difference = given[j] - rows[at];
                double square = difference * difference;
                if (square == square) {
                    total += square;
                    present++;
                }
            }
            totals[i] = total / present * size;
        }
        return out;
    }

    // ---- weights
    // --------------------------------------------------------------------------------------------------------

    /** 1 for each neighbour, and 0 for the others. */
    public Vec uniform(Vec x, Vec buffer, Vec out) {
        choose(Vectors.elements(x, buffer), x.size);
        double[] weights = out.dense(x.size);
        for (int i = 0; i < x.size; i++) {
            weights[i] = chosen[i] ? 1.0 : 0.0;
        }
        return out;
    }

    /** The distance of each neighbour, and 0 for the others. */
    public Vec distance(Vec x, Vec buffer, Vec out) {
        double[] distances = Vectors.elements(x, buffer);
        choose(distances, x.size);
        double[] weights = out.dense(x.size);
        for (int i = 0; i < x.size; i++) {
            weights[i] = chosen[i] ? distances[i] : 0.0;
        }
        return out;
    }

    /** The reciprocal of each neighbour's distance; where there are distances of 0, 1 for these alone. */
    public Vec inverse(Vec x, Vec buffer, Vec out) {
        double[] distances = Vectors.elements(x, buffer);
        choose(distances, x.size);
        boolean exact = false;
        for (int i = 0; i < x.size; i++) {
            exact |= chosen[i] && distances[i] == 0;
        }
        double[] weights = out.dense(x.size);
        for (int i = 0; i < x.size; i++) {
            weights[i] = !chosen[i] ? 0.0 : !exact ? 1.0 / distances[i] : distances[i] == 0 ? 1.0 : 0.0;
        }
        return out;
    }

    private void choose(double[] distances, int size) {
        if (chosen.length < size) {
            chosen = new boolean[size];
        }
        if (most >= size) {
            for (int i = 0; i < size; i++) {
                chosen[i] = distances[i] <= radius;
            }
            return;
        }
        Arrays.fill(chosen, 0, size, false);
        int found = 0;
        for (int i = 0; i < size; i++) {
            double distance = distances[i];
            if (!(distance <= radius)
                    || (found == most && (most == 0 || !(distance < distances[nearest[found - 1]])))) {
                continue;
            }
            int at = found == most ? found - 1 : found++;
            for (; at > 0 && distance < distances[nearest[at - 1]]; at--) {
                nearest[at] = nearest[at - 1];
            }
            nearest[at] = i;
        }
        for (int k = 0; k < found; k++) {
            chosen[nearest[k]] = true;
        }
    }
}
