package leapstream.runtime;

import static leapstream.runtime.Given.assertClose;
import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.indexes;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class ClassesTest {

    private static final double NAN = Double.NaN;
    private static final double INFINITY = Double.POSITIVE_INFINITY;

    @Test
    void softmaxGivesProbabilities() {
        assertClose(1e-15, Classes.softmax(dense(0, Math.log(3)), new Vec()), 0.25, 0.75);
        assertClose(1e-15, Classes.softmax(sparse(2, 1, Math.log(3)), new Vec()), 0.25, 0.75);
        assertClose(1e-15, Classes.softmax(dense(1000, 1000), new Vec()), 0.5, 0.5);
        assertElements(Classes.softmax(dense(), new Vec()));
    }

    @Test
    void firstInfiniteScoreTakesAllProbability() {
        assertElements(Classes.softmax(dense(1, INFINITY, INFINITY), new Vec()), 0, 1, 0);
    }

    @Test
    void probabilitiesSumToOneUnlessAllAreZero() {
        assertElements(Classes.normalizeSum(dense(1, 3), new Vec()), 0.25, 0.75);
        Vec out = Classes.normalizeSum(sparse(9, 4, 2), new Vec());
        assertArrayEquals(new int[] {4}, indexes(out));
        assertElements(Classes.normalizeSum(dense(0, 0), new Vec()), 0, 0);
    }

    @Test
    void firstGreatestElementIsTheClass() {
        assertEquals(1, Classes.argMax(dense(1, 2, 2), null, new Vec()));
        assertEquals(2, Classes.argMax(sparse(3, 2, 1), null, new Vec()));
        assertEquals(0, Classes.argMax(dense(NAN, 5), null, new Vec()));
        assertEquals(-1, Classes.argMax(dense(), null, new Vec()));
    }

    @Test
    void scoresAreComparedAfterDivisionByThresholds() {
        assertEquals(0, Classes.argMax(dense(0.4, 0.6), new double[] {0.1, 0.9}, new Vec()));
        assertEquals(1, Classes.argMax(dense(0.4, 0.0), new double[] {0.1, 0.0}, new Vec()));
        assertFails(
                "the vector has 1 elements, and 2 are expected",
                () -> Classes.argMax(dense(1), new double[] {1, 1}, new Vec()));
    }

    @Test
    void storedElementsAreChecked() {
        Vec bits = sparse(3, 0, 1, 2, -0.0);
        assertSame(bits, Classes.requireZeroOrOne(bits));
        assertFails("an element is not 0 or 1", () -> Classes.requireZeroOrOne(dense(0, 0.5)));
        assertFails("an element is not 0 or 1", () -> Classes.requireZeroOrOne(dense(NAN)));
        Vec counts = dense(0, -0.0, INFINITY);
        assertSame(counts, Classes.requireNonnegative(counts));
        assertFails("an element is not at least 0", () -> Classes.requireNonnegative(dense(-1)));
        assertFails("an element is not at least 0", () -> Classes.requireNonnegative(dense(NAN)));
    }

    @Test
    void exponentialsAreNormalizedWithoutOverflow() {
        assertClose(1e-12, Classes.expNormalize(dense(1000, 1000 + Math.log(3)), false, new Vec()), 0.25, 0.75);
        assertClose(
                1e-12,
                Classes.expNormalize(dense(1000, 1000 + Math.log(3)), true, new Vec()),
                Math.log(0.25),
                Math.log(0.75));
        assertElements(Classes.expNormalize(dense(NAN, 1), false, new Vec()), NAN, NAN);
    }

    @Test
    void squaresAreSummedByGroups() {
        assertElements(Classes.squareSums(dense(1, 2, 3, 4), 2, new Vec(), new Vec()), 5, 25);
        assertElements(Classes.squareSums(sparse(4, 3, 4), 2, new Vec(), new Vec()), 0, 16);
    }

    @Test
    void greatestOfAllIsNaNAndZeroIsGreaterThanMinusZero() {
        assertEquals(1, Classes.greatest(dense(INFINITY, NAN, NAN), new Vec()));
        assertEquals(1, Classes.greatest(dense(-0.0, 0.0), new Vec()));
        assertEquals(0, Classes.greatest(dense(5, 5), new Vec()));
    }
}
