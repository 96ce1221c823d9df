package leapstream.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class BatchRunnerTest {

    /** Gives the input back; drops rows of 1 and fails on rows of 2, where there are numbers. */
    private static final class Echo extends RowModel {

        private static final long serialVersionUID = 1L;

        private transient Object value;

        @Override
        public void open(DataInputStream data) throws IOException {
            readPlaces(data);
        }

        @Override
        public boolean run() {
            if (value instanceof Double && ((Double) value) == 2) {
                throw located(new RowFailure("two"), 0);
            }
            return !(value instanceof Double && ((Double) value) == 1);
        }

        @Override
        public void setInput(int i, Object given) {
            if (given == null) {
                throw missing("x");
            }
            value = given;
        }

        @Override
        public Object getOutput(int i) {
            return value;
        }
    }

    private static BatchRunner runner(String type) throws IOException {
        byte[] data = new ModelData()
                .text("echo")
                .number(1)
                .text("node")
                .text("op")
                .text("column")
                .bytes();
        BatchRunner runner = new BatchRunner();
        runner.open(new Echo(), data, type, type);
        return runner;
    }

    /** A frame of an empty schema, so many rows, and their values. */
    private static byte[] frame(int rows, byte[] values) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(0);
        out.writeInt(rows);
        out.write(values);
        return bytes.toByteArray();
    }

    private interface Values {
        void write(DataOutputStream out) throws IOException;
    }

    private static byte[] bytes(Values values) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        values.write(new DataOutputStream(bytes));
        return bytes.toByteArray();
    }

    private static void assertEcho(String type, Values values) throws IOException {
        byte[] given = bytes(values);
        byte[] expected = bytes(out -> {
            out.writeInt(1);
            out.writeByte(0);
            out.writeInt(1);
            out.write(given);
        });
        assertArrayEquals(expected, runner(type).run(frame(1, given)));
    }

    @Test
    void scalarsOfAllTypesComeBack() throws IOException {
        assertEcho("sz", out -> out.writeBoolean(true));
        assertEcho("sb", out -> out.writeByte(-7));
        assertEcho("ss", out -> out.writeShort(-300));
        assertEcho("si", out -> out.writeInt(1 << 31));
        assertEcho("sl", out -> out.writeLong(Long.MIN_VALUE));
        assertEcho("sf", out -> out.writeFloat(-0.0f));
        assertEcho("sd", out -> out.writeDouble(Double.NaN));
        assertEcho("st", out -> writeText(out, "é\uD83D\uDE00"));
        assertEcho("st", out -> writeText(out, "\uDE00\uD83D"));
        assertEcho("sx", out -> {
            out.writeInt(2);
            out.writeBytes("by");
        });
        assertEcho("sd?", out -> {
            out.writeBoolean(true);
            out.writeDouble(0.5);
        });
    }

    @Test
    void listsMapsAndTensorsComeBack() throws IOException {
        assertEcho("ll", out -> {
            out.writeInt(2);
            out.writeBoolean(true);
            out.writeLong(5);
            out.writeBoolean(false);
        });
        assertEcho("mit", out -> {
            out.writeInt(1);
            writeText(out, "key");
            out.writeBoolean(true);
            out.writeInt(5);
        });
        assertEcho("td", out -> writeTensor(out, 0, new int[] {2, 1}, 2));
        assertEcho("td", out -> {
            writeTensor(out, 1, new int[] {7}, 1);
            out.writeInt(1);
            out.writeChar(1);
            out.writeInt(6);
        });
        assertEcho("tt", out -> {
            out.writeChar(1);
            out.writeChar(2);
            out.writeInt(3);
            out.writeInt(4);
            out.writeInt(1);
            out.writeBoolean(true);
            writeText(out, "a");
            out.writeInt(1);
            out.writeChar(2);
            out.writeInt(2);
            out.writeInt(1);
        });
    }

    @Test
    void rowsAreDroppedOrFailWithTheirPlace() throws IOException {
        byte[] values = bytes(out -> {
            for (double value : new double[] {0, 1, 2, 3}) {
                out.writeDouble(value);
            }
        });
        byte[] expected = bytes(out -> {
            out.writeInt(4);
            out.write(new byte[] {0, 1, 2, 0});
            writeText(out, "two");
            writeText(out, "node");
            writeText(out, "op");
            writeText(out, "column");
            out.writeInt(2);
            out.writeDouble(0);
            out.writeDouble(3);
        });
        assertArrayEquals(expected, runner("sd").run(frame(4, values)));
    }

    @Test
    void missingInputFailsWithItsColumn() throws IOException {
        byte[] expected = bytes(out -> {
            out.writeInt(1);
            out.writeByte(2);
            writeText(out, "a missing value is not allowed here");
            out.writeInt(-1);
            out.writeInt(-1);
            writeText(out, "x");
            out.writeInt(0);
        });
        assertArrayEquals(expected, runner("sd?").run(frame(1, new byte[] {0})));
    }

    @Test
    void frameMayBeEmptyButNotEndEarly() throws IOException {
        BatchRunner runner = runner("sd");
        assertThrows(IOException.class, () -> runner.run(frame(1, new byte[0])));
        assertEquals(2 * Integer.BYTES, runner.run(frame(0, new byte[0])).length);
    }

    private static void writeText(DataOutputStream out, String text) throws IOException {
        out.writeInt(text.length());
        out.writeChars(text);
    }

    private static void writeTensor(DataOutputStream out, int sparse, int[] dimensions, int values) throws IOException {
        out.writeChar(sparse);
        out.writeChar(dimensions.length);
        for (int size : dimensions) {
            out.writeInt(size);
        }
        out.writeInt(values);
        for (int i = 0; i < values; i++) {
            out.writeDouble(i + 0.5);
        }
    }
}
