package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.indexes;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;

class PolynomialTest {

    private final Polynomial cubes = new Polynomial(2, 3);

    private Vec expanded(Vec x) {
        return cubes.expand(x, new Vec(), new Vec());
    }

    @Test
    void productsAreInSparksOrder() {
        // The examples of Spark's documentation.
        assertElements(expanded(dense(2, 1)), 2, 4, 8, 1, 2, 4, 1, 2, 1);
        assertElements(expanded(dense(0, 0)), 0, 0, 0, 0, 0, 0, 0, 0, 0);
        assertElements(expanded(dense(3, -1)), 3, 9, 27, -1, -3, -9, 1, 3, -1);
    }

    @Test
    void sparseVectorsGiveSparseOnesOfTheSameElements() {
        Vec out = expanded(sparse(2, 1, -1));
        assertArrayEquals(new int[] {3, 6, 8}, indexes(out));
        assertElements(out, 0, 0, 0, -1, 0, 0, 1, 0, -1);
    }

    @Test
    void sparseVectorOfAnotherSizeHasTheProductsOfItsOwnElements() {
        assertElements(expanded(sparse(1, 0, 2)), 2, 4, 8);
        assertArrayEquals(new int[] {0, 1, 2}, indexes(expanded(sparse(3, 0, 1))));
        assertElements(expanded(sparse(3, 0, 1)), 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    @Test
    void denseVectorOfAnotherSizeFailsWhereItHasMoreProducts() {
        assertElements(expanded(dense(2)), 2, 4, 8, 0, 0, 0, 0, 0, 0);
        assertFails("the vector has 3 elements, and 2 are expected", () -> expanded(dense(1, 1, 1)));
    }
}
