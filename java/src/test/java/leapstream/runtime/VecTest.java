package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.indexes;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

class VecTest {

    @Test
    void denseVectorStoresAllElements() {
        Vec x = dense(1, 0, 3);
        assertNull(x.index);
        assertEquals(3, x.stored());
    }

    @Test
    void sparseVectorStoresWhatWasStored() {
        Vec x = sparse(5, 1, 2.5, 4, 0.0);
        assertEquals(2, x.stored());
        assertElements(x, 0, 2.5, 0, 0, 0);
    }

    @Test
    void bufferIsUsedAnewWithoutTracesOfTheRowBefore() {
        Vec x = sparse(5, 4, 1.0);
        x.dimensions = new int[] {5, 1};
        x.dense(2)[0] = 7;
        x.value[1] = 8;
        assertNull(x.index);
        assertNull(x.dimensions);
        assertElements(x, 7, 8);
    }

    @Test
    void growingKeepsElements() {
        Vec x = dense(1, 2);
        x.grow(100);
        assertElements(x, 1, 2);
        assertEquals(100, x.value.length);
    }

    @Test
    void vectorIsCompressedWhereItsIndexesTakeLessRoomThanItsZeros() {
        // n + 20 < 8 size + 8.
        Vec kept = dense(0, 0, 0, 1);
        kept.compress();
        assertArrayEquals(new int[] {3}, indexes(kept));
        Vec denser = dense(0, 0, 0, 1, 1);
        denser.compress();
        assertNull(denser.index);
    }

    @Test
    void compressingStoresNoZeroOfEitherSignButNaN() {
        Vec x = dense(0.0, -0.0, Double.NaN, 0, 0, 0, 0, 0);
        x.compress();
        assertArrayEquals(new int[] {2}, indexes(x));
    }

    @Test
    void emptyVectorStaysDense() {
        Vec x = dense();
        x.compress();
        assertNull(x.index);
        assertEquals(0, x.stored());
    }
}
