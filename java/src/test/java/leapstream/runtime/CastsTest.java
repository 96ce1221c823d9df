package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.indexes;
import static leapstream.runtime.Given.matrix;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import org.junit.jupiter.api.Test;

class CastsTest {

    @Test
    void emptyStringAndNullStandForMissingNumbers() {
        assertTrue(Casts.isHole(""));
        assertTrue(Casts.isHole("null"));
        assertFalse(Casts.isHole("NULL"));
        assertEquals(0.0, Casts.element("", 't', 'd'));
        assertEquals(0, Casts.element("null", 't', 'i'));
    }

    @Test
    void numbersAreReadAsJavaReadsThem() {
        assertEquals(5, Casts.parseInt("+5"));
        assertEquals(Long.MIN_VALUE, Casts.parseLong("-9223372036854775808"));
        assertEquals(1000, Casts.parseDouble("1e3"));
        assertEquals(0.1f, Casts.parseFloat("0.1"));
        assertEquals(Double.NaN, Casts.parseDouble("NaN"));
        assertEquals((byte) -128, Casts.parseByte("-128"));
        assertEquals((short) 7, Casts.parseShort("007"));
    }

    @Test
    void textThatIsNoNumberFails() {
        assertFails("cannot cast '1.5' to int", () -> Casts.parseInt("1.5"));
        assertFails("cannot cast '2147483648' to int", () -> Casts.parseInt("2147483648"));
        assertFails("cannot cast '128' to byte", () -> Casts.parseByte("128"));
        assertFails("cannot cast ' 1' to short", () -> Casts.parseShort(" 1"));
        assertFails("cannot cast 'x' to long", () -> Casts.parseLong("x"));
        assertFails("cannot cast '1,5' to float", () -> Casts.parseFloat("1,5"));
        assertFails("cannot cast 'x' to double", () -> Casts.parseDouble("x"));
    }

    @Test
    void textIsFalseWhereItIsEmptyFalseNoOrZero() {
        for (String text : new String[] {"", "false", "no", "0", "00"}) {
            assertFalse(Casts.parseBoolean(text), text);
        }
        for (String text : new String[] {"true", "yes", "1", "0.0", "-0", "False"}) {
            assertTrue(Casts.parseBoolean(text), text);
        }
    }

    @Test
    void numbersAreConvertedByJavasCasts() {
        assertEquals(0, Casts.element(Double.NaN, 'd', 'i'));
        assertEquals(Integer.MAX_VALUE, Casts.element(1e10, 'd', 'i'));
        assertEquals((byte) 44, Casts.element(300, 'i', 'b'));
        assertEquals(9007199254740992.0, Casts.element(9007199254740993L, 'l', 'd'));
        assertEquals((double) 0.1f, Casts.element(0.1f, 'f', 'd'));
        assertEquals(-0.0, Casts.element(-0.0f, 'f', 'd'));
    }

    @Test
    void booleansAreOneAndZero() {
        assertEquals(1.0, Casts.element(true, 'z', 'd'));
        assertEquals("0", Casts.element(false, 'z', 't'));
        assertEquals(true, Casts.element(Double.NaN, 'd', 'z'));
        assertEquals(false, Casts.element(-0.0, 'd', 'z'));
    }

    @Test
    void missingTextFailsWhereItBecomesNumber() {
        assertFails("an element is missing", () -> Casts.list(new Object[] {"1", null}, 't', 'd'));
        assertFails("an element is missing", () -> Casts.listToVec(new Object[] {null}, 't', 'd', new Vec()));
    }

