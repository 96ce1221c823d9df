package leapstream.flink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import leapstream.flink.Functions.Sum;
import leapstream.runtime.Abi;
import leapstream.runtime.ObjectTensor;
import leapstream.runtime.PredictionException;
import leapstream.runtime.Vec;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class ModelFunctionTest {

    private static void assertNullElement(String what, Executable conversion) {
        assertEquals(
                "an element of the " + what + " is NULL (model 'm', column 'c')",
                assertThrows(PredictionException.class, conversion).getMessage());
    }

    private static Vec vec(Object given, char kind) {
        return ModelFunction.vec(given, kind, null, new Vec(), "m", "c");
    }

    private static double[] elements(Vec x) {
        return Arrays.copyOf(x.value, x.size);
    }

    @Test
    void decimalsBecomeIntegersExactlyOrTheNearest() {
        assertEquals(9007199254740993L, ModelFunction.toLong(new BigDecimal("9007199254740993.9")));
        assertEquals(Long.MAX_VALUE, ModelFunction.toLong(new BigDecimal("1e30")));
        assertEquals(Integer.MIN_VALUE, ModelFunction.toInt(new BigDecimal("-1e30")));
        assertEquals(3, ModelFunction.toInt(DecimalData.fromBigDecimal(new BigDecimal("3.7"), 2, 1)));
        assertEquals(1.5, ModelFunction.toDouble(new BigDecimal("1.50")));
        assertEquals("1.5", ModelFunction.toText(new BigDecimal("1.50")));
    }

    @Test
    void textOfATimeIsThatOfSparksCast() {
        assertEquals("2026-01-02", ModelFunction.toText(LocalDate.of(2026, 1, 2)));
        assertEquals("03:04:00", ModelFunction.toText(LocalTime.of(3, 4)));
        assertEquals("2026-01-02 03:04:05", ModelFunction.toText(LocalDateTime.of(2026, 1, 2, 3, 4, 5)));
        assertEquals(
                "2026-01-02 03:04:00.12", ModelFunction.toText(LocalDateTime.of(2026, 1, 2, 3, 4, 0, 120_000_000)));
    }

    @Test
    void textOfANumberIsThatOfEveryJava() {
        assertEquals("5.6843418860808015E-14", ModelFunction.toText(Math.pow(2, -44)));
        assertEquals("2.14748365E9", ModelFunction.toText(2147483648f));
        assertEquals("7", ModelFunction.toText(7L));
        assertEquals("1", ModelFunction.toText(true));
        assertThrows(ClassCastException.class, () -> ModelFunction.toText(new int[0]));
    }

    @Test
    void javaMapIsReadAsAMap() {
        assertEquals(Map.of("a", 1.0), ModelFunction.map(Map.of("a", 1), 't', 'd', "m", "c"));
    }

    @Test
    void openingLoadsTheModel() throws Exception {
        assertTrue(Sum.opened().loaded);
    }

    @Test
    void outputsAreKnownByNameAndPlace() {
        Sum sum = new Sum();
        assertEquals(2, sum.outputCount());
        assertEquals("sign", sum.outputName(1));
        assertEquals(1, sum.outputNamed("sign"));
        assertEquals(-1, sum.outputNamed("SIGN"));
        assertEquals("STRING", sum.outputType(1).asSummaryString());
        assertEquals(5.0, sum.output(GenericRowData.of(5.0, null), 0));
    }

    @Test
    void descriptionNeedsNoOpenFunction() {
        assertEquals("Model 'adder' is Sum(a DOUBLE, b DOUBLE) -> (total DOUBLE, sign STRING)", new Sum().describe());
    }

    @Test
    void functionOfAnotherAbiDoesNotOpen() {
        Sum other = new Sum(Abi.NUMBER + 1);
        assertThrows(IllegalStateException.class, () -> other.open(new UnregisteredMetricsGroup()));
        assertFalse(other.loaded);
        assertThrows(IllegalStateException.class, other::signature);
    }

    @Test
    void flinkMayNotMergeCallsOfAFunctionThatGivesARow() {
        assertFalse(new Sum().isDeterministic());
    }

    @Test
    void jobsShipFunctionsToTheirWorkers() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(Sum.opened());
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            Sum copy = (Sum) in.readObject();
            assertEquals("Sum(a DOUBLE, b DOUBLE)", copy.signature().toString());
        }
    }

    @Test
    void missingResourceIsNamed() {
        IOException error = assertThrows(IOException.class, () -> new Sum().load(null, "/nowhere.bin"));
        assertEquals("the jar of " + Sum.class.getName() + " lacks /nowhere.bin", error.getMessage());
    }

    @Test
    void numbersAndBooleansAreConvertedAmongEachOther() {
        assertEquals(1, ModelFunction.toDouble(true));
        assertEquals(-0.0, ModelFunction.toDouble(-0.0f));
        assertEquals(Integer.MAX_VALUE, ModelFunction.toInt(1e10));
        assertEquals((byte) 44, ModelFunction.toByte(300));
        assertEquals((short) -25536, ModelFunction.toShort(40000));
        assertEquals(9007199254740993L, ModelFunction.toLong(9007199254740993L));
        assertEquals(0.1f, ModelFunction.toFloat(0.1));
        assertTrue(ModelFunction.toBoolean(Double.NaN));
        assertEquals("0", ModelFunction.toText(false));
        assertEquals("5", ModelFunction.toText(5L));
    }

    @Test
    void arraysAndNumbersBecomeVectors() {
        assertArrayEquals(
                new double[] {-0.0, Double.NaN},
                elements(vec(new GenericArrayData(new double[] {-0.0, Double.NaN}), 'd')));
        assertArrayEquals(new double[] {1, 2.5}, elements(vec(new Object[] {1, 2.5f}, 'd')));
        assertArrayEquals(new double[] {1, 0}, elements(vec(new GenericArrayData(new boolean[] {true, false}), 'z')));
        assertArrayEquals(new double[] {7}, elements(vec(7, 'i')));
        assertArrayEquals(new double[0], elements(vec(new GenericArrayData(new double[0]), 'd')));
    }

    @Test
    void tensorsHaveDimensionsWhereTheirSizeFits() {
        int[] shape = {1, 2};
        assertArrayEquals(shape, ModelFunction.vec(new Object[] {1, 2}, 'd', shape, new Vec(), "m", "c").dimensions);
        assertNull(ModelFunction.vec(new Object[] {1}, 'd', shape, new Vec(), "m", "c").dimensions);
    }

    @Test
    void textsAndLongsBecomeTensorsOfObjects() {
        GenericArrayData texts = new GenericArrayData(new Object[] {StringData.fromString("a")});
        assertArrayEquals(new Object[] {"a"}, ModelFunction.objectTensor(texts, 't', null, "m", "c").value);
        assertArrayEquals(new Object[] {1L}, ModelFunction.objectTensor(new Object[] {1}, 'l', null, "m", "c").value);
    }

    @Test
    void elementsOfArraysAndMapsMayNotBeNull() {
        assertNullElement("array", () -> vec(new GenericArrayData(new Object[] {1.0, null}), 'd'));
        assertNullElement("array", () -> vec(new Object[] {1.0, null}, 'd'));
        assertNullElement("array", () -> vec(new Object[] {1, null}, 'i'));
        assertNullElement("array", () -> ModelFunction.elementOf(null, "m", "c"));
        Map<Object, Object> entries = Collections.singletonMap(StringData.fromString("k"), null);
        assertNullElement("map", () -> ModelFunction.map(new GenericMapData(entries), 't', 'd', "m", "c"));
    }

    @Test
    void entriesOfMapsAreConverted() {
        Map<Object, Object> entries = Collections.singletonMap(StringData.fromString("k"), 2.5);
        assertEquals(
                Collections.singletonMap("k", 2.5), ModelFunction.map(new GenericMapData(entries), 't', 'd', "m", "c"));
    }

    @Test
    void resultsAreArraysOfTheirType() {
        Vec sparse = new Vec();
        sparse.sparse(3, 1);
        sparse.store(1, 2);
        assertArrayEquals(
                new double[] {0, 2, 0}, ModelFunction.array(sparse, 'd').toDoubleArray());
        assertArrayEquals(
                new Object[] {0, 2, 0}, ((GenericArrayData) ModelFunction.array(sparse, 'i')).toObjectArray());
        ObjectTensor longs = new ObjectTensor(new Object[] {5L}, new int[] {1}, null, 2);
        assertArrayEquals(new Object[] {0L, 5L}, ((GenericArrayData) ModelFunction.array(longs, 'l')).toObjectArray());
        assertEquals(
                "a", ModelFunction.array(new Object[] {"a"}, 't').getString(0).toString());
        assertNull(ModelFunction.array((Vec) null, 'd'));
    }
}
