package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ClustersTest {

    private static final double[] CENTERS = {0, 0, 3, 4, -3, 4};
    private static final double[] NORMS = Clusters.norms(CENTERS, 2);

    @Test
    void normsAreThoseOfTheRows() {
        assertArrayEquals(new double[] {0, 5, 5}, NORMS);
        assertArrayEquals(new double[0], Clusters.norms(new double[0], 0));
    }

    @Test
    void nearestCentreIsTheFirstAmongEquals() {
        assertEquals(1, Clusters.nearest(dense(3, 3.5), CENTERS, NORMS, 2));
        assertEquals(1, Clusters.nearest(dense(0, 9), CENTERS, NORMS, 2));
        assertEquals(2, Clusters.nearest(sparse(2, 0, -9), CENTERS, NORMS, 2));
        assertEquals(0, Clusters.nearest(dense(Double.NaN, 0), CENTERS, NORMS, 2));
        assertFails(
                "the vector has 1 elements, and 2 are expected", () -> Clusters.nearest(dense(1), CENTERS, NORMS, 2));
    }

    @Test
    void distanceOfCloseVectorsIsExact() {
        // Of 1e8 and 1e8 + 1 the squares cancel in double precision: the differences are summed.
        double[] center = {1e8 + 1};
        assertEquals(1, Clusters.squaredDistance(dense(1e8), 1e8, center, 0, 1e8 + 1));
        assertEquals(1, Clusters.squaredDistance(sparse(1, 0, 1e8), 1e8, center, 0, 1e8 + 1));
    }

    @Test
    void scaledDistancesDivideEachSquareByItsScale() {
        double[] centers = {0, 0, 1, 1};
        double[] scales = {1, 2, 4, 8};
        assertElements(Clusters.scaledDistances(dense(2, 4), centers, scales, 2, 2, new Vec(), new Vec()), 12, 1.375);
        assertElements(
                Clusters.scaledDistances(sparse(2, 1, 4), centers, scales, 2, 2, new Vec(), new Vec()),
                8,
                0.25 + 1.125);
    }
}
