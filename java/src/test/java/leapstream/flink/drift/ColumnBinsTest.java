package leapstream.flink.drift;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.io.IOException;
import java.math.BigDecimal;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.data.StringData;
import org.junit.jupiter.api.Test;

class ColumnBinsTest {

    private static ColumnBins column(String kind, String more) throws IOException {
        return new ColumnBins(new ObjectMapper()
                .readTree("{\"name\": \"x\", \"side\": \"input\", \"kind\": \"" + kind + "\", \"missing\": 2, " + more
                        + "}"));
    }

    @Test
    void aBoundBelongsToTheBinBelowIt() throws IOException {
        ColumnBins bins = column("number", "\"edges\": [0.0, 1.5], \"counts\": [3, 3, 2]");
        Object[] values = {
            0.0, -1L, 1.5f, new BigDecimal("1.51"), Double.POSITIVE_INFINITY, "1", "x", Double.NaN, null, true
        };
        int[] places = {0, 0, 1, 2, 2, 1, 3, 3, 3, 1};
        for (int i = 0; i < values.length; i++) {
            assertEquals(places[i], bins.place(values[i]), String.valueOf(values[i]));
        }
        assertEquals(0.2, bins.missingRate);
        assertEquals(4, bins.size());
    }

    @Test
    void anUnknownCategoryIsInTheLastBin() throws IOException {
        ColumnBins bins = column("category", "\"values\": [\"CA\", \"true\"], \"counts\": [1, 1, 0]");
        assertEquals(0, bins.place("CA"));
        assertEquals(0, bins.place(StringData.fromString("CA")));
        assertEquals(2, bins.place(StringData.fromString("CAB")));
        assertEquals(1, bins.place(true));
        assertEquals(2, bins.place("NY"));
        assertEquals(3, bins.place(null));
    }

    @Test
    void theIndexIsThatOfItsDefinition() throws IOException {
        ColumnBins bins = column("number", "\"edges\": [0.0], \"counts\": [10, 10]");
        assertEquals(
                0.25 * Math.log(1.5) - 0.25 * Math.log(0.5),
                bins.psi(new long[] {7, 3, 1, 9}, 1).doubleValue(),
                1e-15);
        assertEquals(4, bins.rows(new long[] {3, 1, 0}, 0));
    }

    @Test
    void nothingHasNoIndex() throws IOException {
        assertNull(column("number", "\"edges\": [0.0], \"counts\": [10, 10]").psi(new long[] {0, 0, 5}, 0));
        ColumnBins other = column("other", "\"counts\": [10]");
        assertNull(other.psi(new long[] {5, 0}, 0));
        assertEquals(0, other.place(new double[1]));
        assertEquals(1, other.place(null));
    }

    @Test
    void anElementOfAVectorIsANumber() throws IOException {
        ColumnBins bins = column("number", "\"element\": 1, \"edges\": [0.5], \"counts\": [1, 1]");
        Object[] values = {
            new double[] {0.9, 0.1},
            new Double[] {0.1, 0.9},
            new Float[] {0f, null},
            new double[1],
            new Long[0],
            null,
            "x"
        };
        int[] places = {0, 1, 2, 2, 2, 2, 2};
        for (int i = 0; i < values.length; i++) {
            assertEquals(places[i], bins.place(values[i]), String.valueOf(i));
        }
        assertEquals("x[1]", bins.label());
    }
}
