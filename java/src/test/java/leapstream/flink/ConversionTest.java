package leapstream.flink;

import static leapstream.flink.ModelSignature.parse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.Test;

class ConversionTest {

    private static Object cast(Object value, String given, String wanted) {
        assertTrue(Conversion.supports(parse(given), parse(wanted)));
        return Conversion.of(parse(given), parse(wanted)).apply(value);
    }

    private static StringData text(String text) {
        return StringData.fromString(text);
    }

    private static DecimalData decimal(String text) {
        BigDecimal value = new BigDecimal(text);
        return DecimalData.fromBigDecimal(value, value.precision(), value.scale());
    }

    @Test
    void numbersAreWidened() {
        assertEquals(1.25, cast(decimal("1.25"), "DECIMAL(3, 2)", "DOUBLE"));
        assertEquals(1.25f, cast(decimal("1.25"), "DECIMAL(3, 2)", "FLOAT"));
        assertEquals(3.0, cast((byte) 3, "TINYINT", "DOUBLE"));
        assertEquals(16777216f, cast(16777217L, "BIGINT", "FLOAT"));
        assertEquals(3L, cast((short) 3, "SMALLINT", "BIGINT"));
        assertEquals(3, cast((byte) 3, "TINYINT", "INT"));
        assertEquals((short) 3, cast((byte) 3, "TINYINT", "SMALLINT"));
        assertEquals(decimal("1.3"), cast(decimal("1.25"), "DECIMAL(3, 2)", "DECIMAL(2, 1)"));
        assertNull(cast(null, "INT", "DOUBLE"));
    }

    @Test
    void elementsOfArraysAreCast() {
        Map<String, Object> arrays = Map.of(
                "TINYINT", new Object[] {(byte) 1, null},
                "SMALLINT", new Object[] {(short) 1, null},
                "INT", new Object[] {1, null},
                "BIGINT", new Object[] {1L, null},
                "FLOAT", new Object[] {1f, null},
                "DECIMAL(2, 1)", new Object[] {decimal("1.0"), null});
        for (Map.Entry<String, Object> entry : arrays.entrySet()) {
            Object found = cast(
                    new GenericArrayData((Object[]) entry.getValue()),
                    "ARRAY<" + entry.getKey() + ">",
                    "ARRAY<DOUBLE>");
            assertArrayEquals(new Object[] {1.0, null}, ((GenericArrayData) found).toObjectArray());
        }
        ArrayData nested = new GenericArrayData(new Object[] {new GenericArrayData(new int[] {1, 2})});
        GenericArrayData found = (GenericArrayData) cast(nested, "ARRAY<ARRAY<INT>>", "ARRAY<ARRAY<BIGINT>>");
        assertArrayEquals(new Object[] {1L, 2L}, ((GenericArrayData) found.getArray(0)).toObjectArray());
    }

    @Test
    void keysAndValuesOfMapsAreCast() {
        MapData given = new GenericMapData(Map.of(text("a"), 1));
        assertEquals(
                new GenericMapData(Map.of(text("a"), 1.0)), cast(given, "MAP<CHAR(1), INT>", "MAP<STRING, DOUBLE>"));
        MapData numbered = new GenericMapData(Map.of(2, true));
        assertEquals(new GenericMapData(Map.of(2L, true)), cast(numbered, "MAP<INT, BOOLEAN>", "MAP<BIGINT, BOOLEAN>"));
    }

    @Test
    void textsAndBytesGetTheLengthOfTheirType() {
        assertEquals(text("a\ud835\udcb3"), cast(text("a\ud835\udcb3c"), "STRING", "VARCHAR(2)"));
        assertEquals(text("ab"), cast(text("ab"), "STRING", "VARCHAR(3)"));
        assertEquals(text("ab "), cast(text("ab"), "CHAR(2)", "CHAR(3)"));
        assertArrayEquals(new byte[] {1, 2}, (byte[]) cast(new byte[] {1, 2, 3}, "BYTES", "VARBINARY(2)"));
        assertArrayEquals(new byte[] {1, 0}, (byte[]) cast(new byte[] {1}, "BINARY(1)", "BINARY(2)"));
    }

    @Test
    void equalTypesNeedNoConversion() {
        for (String type : List.of("INT", "STRING", "ARRAY<DOUBLE>", "MAP<STRING, INT>", "BYTES", "BOOLEAN")) {
            assertNull(Conversion.of(parse(type), parse(type)));
            assertNull(Conversion.of(parse("NULL"), parse(type)));
        }
        assertNull(Conversion.of(parse("VARCHAR(3)"), parse("STRING")));
        assertNull(Conversion.of(parse("INT NOT NULL"), parse("INT")));
    }

    @Test
    void otherTypesAreNotCast() {
        for (String type :
                List.of("INTERVAL SECOND(3)", "DATE", "STRING", "ROW<a INT>", "ARRAY<INT>", "TIMESTAMP(3)")) {
            assertFalse(Conversion.supports(parse(type), parse("BIGINT")));
        }
        assertFalse(Conversion.supports(parse("ARRAY<INTERVAL SECOND(3)>"), parse("ARRAY<BIGINT>")));
        assertFalse(Conversion.supports(parse("ARRAY<DOUBLE>"), parse("ARRAY<INT>")));
    }
}
