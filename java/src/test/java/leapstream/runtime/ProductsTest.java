package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.sparse;

import org.junit.jupiter.api.Test;

class ProductsTest {

    // The terms 1, x0 and x0 * x2 ** 3.
    private static final int[] STARTS = {0, 0, 1, 3};
    private static final int[] INDEX = {0, 0, 2};
    private static final int[] POWER = {1, 1, 3};

    @Test
    void termsAreProductsOfPowers() {
        assertElements(Products.powerProducts(dense(5, 9, 2), STARTS, INDEX, POWER, new Vec(), new Vec()), 1, 5, 40);
        assertElements(Products.powerProducts(sparse(3, 0, 5), STARTS, INDEX, POWER, new Vec(), new Vec()), 1, 5, 0);
    }

    @Test
    void shorterVectorFails() {
        assertFails(
                "the vector has 2 elements, and element 2 is read",
                () -> Products.powerProducts(dense(5, 9), STARTS, INDEX, POWER, new Vec(), new Vec()));
    }
}
