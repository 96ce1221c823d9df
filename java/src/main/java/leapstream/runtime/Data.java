package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.ByteBuffer;

/** Reads a model's data: arrays after their lengths, big-endian. */
public final class Data {

    private Data() {}

    /** Opens a resource, perhaps of a jar that has the path of another one from before. */
    public static InputStream open(URL url) throws IOException {
        URLConnection connection = url.openConnection();
        // A cached connection would keep the jar open, and serve an older jar of the same path.
        connection.setUseCaches(false);
        return connection.getInputStream();
    }

    private static ByteBuffer bytes(DataInputStream data, int length) throws IOException {
        byte[] bytes = new byte[length];
        data.readFully(bytes);
        return ByteBuffer.wrap(bytes);
    }

    public static double[] readDoubles(DataInputStream data) throws IOException {
        double[] values = new double[data.readInt()];
        bytes(data, 8 * values.length).asDoubleBuffer().get(values);
        return values;
    }

    public static int[] readInts(DataInputStream data) throws IOException {
        int[] values = new int[data.readInt()];
        bytes(data, 4 * values.length).asIntBuffer().get(values);
        return values;
    }

    public static float[] readFloats(DataInputStream data) throws IOException {
        float[] values = new float[data.readInt()];
        bytes(data, 4 * values.length).asFloatBuffer().get(values);
        return values;
    }

    /** A string of UTF-16 after its length, or null after -1. */
    public static String readText(DataInputStream data) throws IOException {
        int length = data.readInt();
        if (length < 0) {
            return null;
        }
        char[] chars = new char[length];
        bytes(data, 2 * length).asCharBuffer().get(chars);
        return new String(chars);
    }

    public static Labels readLabels(DataInputStream data) throws IOException {
        String[] labels = new String[data.readInt()];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = readText(data);
        }
        return new Labels(labels);
    }
}
