package leapstream.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.junit.jupiter.api.function.Executable;

/** Arguments for tests of kernels, and functions that check results. */
public final class Given {

    private Given() {}

    public static Vec dense(double... values) {
        Vec x = new Vec();
        System.arraycopy(values, 0, x.dense(values.length), 0, values.length);
        return x;
    }

    /** Stored elements: index, value, index, value, … */
    public static Vec sparse(int size, double... stored) {
        Vec x = new Vec();
        x.sparse(size, stored.length / 2);
        for (int k = 0; k < stored.length; k += 2) {
            x.store((int) stored[k], stored[k + 1]);
        }
        return x;
    }

    /** A tensor with two dimensions. */
    public static Vec matrix(int rows, int columns, double... values) {
        Vec x = dense(values);
        x.dimensions = new int[] {rows, columns};
        return x;
    }

    /** All elements, the stored ones in their places. */
    public static double[] elements(Vec x) {
        double[] all = new double[x.size];
        for (int k = 0; k < x.stored(); k++) {
            all[x.index == null ? k : x.index[k]] = x.value[k];
        }
        return all;
    }

    /** The indexes of the stored elements of a sparse vector. */
    public static int[] indexes(Vec x) {
        return java.util.Arrays.copyOf(x.index, x.count);
    }

    /** Demands the same bits, so that -0.0 is not 0.0 and NaN is NaN. */
    public static void assertElements(Vec x, double... expected) {
        assertArrayEquals(expected, elements(x));
    }

    public static void assertClose(double tolerance, Vec x, double... expected) {
        assertArrayEquals(expected, elements(x), tolerance);
    }

    public static void assertFails(String text, Executable kernel) {
        assertEquals(text, assertThrows(RowFailure.class, kernel).getMessage());
    }

    /** A model's data, in the format that the emitter writes. */
    public static final class ModelData {

        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private final DataOutputStream out = new DataOutputStream(bytes);

        public ModelData number(int value) {
            return write(() -> out.writeInt(value));
        }

        public ModelData flag(boolean value) {
            return write(() -> out.writeBoolean(value));
        }

        public ModelData ints(int... values) {
            number(values.length);
            for (int value : values) {
                number(value);
            }
            return this;
        }

        public ModelData doubles(double... values) {
            number(values.length);
            for (double value : values) {
                write(() -> out.writeDouble(value));
            }
            return this;
        }

        public ModelData floats(float... values) {
            number(values.length);
            for (float value : values) {
                write(() -> out.writeFloat(value));
            }
            return this;
        }

        public ModelData text(String text) {
            return text == null ? number(-1) : number(text.length()).write(() -> out.writeChars(text));
        }

        public ModelData texts(String... texts) {
            number(texts.length);
            for (String text : texts) {
                text(text);
            }
            return this;
        }

        public DataInputStream open() {
            return new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
        }

        public byte[] bytes() {
            return bytes.toByteArray();
        }

        private ModelData write(Write write) {
            try {
                write.run();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return this;
        }
    }

    private interface Write {
        void run() throws IOException;
    }
}
