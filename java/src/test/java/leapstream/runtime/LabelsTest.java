package leapstream.runtime;

import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.matrix;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class LabelsTest {

    private final Labels labels = new Labels(new String[] {"a", "b", "", "a"});

    @Test
    void ofALabelThatRepeatsTheLastPositionCounts() {
        assertEquals(3, labels.position("a"));
        assertEquals(1, labels.position("b"));
        assertEquals(2, labels.position(""));
        assertEquals(-1, labels.position("c"));
        assertEquals(-1, labels.position(null));
    }

    @Test
    void positionIsCutTowardsZero() {
        assertEquals("b", labels.label(1.9));
        assertEquals("a", labels.label(-0.9));
        assertEquals("a", labels.label(Double.NaN));
        assertFails("the index is outside of the 4 labels", () -> labels.label(4));
        assertFails("the index is outside of the 4 labels", () -> labels.label(-1));
        assertFails("the index is outside of the 4 labels", () -> labels.label(Double.POSITIVE_INFINITY));
    }

    @Test
    void storedElementsOfTensorsHaveLabels() {
        assertArrayEquals(new Object[] {"b", "a"}, labels.labels(dense(1, 0)).value);
        assertArrayEquals(new Object[] {"b"}, labels.labels(sparse(3, 1, 1)).value);
        assertArrayEquals(new int[] {1}, labels.labels(sparse(3, 1, 1)).index);
        assertArrayEquals(new int[] {1, 2}, labels.labels(matrix(1, 2, 0, 1)).dimensions);
        assertArrayEquals(new Object[] {"b"}, labels.labels(new Object[] {1.0}));
        assertArrayEquals(new Object[0], labels.labels(dense()).value);
    }
}
