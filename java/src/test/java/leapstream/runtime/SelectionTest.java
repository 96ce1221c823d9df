package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.indexes;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

class SelectionTest {

    @Test
    void itemsOfVectorsAreReadByIndex() {
        assertEquals(2, Selection.item(dense(1, 2), 1));
        assertEquals(7, Selection.item(sparse(1000, 900, 7), 900));
        assertEquals(0, Selection.item(sparse(1000, 900, 7), 899));
        assertFails("the vector has 2 elements, and element 2 is read", () -> Selection.item(dense(1, 2), 2));
        assertFails("the vector has 0 elements, and element 0 is read", () -> Selection.item(dense(), 0));
    }

    @Test
    void elementsAreTakenInAnyOrderAndOftenFromDenseVectors() {
        assertElements(
                Selection.take(dense(1, Double.NaN, 3), new int[] {2, 1, 2}, true, new Vec(), new Vec()),
                3,
                Double.NaN,
                3);
        assertFails(
                "the vector has 2 elements, and element 5 is read",
                () -> Selection.take(dense(1, 2), new int[] {5}, false, new Vec(), new Vec()));
    }

    @Test
    void sparseVectorsGiveWhatTheyStore() {
        Vec out = Selection.take(sparse(9, 8, 1, 3, 2), new int[] {3, 4, 100, 8}, false, new Vec(), new Vec());
        assertArrayEquals(new int[] {0, 3}, indexes(out));
        assertElements(out, 2, 0, 0, 1);
    }

    @Test
    void sparseVectorsThatAreReadUpwardsLackIndexesThatFall() {
        Vec out = Selection.take(sparse(9, 3, 2, 8, 1), new int[] {8, 3}, true, new Vec(), new Vec());
        assertElements(out, 1, 0);
    }

    @Test
    void reshapingKeepsElementsAndDemandsTheirNumber() {
        Vec out = Selection.reshape(dense(1, 2, 3, 4), new int[] {2, 2}, 4, new Vec());
        assertArrayEquals(new int[] {2, 2}, out.dimensions);
        assertElements(out, 1, 2, 3, 4);
        assertNull(Selection.reshape(out, null, 4, new Vec()).dimensions);
        assertFails(
                "the tensor has 1 elements, and 4 are expected",
                () -> Selection.reshape(dense(1), new int[] {2, 2}, 4, new Vec()));
    }

    @Test
    void elementsAtLeastAThresholdAreGivenOrTheirPositions() {
        Vec x = dense(0.5, 0.2, Double.NaN, 0.9);
        assertArrayEquals(new Object[] {0.5, 0.9}, Selection.elementsAtLeast(x, 0.5, 4, false, new Vec()));
        assertArrayEquals(new Object[] {0.0, 3.0}, Selection.elementsAtLeast(x, 0.5, 4, true, new Vec()));
        assertFails(
                "an element beyond the 3 labels is at least the threshold",
                () -> Selection.elementsAtLeast(x, 0.5, 3, true, new Vec()));
    }
}
