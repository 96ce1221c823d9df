package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.Arrays;

/** Rows of factors by their ids. */
public final class Factors {

    private final int[] ids;
    private final float[] factors;
    private final int rank;

    public Factors(DataInputStream data) throws IOException {
        rank = data.readInt();
        ids = Data.readInts(data);
        factors = Data.readFloats(data);
    }

    /** The product of two rows, in single precision; NaN where one of them is unknown. */
    public static float product(Factors a, int x, Factors b, int y) {
        int first = Arrays.binarySearch(a.ids, x);
        int second = Arrays.binarySearch(b.ids, y);
        if (first < 0 || second < 0) {
            return Float.NaN;
        }
        first *= a.rank;
        second *= b.rank;
        float total = 0;
        for (int k = 0; k < a.rank; k++) {
            total += a.factors[first + k] * b.factors[second + k];
        }
        return total;
    }
}
