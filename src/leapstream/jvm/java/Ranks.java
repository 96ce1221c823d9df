package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;

/**
 * Trees over few elements, or their tops, as tables of the leaves that each element leaves possible (after QuickScorer).
 *
 * The rank of an element is the number of its cuts that it is not at most; an element that is tested for categories is its own
 * rank. The masks of the ranks of all elements have one bit in common, that of the leaf; the De Bruijn product of it is the leaf's
 * slot. Elements with cuts come before those with categories.
 */
final class Ranks {

    private static final int DE_BRUIJN = 0x077CB531;

    private final int[] feature;
    private final int levels;
    private final double[] cut;
    private final int[] mask;
    private final int[] ends;
    private final int trees;

    /** Number of levels below the tables; 0 where these hold the trees whole. */
    final int below;

    /** Number of elements with cuts, and for each where they start. */
    private final int searched;

    private final int[] cuts;

    /** Where the masks of each element start, and how many there are but one. */
    private final int[] lowest;

    private final int[] count;

    /** Where the masks of each element's rank start. */
    private final int[] row;

    private final int[] possible;

    Ranks(DataInputStream in) throws IOException {
        int[] elements = Data.readInts(in);
        count = Data.readInts(in);
        levels = in.readInt();
        below = in.readInt();
        cut = Data.readDoubles(in);
        mask = Data.readInts(in);
        ends = Data.readInts(in);
        trees = ends.length / 32;
        possible = new int[trees];
        searched = cut.length >>> levels;
        lowest = new int[elements.length];
        for (int k = 1; k < lowest.length; k++) {
            lowest[k] = lowest[k - 1] + count[k - 1] + 1;
        }
        // Elements are taken by three; the first one again makes no difference.
        row = new int[(elements.length + 2) / 3 * 3];
        feature = new int[row.length];
        cuts = new int[(searched + 2) / 3 * 3];
        for (int k = 0; k < row.length; k++) {
            feature[k] = elements[k < elements.length ? k : 0];
        }
        for (int k = 0; k < searched; k++) {
            cuts[k] = k << levels;
        }
    }

    /** Where the values of the leaf of each tree start; or the node at which it is to be walked on. */
    void reach(double[] x, int[] reached) {
        rank(x, feature, levels, cut, cuts, row);
        for (int k = 0; k < searched; k++) {
            // Above all cuts there is only infinity, which NaN is not at most either.
            row[k] = (lowest[k] + Math.min(row[k] - cuts[k], count[k])) * trees;
        }
        for (int k = searched; k < count.length; k++) {
            double value = x[feature[k]];
            int category = (int) value;
            boolean known = category == value && category >= 0 && category < count[k];
            row[k] = (lowest[k] + (known ? category : count[k])) * trees;
        }
        for (int k = count.length; k < row.length; k++) {
            row[k] = row[0];
        }
        if (row.length == 3) {
            find(mask, row[0], row[1], row[2], ends, reached, trees);
            return;
        }
        java.util.Arrays.fill(possible, -1);
        int last = row.length - 3;
        for (int k = 0; k < last; k += 3) {
            narrow(mask, row[k], row[k + 1], row[k + 2], possible, trees);
        }
        findPossible(mask, row[last], row[last + 1], row[last + 2], possible, ends, reached, trees);
    }

    /** Three searches at a time, which do not wait for each other, in as many steps as the element with most cuts needs. */
    private static void rank(double[] x, int[] feature, int levels, double[] cut, int[] cuts, int[] row) {
        for (int k = 0; k < cuts.length; k += 3) {
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

    private static void find(int[] mask, int a, int b, int c, int[] ends, int[] reached, int trees) {
        for (int t = 0; t < trees; t++) {
            int leaf = mask[a + t] & mask[b + t] & mask[c + t];
            reached[t] = ends[(t << 5) + (leaf * DE_BRUIJN >>> 27)];
        }
    }

    private static void findPossible(
            int[] mask, int a, int b, int c, int[] possible, int[] ends, int[] reached, int trees) {
        for (int t = 0; t < trees; t++) {
            int leaf = possible[t] & mask[a + t] & mask[b + t] & mask[c + t];
            reached[t] = ends[(t << 5) + (leaf * DE_BRUIJN >>> 27)];
        }
    }
}
