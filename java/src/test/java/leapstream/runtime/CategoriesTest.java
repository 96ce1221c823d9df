package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.indexes;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class CategoriesTest {

    private static final double INFINITY = Double.POSITIVE_INFINITY;

    @Test
    void categoryIsTheNumberItself() {
        assertEquals(2, Categories.category(2, 3, false));
        assertEquals(0, Categories.category(-0.0, 3, false));
    }

    @Test
    void unknownCategoryFailsOrIsTheLastOne() {
        assertEquals(3, Categories.category(3, 3, true));
        assertEquals(3, Categories.category(-1, 3, true));
        assertFails("the category 3.0 is outside of [0, 3)", () -> Categories.category(3, 3, false));
    }

    @Test
    void whatIsNoIntegerIsNoCategory() {
        assertFails("the category 0.5 is not an integer", () -> Categories.category(0.5, 3, true));
        assertFails("the category NaN is not an integer", () -> Categories.category(Double.NaN, 3, true));
        assertFails("the category Infinity is not an integer", () -> Categories.category(INFINITY, 3, true));
    }

    @Test
    void oneHotVectorsStoreTheirOne() {
        Vec out = Categories.oneHot(1, 3, new Vec());
        assertArrayEquals(new int[] {1}, indexes(out));
        assertElements(out, 0, 1, 0);
    }

    @Test
    void positionBehindTheWidthGivesZeros() {
        assertElements(Categories.oneHot(2, 2, new Vec()), 0, 0);
    }

    @Test
    void bucketsHoldTheirLowerSplitAndTheLastItsUpper() {
        double[] splits = {-INFINITY, 0, 1, INFINITY};
        assertEquals(0, Categories.bucket(-INFINITY, splits));
        assertEquals(1, Categories.bucket(0, splits));
        assertEquals(2, Categories.bucket(1, splits));
        assertEquals(2, Categories.bucket(INFINITY, splits));
        assertEquals(1, Categories.bucket(0.5, splits));
    }

    @Test
    void numbersOutsideOfTheSplitsFail() {
        double[] splits = {0, 1, 2};
        assertEquals(1, Categories.bucket(2, splits));
        assertFails("2.5 is outside of the splits", () -> Categories.bucket(2.5, splits));
        assertFails("-1.0 is outside of the splits", () -> Categories.bucket(-1, splits));
    }

    @Test
    void elementsAboveTheThresholdAreOnes() {
        assertElements(Categories.binarize(dense(0.5, 0.6, Double.NaN), 0.5, new Vec()), 0, 1, 0);
    }

    @Test
    void elementsThatAreNotStoredAreNeverAboveTheThreshold() {
        assertElements(Categories.binarize(sparse(3, 1, 0.0), -1, new Vec()), 0, 1, 0);
    }
}