    @Test
    void missingNumberIsZeroOfAnotherType() {
        assertEquals("0.0", Casts.element(null, 'd', 't'));
        assertEquals("0.0", Casts.element(null, 'f', 't'));
        assertEquals("0", Casts.element(null, 'l', 't'));
        assertEquals("0", Casts.element(null, 'z', 't'));
        assertEquals(false, Casts.element(null, 'b', 'z'));
        assertEquals(0.0, Casts.element(null, 's', 'd'));
        assertElements(Casts.listToVec(new Object[] {1.0, null}, 'd', 'd', new Vec()), 1, 0);
        assertElements(Casts.listToVec(new Object[] {null, true}, 'z', 'd', new Vec()), 0, 1);
        assertArrayEquals(new Object[] {0L, 2L}, Casts.listToObjects(new Object[] {null, 2L}, 'l', 'l').value);
        assertArrayEquals(new Object[] {0L}, Casts.listToObjects(new Object[] {null}, 'd', 'l').value);
    }

    @Test
    void missingElementStaysMissingInListOfSameType() {
        assertArrayEquals(new Object[] {1.0, null}, Casts.list(new Object[] {1.0, null}, 'd', 'd'));
        assertArrayEquals(new Object[] {"a", null}, Casts.list(new Object[] {"a", null}, 't', 't'));
    }

    @Test
    void vectorsHoldBooleansAsOneAndZero() {
        assertElements(Casts.listToVec(new Object[] {true, false}, 'z', 'z', new Vec()), 1, 0);
        assertArrayEquals(new Object[] {true, false}, Casts.vecToList(dense(1, 0), 'z', 'z'));
    }

    @Test
    void listsAndTensorsAreCastElementByElement() {
        assertArrayEquals(new Object[] {1, 2}, Casts.list(new Object[] {"1", "2"}, 't', 'i'));
        assertArrayEquals(new Object[] {1L, -2L}, Casts.listToObjects(new Object[] {1.9, -2.9}, 'd', 'l').value);
        assertArrayEquals(new Object[] {"1", "2"}, Casts.objectsToList(objects(1L, 2L), 'l', 't'));
        assertElements(Casts.objectsToVec(objects("1", ""), 't', 'd', new Vec()), 1, 0);
        assertElements(Casts.vecToVec(dense(1.9, -1.9), 'd', 'i', new Vec()), 1, -1);
        assertArrayEquals(new Object[] {3L}, Casts.objectsToObjects(objects("3"), 't', 'l').value);
    }

    @Test
    void sparseTensorsStaySparse() {
        Vec out = Casts.vecToVec(sparse(5, 3, 1.5), 'd', 'i', new Vec());
        assertArrayEquals(new int[] {3}, indexes(out));
        ObjectTensor longs = Casts.vecToObjects(sparse(5, 3, 1.5), 'd', 'l');
        assertArrayEquals(new int[] {3}, longs.index);
        assertArrayEquals(new Object[] {1L}, longs.value);
        assertEquals(5, longs.size);
    }

    @Test
    void dimensionsAreKept() {
        assertArrayEquals(new int[] {2, 1}, Casts.vecToVec(matrix(2, 1, 1, 2), 'd', 'i', new Vec()).dimensions);
        assertArrayEquals(new int[] {2, 1}, Casts.vecToObjects(matrix(2, 1, 1, 2), 'd', 'l').dimensions);
        assertArrayEquals(new int[0], Casts.scalarToVec(1, new Vec()).dimensions);
        assertArrayEquals(new int[0], Casts.scalarToObjects("a").dimensions);
    }

    @Test
    void firstElementIsTheScalarOfATensorThatStoresIt() {
        assertEquals(7, Casts.first(dense(7, 8), 'i'));
        assertEquals("a", Casts.first(objects("a", "b")));
        assertEquals(9.0, Casts.first(sparse(5, 3, 1, 0, 9), 'd'));
        assertFails("the tensor does not store a first element", () -> Casts.first(sparse(5, 3, 1), 'd'));
        assertFails("the tensor does not store a first element", () -> Casts.first(objects()));
    }

    @Test
    void keysAndValuesOfMapsAreCast() {
        assertEquals(
                Collections.singletonMap("1", 2.0), Casts.map(Collections.singletonMap(1, "2"), 'i', 't', 't', 'd'));
    }

    private static ObjectTensor objects(Object... values) {
        return new ObjectTensor(values, null, null, values.length);
    }
}
