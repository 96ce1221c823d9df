package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.indexes;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.io.IOException;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class RecodingTest {

    /** Element 0 becomes 10 of 0 and 20 of 5, element 2 becomes 30 of 1. */
    private static ModelData tables() {
        return new ModelData().ints(0, 2).ints(0, 2, 3).doubles(0, 5, 1).doubles(10, 20, 30);
    }

    @Test
    void elementsAreLookedUpInTheirTables() throws IOException {
        Recoding recoding = new Recoding(tables().flag(false).open());
        assertElements(recoding.recode(dense(5, 7, 1), 3, new Vec()), 20, 7, 30);
        assertElements(recoding.recode(dense(-0.0, 7, 1), 3, new Vec()), 10, 7, 30);
        assertFails("2.0 is none of the categories of element 2", () -> recoding.recode(dense(5, 7, 2), 3, new Vec()));
        assertFails(
                "NaN is none of the categories of element 0",
                () -> recoding.recode(dense(Double.NaN, 7, 1), 3, new Vec()));
        assertFails("the vector has 2 elements, and 3 are expected", () -> recoding.recode(dense(0, 0), 3, new Vec()));
    }

    @Test
    void otherCategoriesHaveAValueOfTheirOwn() throws IOException {
        Recoding recoding = new Recoding(tables().flag(true).doubles(-1, -2).open());
        assertElements(recoding.recode(dense(9, 7, Double.NaN), 3, new Vec()), -1, 7, -2);
    }

    @Test
    void ofSparseVectorsStoredElementsAreLookedUp() throws IOException {
        Recoding recoding = new Recoding(tables().flag(false).open());
        Vec out = recoding.recode(sparse(3, 2, 1, 1, 4), 3, new Vec());
        assertArrayEquals(new int[] {2, 1}, indexes(out));
        assertElements(out, 0, 4, 30);
    }
}
