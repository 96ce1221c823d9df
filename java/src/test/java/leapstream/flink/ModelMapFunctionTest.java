package leapstream.flink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import leapstream.flink.Functions.Sum;
import leapstream.runtime.PredictionException;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.typeutils.RowTypeInfo;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;

class ModelMapFunctionTest {

    private static final class SumMap extends ModelMapFunction {

        private static final long serialVersionUID = 1L;

        SumMap() throws Exception {
            super(Sum.opened());
        }
    }

    private static Row named(double a, double b) {
        Row row = Row.withNames();
        row.setField("b", b);
        row.setField("id", 7);
        row.setField("a", a);
        return row;
    }

    @Test
    void rowsWithNamesAreReadByName() throws Exception {
        Row result = (Row) new SumMap().map(named(1, 2));
        assertEquals(3.0, result.getField("total"));
        assertEquals("+", result.getField("sign"));
        assertEquals(7, result.getField("id"));
    }

    @Test
    void rowsWithoutNamesAreReadByPosition() throws Exception {
        assertEquals(Row.of(1, 2L, 3.0, "+"), new SumMap().map(Row.of(1, 2L)));
    }

    @Test
    void decimalsAndBooleansAreNumbers() throws Exception {
        assertEquals(
                Row.of(new BigDecimal("1.5"), true, 2.5, "+"), new SumMap().map(Row.of(new BigDecimal("1.5"), true)));
    }

    @Test
    void rowOfAnotherTypeOrSizeIsRejectedWithTheSignature() throws Exception {
        String model = "Model 'adder' is Sum(a DOUBLE, b DOUBLE) -> (total DOUBLE, sign STRING)";
        assertRejected("argument 2 (b) must be DOUBLE, not java.lang.String. " + model, Row.of(1, "x"));
        assertRejected("the row has 1 fields. " + model, Row.of(1));
    }

    private static void assertRejected(String text, Row row) throws Exception {
        SumMap map = new SumMap();
        assertEquals(
                text,
                assertThrows(IllegalArgumentException.class, () -> map.map(row)).getMessage());
    }

    @Test
    void outputsOfADroppedRowAreNull() throws Exception {
        assertEquals(Row.of(1, -1, null, null), new SumMap().map(Row.of(1, -1)));
    }

    @Test
    void rowThatFailsFailsTheMap() throws Exception {
        SumMap map = new SumMap();
        assertEquals(
                "the sum is negative (model 'adder'); the row is {a: 1.0, b: -2.0, id: 7}",
                assertThrows(PredictionException.class, () -> map.map(named(1, -2)))
                        .getMessage());
    }

    @Test
    void typeOfTheResultIsThatOfTheRowsAndTheOutputs() throws Exception {
        RowTypeInfo rows = (RowTypeInfo) Types.ROW_NAMED(new String[] {"a", "b"}, Types.INT, Types.DOUBLE);
        RowTypeInfo found = (RowTypeInfo) new SumMap().returns(rows);
        assertArrayEquals(new String[] {"a", "b", "total", "sign"}, found.getFieldNames());
        assertEquals(Types.DOUBLE, found.getTypeAt(2));
        assertEquals(Types.STRING, found.getTypeAt(3));
    }
}
