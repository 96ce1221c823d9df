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
