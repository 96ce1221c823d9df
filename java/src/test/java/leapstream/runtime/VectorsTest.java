package leapstream.runtime;

import static leapstream.runtime.Given.assertClose;
import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.indexes;
import static leapstream.runtime.Given.matrix;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class VectorsTest {

    private static final double NAN = Double.NaN;
    private static final double INFINITY = Double.POSITIVE_INFINITY;

    @Test
    void tensorOfTwoDimensionsIsNoVector() {
        Vec x = dense(1, 2);
        assertSame(x, Vectors.requireVector(x));
        assertFails(
                "a vector is expected, not a tensor of 2 dimensions", () -> Vectors.requireVector(matrix(1, 2, 1, 2)));
    }

    @Test
    void elementsOfDenseVectorAreItsOwnArray() {
        Vec x = dense(1, 2);
        assertSame(x.value, Vectors.elements(x, new Vec()));
        assertArrayEquals(
                new double[] {0, 5, 0},
                java.util.Arrays.copyOf(Vectors.elements(sparse(3, 1, 5), dense(9, 9, 9, 9)), 3));
    }

    @Test
    void copyThatStoresTheSameKeepsStoredZeros() {
        Vec out = new Vec();
        Vectors.copyStored(sparse(4, 3, 0.0, 1, -0.0), out);
        assertArrayEquals(new int[] {3, 1}, indexes(out));
        assertElements(out, 0, -0.0, 0, 0.0);
    }

    @Test
    void vectorsAndNumbersAreAppended() {
        Vec out = new Vec();
        out.dense(0);
        Vectors.append(sparse(3, 2, 7), out);
        Vectors.append(NAN, out);
        Vectors.append(dense(), out);
        Vectors.append(dense(-0.0), out);
        assertElements(out, 0, 0, 7, NAN, -0.0);
    }

    @Test
    void orderedVectorsStayAsTheyAre() {
        Vec rising = sparse(9, 1, 1, 5, 2);
        assertSame(rising, Vectors.ordered(rising, new Vec()));
        Vec dense = dense(3, 2, 1);
        assertSame(dense, Vectors.ordered(dense, new Vec()));
    }

    @Test
    void ofARepeatedIndexTheLastElementCounts() {
        Vec out = Vectors.ordered(sparse(9, 5, 1, 2, 2, 5, 3), new Vec());
        assertArrayEquals(new int[] {2, 5}, indexes(out));
        assertElements(out, 0, 0, 2, 0, 0, 3, 0, 0, 0);
    }

    @Test
    void affineTakesItsStepsInOrder() {
        double[] shift = {1, 1};
        double[] divisor = {2, 0};
        double[] factor = {10, 1};
        double[] offset = {0.5, 0};
        Vec out = Vectors.affine(dense(3, 1), 2, shift, divisor, factor, offset, null, false, new Vec());
        assertElements(out, 10.5, NAN);
    }

    @Test
    void affineWithoutShiftKeepsVectorsSparse() {
        Vec out =
                Vectors.affine(sparse(4, 2, 3), 4, null, null, new double[] {1, 1, 2, 1}, null, null, false, new Vec());
        assertArrayEquals(new int[] {2}, indexes(out));
        assertElements(out, 0, 0, 6, 0);
    }

    @Test
    void fixedElementsReplaceEvenNaNUnlessItIsKept() {
        double[] fixed = {7, NAN};
        assertElements(Vectors.affine(dense(NAN, 2), 2, null, null, null, null, fixed, false, new Vec()), 7, 2);
        assertElements(Vectors.affine(dense(NAN, 2), 2, null, null, null, null, fixed, true, new Vec()), NAN, 2);
    }

    @Test
    void affineFailsOnLongerVectors() {
        assertFails(
                "the vector has 3 elements, and 2 are expected",
                () -> Vectors.affine(dense(1, 2, 3), 2, null, null, null, null, null, false, new Vec()));
    }

    @Test
    void clippingKeepsNaNAndTakesInfinitiesToTheBounds() {
        assertElements(Vectors.clip(dense(NAN, INFINITY, -INFINITY, 0.5), 0, 1, new Vec()), NAN, 1, 0, 0.5);
    }

    @Test
    void clippingAwayFromZeroMakesVectorsDense() {
        Vec out = Vectors.clip(sparse(3, 1, 9), 1, 5, new Vec());
        assertNull(out.index);
        assertElements(out, 1, 5, 1);
    }

    @Test
    void normsAreThoseOfTheirP() {
        Vec x = sparse(5, 1, -3, 4, 4);
        assertEquals(7, Vectors.norm(x, 1));
        assertEquals(5, Vectors.norm(x, 2));
        assertEquals(4, Vectors.norm(x, INFINITY));
        assertEquals(Math.cbrt(27 + 64), Vectors.norm(x, 3), 1e-15 * 5);
        assertEquals(0, Vectors.norm(dense(), 2));
    }

    @Test
    void normalizingDividesByTheNormAndLeavesZeros() {
        assertClose(1e-15, Vectors.normalize(dense(3, 4), 2, new Vec()), 0.6, 0.8);
        assertElements(Vectors.normalize(dense(0, -0.0), 2, new Vec()), 0, -0.0);
        assertFails(
                "the norm's p is 0.5, and it has to be at least 1", () -> Vectors.normalize(dense(1), 0.5, new Vec()));
        assertFails(
                "the norm's p is NaN, and it has to be at least 1", () -> Vectors.normalize(dense(1), NAN, new Vec()));
    }
}
