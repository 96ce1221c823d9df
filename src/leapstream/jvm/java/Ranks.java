package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;

/**
 * Small trees over few elements as tables of the leaves that each element leaves possible (after QuickScorer).
 *
 * The rank of an element is the number of its cuts that it is not at most. The masks of the ranks of all elements have one bit in
 * common, that of the leaf; the De Bruijn product of it is the leaf's slot.
 */
final class Ranks {

    private static final int DE_BRUIJN = 0x077CB531;

    private final int[] feature;
    private final int levels;
    private final double[] cut;
    private final int[] mask;
    private final int[] first;
    private final int trees;

    /** For each element where its cuts start, where its masks start, and those of its highest rank. */
    private final int[] cuts;

    private final int[] lowest;
    private final int[] highest;

    /** Where the masks of each element's rank start. */
    private final int[] row;

    private final int[] possible;

    Ranks(DataInputStream in) throws IOException {
        int[] elements = Data.readInts(in);
        int[] count = Data.readInts(in);
        levels = in.readInt();
        cut = Data.readDoubles(in);
        mask = Data.readInts(in);
        first = Data.readInts(in);
        trees = first.length / 32;
        possible = new int[trees];
        // Elements are taken by three; the first one again makes no difference.
        int all = (elements.length + 2) / 3 * 3;
        feature = new int[all];
        cuts = new int[all];
        lowest = new int[all];
        highest = new int[all];
        row = new int[all];
        int rows = 0;
        for (int k = 0; k < all; k++) {
            boolean again = k >= elements.length;
            feature[k] = elements[again ? 0 : k];
            cuts[k] = again ? 0 : k << levels;
            lowest[k] = again ? 0 : rows;
            highest[k] = lowest[k] + count[again ? 0 : k];
            rows = highest[k] + 1;
        }
    }

    /** Where the values of the leaf of each tree start. */
    void reach(double[] x, int[] reached) {
        rank(x, feature, levels, cut, cuts, row);
        for (int k = 0; k < row.length; k++) {
            // Above all cuts there is only infinity, which NaN is not at most either.
            row[k] = Math.min(lowest[k] + row[k] - cuts[k], highest[k]) * trees;
        }
        if (row.length == 3) {
            find(mask, row[0], row[1], row[2], first, reached, trees);
            return;
        }
        java.util.Arrays.fill(possible, -1);
        int last = row.length - 3;
        for (int k = 0; k < last; k += 3) {
            narrow(mask, row[k], row[k + 1], row[k + 2], possible, trees);
        }
        findPossible(mask, row[last], row[last + 1], row[last + 2], possible, first, reached, trees);
    }

    /** Three searches at a time, which do not wait for each other, in as many steps as the element with most cuts needs. */
    private static void rank(double[] x, int[] feature, int levels, double[] cut, int[] cuts, int[] row) {
        for (int k = 0; k < row.length; k += 3) {
            double v = x[feature[k]];
            double w = x[feature[k + 1]];
            double z = x[feature[k + 2]];
            int a = cuts[k];
            int b = cuts[k + 1];
            int c = cuts[k + 2];
            for (int level = levels - 1; level >= 0; level--) {
                int last = (1 << level) - 1;
                a += (v <= cut[a + last] ? 0 : 1) << level;
                b += (w <= cut[b + last] ? 0 : 1) << level;
                c += (z <= cut[c + last] ? 0 : 1) << level;
            }
            row[k] = a;
            row[k + 1] = b;
            row[k + 2] = c;
        }
    }

    private static void narrow(int[] mask, int a, int b, int c, int[] possible, int trees) {
        for (int t = 0; t < trees; t++) {
            possible[t] &= mask[a + t] & mask[b + t] & mask[c + t];
        }
    }

    private static void find(int[] mask, int a, int b, int c, int[] first, int[] reached, int trees) {
        for (int t = 0; t < trees; t++) {
            int leaf = mask[a + t] & mask[b + t] & mask[c + t];
            reached[t] = first[(t << 5) + (leaf * DE_BRUIJN >>> 27)];
        }
    }

    private static void findPossible(
            int[] mask, int a, int b, int c, int[] possible, int[] first, int[] reached, int trees) {
        for (int t = 0; t < trees; t++) {
            int leaf = possible[t] & mask[a + t] & mask[b + t] & mask[c + t];
            reached[t] = first[(t << 5) + (leaf * DE_BRUIJN >>> 27)];
        }
    }
}
