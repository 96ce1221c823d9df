package leapstream.runtime;

import static leapstream.runtime.Given.assertFails;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class NumbersTest {

    private static final double[] BOUNDARIES = {0, 1, 3};
    private static final double[] PREDICTIONS = {10, 20, 30};

    @Test
    void boundsAndNaNAreWithin() {
        assertEquals(0, Numbers.requireWithin(0, 0, 1));
        assertEquals(1, Numbers.requireWithin(1, 0, 1));
        assertEquals(Double.NaN, Numbers.requireWithin(Double.NaN, 0, 1));
        assertFails("1.5 is outside of [0.0, 1.0]", () -> Numbers.requireWithin(1.5, 0, 1));
        assertFails("-Infinity is outside of [0.0, 1.0]", () -> Numbers.requireWithin(Double.NEGATIVE_INFINITY, 0, 1));
    }

    @Test
    void predictionsAreInterpolatedBetweenBoundariesAndConstantBeyond() {
        assertEquals(20, Numbers.interpolate(1, BOUNDARIES, PREDICTIONS));
        assertEquals(25, Numbers.interpolate(2, BOUNDARIES, PREDICTIONS));
        assertEquals(10, Numbers.interpolate(-5, BOUNDARIES, PREDICTIONS));
        assertEquals(30, Numbers.interpolate(Double.POSITIVE_INFINITY, BOUNDARIES, PREDICTIONS));
        assertEquals(30, Numbers.interpolate(Double.NaN, BOUNDARIES, PREDICTIONS));
    }
}
