package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LinearTest {

    private static final double[] WEIGHTS = {9, 1, 10, 100};

    @Test
    void dotMultipliesByTheWeightsFromAPlaceOn() {
        assertEquals(321, Linear.dot(dense(1, 2, 3), WEIGHTS, 1, 3));
        assertEquals(300, Linear.dot(sparse(3, 2, 3), WEIGHTS, 1, 3));
        assertEquals(0, Linear.dot(dense(), WEIGHTS, 1, 0));
    }

    @Test
    void infinityTimesZeroIsNaNOnlyWhereTheElementIsStored() {
        double[] weights = {Double.POSITIVE_INFINITY, 1};
        assertEquals(Double.NaN, Linear.dot(dense(0, 1), weights, 0, 2));
        assertEquals(1, Linear.dot(sparse(2, 1, 1), weights, 0, 2));
    }

    @Test
    void vectorOfAnotherSizeFails() {
        assertFails("the vector has 2 elements, and 3 are expected", () -> Linear.dot(dense(1, 2), WEIGHTS, 1, 3));
        assertFails(
                "the vector has 1 elements, and 2 are expected",
                () -> Linear.matVec(dense(1), new double[] {1, 2}, new double[] {0}, 2, new Vec()));
    }

    @Test
    void matrixIsRowByRow() {
        double[] matrix = {1, 2, 3, 4};
        assertElements(Linear.matVec(dense(10, 100), matrix, new double[] {0.5, -1}, 2, new Vec()), 210.5, 429);
    }
}
