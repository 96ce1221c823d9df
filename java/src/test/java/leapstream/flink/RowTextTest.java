package leapstream.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Collections;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.Test;

/** tests/flink/test_rowtext.py has the same texts. */
class RowTextTest {

    @Test
    void valuesHaveTheirNames() {
        assertEquals(
                "{a: 1.0E7, b: null, c: 'x\\ny', d: true}", RowText.of(new String[] {"a", "b", "c", "d"}, new Object[] {
                    1e7, null, StringData.fromString("x\ny"), true
                }));
    }

    @Test
    void valuesWithoutNamesForThemHaveNone() {
        assertEquals("{1, 0.1, 2.50}", RowText.of(new String[] {"a"}, new Object[] {1, 0.1f, new BigDecimal("2.50")}));
    }

    @Test
    void longValuesAreShortened() {
        String text = "é".repeat(60);
        assertEquals(
                "{'" + "é".repeat(50) + "…', [0.0, 0.0, 0.0, 0.0, 0.0, … 9 in all], 3 bytes, a map of 1, [1, 2]}",
                RowText.of(new String[0], new Object[] {
                    text,
                    new GenericArrayData(new double[9]),
                    new byte[3],
                    Collections.singletonMap("k", 1),
                    Arrays.asList(1, 2)
                }));
    }

    @Test
    void columnsAfterTheFiftiethAreLeftOut() {
        Object[] values = new Object[51];
        Arrays.fill(values, 1);
        assertEquals("{" + "1, ".repeat(50) + "…}", RowText.of(new String[0], values));
    }
}
