package leapstream.runtime;

import java.util.Arrays;

/** Checks and interpolates numbers. */
public final class Numbers {

    private Numbers() {}

    public static double requireWithin(double x, double low, double high) {
        if (x < low || x > high) {
            throw Failures.outsideOfBounds(x, low, high);
        }
        return x;
    }

    /**
     * The values of polynomials at x.
     *
     * @param breaks where the intervals of x begin, all but the first
     * @param origins for each interval what is subtracted from x
     * @param coefficients by interval and polynomial, the highest power first
     * @param outputs the number of polynomials of an interval
     * @param terms the number of coefficients of a polynomial
     */
    public static Vec polynomials(
            double x, double[] breaks, double[] origins, double[] coefficients, int outputs, int terms, Vec out) {
        int interval = 0;
        for (int high = breaks.length; interval < high; ) {
            int middle = (interval + high) >>> 1;
            if (breaks[middle] <= x) {
                interval = middle + 1;
            } else {
                high = middle;
            }
        }
        double t = x - origins[interval];
        double[] values = out.dense(outputs);
        for (int j = 0, at = interval * outputs * terms; j < outputs; j++) {
            double value = coefficients[at++];
            for (int power = 1; power < terms; power++) {
                value = value * t + coefficients[at++];
            }
            values[j] = value;
        }
        return out;
    }

    /** The prediction at x: at a boundary, between two, or beyond all of them. */
    public static double interpolate(double x, double[] boundaries, double[] predictions) {
        int found = Arrays.binarySearch(boundaries, x);
        if (found >= 0) {
            return predictions[found];
        }
        int above = -found - 1;
        if (above == 0) {
            return predictions[0];
        }
        if (above == boundaries.length) {
            return predictions[above - 1];
        }
        double x1 = boundaries[above - 1];
        double y1 = predictions[above - 1];
        return y1 + (predictions[above] - y1) * (x - x1) / (boundaries[above] - x1);
    }
}
