package leapstream.flink.drift;

/**
 * The bins of numbers, which bounds between them separate. A grid of equal cells over the bounds gives the few of them that a
 * number has to be compared with.
 */
final class NumberBins {

    private static final int CELLS_PER_BOUND = 8;

    private final double[] bounds;
    private final double least;
    private final double most;
    private final double scale;
    private final int[] starts;

    /** @param bounds the bounds, which grow */
    NumberBins(double[] bounds) {
        this.bounds = bounds;
        int count = bounds.length;
        least = count == 0 ? Double.POSITIVE_INFINITY : bounds[0];
        most = count == 0 ? Double.POSITIVE_INFINITY : bounds[count - 1];
        int cells = Math.max(1, CELLS_PER_BOUND * count);
        scale = count < 2 ? 0 : cells / (most - least);
        starts = new int[cells + 1];
        for (int i = 0; i < count; i++) {
            starts[cell(bounds[i]) + 1]++;
        }
        for (int i = 0; i < cells; i++) {
            starts[i + 1] += starts[i];
        }
    }

    /** The cell of a number; that of a greater one is not before it. */
    private int cell(double number) {
        return Math.min((int) ((number - least) * scale), starts.length - 2);
    }

    /** The number of bounds that are less than a number: a bound belongs to the bin below it. */
    int place(double number) {
        if (number <= least) {
            return 0;
        }
        if (number > most) {
            return bounds.length;
        }
        // Bounds of earlier cells are less than the number, and those of later ones are not.
        int cell = cell(number);
        int low = starts[cell];
        int high = starts[cell + 1];
        while (low < high) {
            int middle = low + high >>> 1;
            if (bounds[middle] < number) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
