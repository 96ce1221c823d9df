package leapstream.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class DataTest {

    @Test
    void arraysAreReadOneAfterTheOther() throws IOException {
        DataInputStream data = new ModelData()
                .doubles(-0.0, Double.NaN)
                .ints(1, -2)
                .floats(0.1f)
                .ints()
                .open();
        assertArrayEquals(new double[] {-0.0, Double.NaN}, Data.readDoubles(data));
        assertArrayEquals(new int[] {1, -2}, Data.readInts(data));
        assertArrayEquals(new float[] {0.1f}, Data.readFloats(data));
        assertArrayEquals(new int[0], Data.readInts(data));
    }

    @Test
    void textsMayHoldHalvesOfSurrogatePairsAndMayBeMissing() throws IOException {
        DataInputStream data =
                new ModelData().text("é\uD83D").text(null).text("").texts("a").open();
        assertEquals("é\uD83D", Data.readText(data));
        assertNull(Data.readText(data));
        assertEquals("", Data.readText(data));
        assertEquals(0, Data.readLabels(data).position("a"));
    }

    @Test
    void dataThatEndsEarlyFails() {
        assertThrows(
                EOFException.class,
                () -> Data.readDoubles(new ModelData().number(1).open()));
    }
}
