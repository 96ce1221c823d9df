package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;

/**
 * Trees over few elements, or their tops, as tables of the leaves that each element leaves possible (after QuickScorer).
 *
 * The rank of an element is the number of its thresholds below it; an element that is tested for categories is its own rank. The
 * masks of the ranks of all elements have one bit in common, that of the leaf. Elements with thresholds come before those with
 * categories.
 */
final class LeafTables {

    private static final int LEAVES = 32;

    private final int levels;
    private final double[] cut;
    private final int trees;

    /** The masks of two trees in each; the one after an odd number of trees has one leaf, of value 0. */
    private final long[] mask;

    private final int pairs;

    /** For each tree and leaf, where the leaf's values start; or the node at which the tree is walked on. */
    private final int[] ends;

    /** Number of levels below the tables; 0 where these hold the trees whole. */
    final int below;

    /** Number of elements with cuts, and for each where they start. */
    private final int searched;

    private final int[] cuts;

    /** The elements, by three: the first one again makes no difference. */
    private final int[] feature;

    /** The first row of masks of each element, and how many there are but one. */
    private final int[] lowest;

    private final int[] count;

    /** For each element where cuts are found without a search; null where those of some element lie too close together. */
    private final Buckets[] buckets;

    /** The index of the first mask for each element's rank. */
    private final int[] row;

    /** The masks of the leaves. */
    private final long[] possible;

    /** @param first where the values of each leaf start */
    LeafTables(DataInputStream in, int[] first) throws IOException {
        levels = in.readInt();
        below = in.readInt();
        int[] elements = Data.readInts(in);
        count = Data.readInts(in);
        int[] compared = Data.readInts(in);
        int[] before = Data.readInts(in);
        int[] masks = Data.readInts(in);
        ends = Data.readInts(in);
        cut = Data.readDoubles(in);
        double[] low = Data.readDoubles(in);
        double[] scale = Data.readDoubles(in);
        trees = ends.length / LEAVES;
        pairs = (trees + 1) / 2;
        mask = new long[masks.length / trees * pairs];
        for (int i = 0; i < masks.length; i++) {
            int t = i % trees;
            mask[i / trees * pairs + t / 2] |= (masks[i] & 0xFFFFFFFFL) << 32 * (t % 2);
        }
        if (trees % 2 > 0) {
            for (int i = pairs - 1; i < mask.length; i += pairs) {
                mask[i] |= 1L << 32;
            }
        }
        for (int i = 0; below == 0 && i < ends.length; i++) {
            ends[i] = first[ends[i]];
        }
        possible = new long[pairs];
        searched = cut.length >>> levels;
        lowest = new int[elements.length];
        for (int k = 1; k < lowest.length; k++) {
            lowest[k] = lowest[k - 1] + count[k - 1] + 1;
        }
        row = new int[(elements.length + 2) / 3 * 3];
        feature = new int[row.length];
        cuts = new int[(searched + 2) / 3 * 3];
        for (int k = 0; k < row.length; k++) {
            feature[k] = elements[k < elements.length ? k : 0];
        }
        for (int k = 0; k < searched; k++) {
            cuts[k] = k << levels;
        }
        buckets = buckets(compared, low, scale, before);
    }

    private Buckets[] buckets(int[] compared, double[] low, double[] scale, int[] before) {
        Buckets[] all = new Buckets[searched];
        for (int k = 0; k < searched; k++) {
            if (compared[k] < 0) {
                return null;
            }
            int from = k * before.length / searched;
            double[] own =
                    java.util.Arrays.copyOfRange(cut, cuts[k], cuts[k] + count[k] + Math.max(compared[k], Buckets.FEW));
            int[] counts = java.util.Arrays.copyOfRange(before, from, from + before.length / searched);
            all[k] = new Buckets(low[k], scale[k], count[k], compared[k], own, counts);
        }
        return all;
    }

    /** Finds for each tree the index of its leaf's first value, or the node from which it is to be traversed further. */
    void reach(double[] x, int[] reached) {
        find(x);
        begin(mask, row[0], row[1], row[2], possible, pairs);
        for (int k = 3; k < row.length; k += 3) {
            narrow(mask, row[k], row[k + 1], row[k + 2], possible, pairs);
        }
        lookUp(possible, ends, reached, trees);
    }

    /** The first value of each leaf, as {@link #sum} takes them. */
    double[] values(double[] data) {
        double[] values = new double[2 * LEAVES * pairs];
        for (int i = 0; i < ends.length; i++) {
            values[i] = data[ends[i]];
        }
        return values;
    }

    /** Sum over trees of the leaf's value. */
    double sum(double[] x, double[] values) {
        find(x);
        if (row.length == 3) {
            return sum(mask, row[0], row[1], row[2], values, pairs);
        }
        begin(mask, row[0], row[1], row[2], possible, pairs);
        for (int k = 3; k < row.length; k += 3) {
            narrow(mask, row[k], row[k + 1], row[k + 2], possible, pairs);
        }
        return sum(possible, 0, 0, 0, values, pairs);
    }

    /** Finds the rows of the ranks. */
    private void find(double[] x) {
        if (buckets != null) {
            for (int k = 0; k < buckets.length; k++) {
                row[k] = (lowest[k] + buckets[k].rank(x[feature[k]])) * pairs;
            }
        } else {
            rank(x, feature, levels, cut, cuts, row);
            for (int k = 0; k < searched; k++) {
                // To a search there is only infinity above all cuts, which NaN is not at most either.
                row[k] = (lowest[k] + Math.min(row[k], count[k])) * pairs;
            }
        }
        for (int k = searched; k < count.length; k++) {
            double value = x[feature[k]];
            int category = (int) value;
            boolean known = category == value && category >= 0 && category < count[k];
            row[k] = (lowest[k] + (known ? category : count[k])) * pairs;
        }
        for (int k = count.length; k < row.length; k++) {
            row[k] = row[0];
        }
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
            row[k] = a - cuts[k];
            row[k + 1] = b - cuts[k + 1];
            row[k + 2] = c - cuts[k + 2];
        }
    }

    // ---- loops over trees; the arrays come as arguments, since the compiler keeps those in registers ----------------

    private static void begin(long[] mask, int a, int b, int c, long[] possible, int pairs) {
        for (int i = 0; i < pairs; i++) {
            possible[i] = mask[a + i] & mask[b + i] & mask[c + i];
        }
    }

    private static void narrow(long[] mask, int a, int b, int c, long[] possible, int pairs) {
        for (int i = 0; i < pairs; i++) {
            possible[i] &= mask[a + i] & mask[b + i] & mask[c + i];
        }
    }

    private static int leaf(long[] possible, int t) {
        return Integer.numberOfTrailingZeros((int) (possible[t >> 1] >>> (t << 5)));
    }

    private static void lookUp(long[] possible, int[] ends, int[] reached, int trees) {
        for (int t = 0; t < trees; t++) {
            reached[t] = ends[(t << 5) + leaf(possible, t)];
        }
    }

    /** Sum over trees, in their order, of the value of the leaf that is in the masks of three rows. */
    private static double sum(long[] mask, int a, int b, int c, double[] values, int pairs) {
        double total = 0;
        for (int i = 0; i < pairs; i++) {
            long both = mask[a + i] & mask[b + i] & mask[c + i];
            int first = i << 6;
            total += values[first + Integer.numberOfTrailingZeros((int) both)];
            total += values[first + LEAVES + Long.numberOfTrailingZeros(both >>> 32)];
        }
        return total;
    }

    /** Finds the rank of an element by division. */
    private static final class Buckets {

        static final int FEW = 3;

        private final double low;
        private final double scale;
        private final int last;
        private final int count;

        /** Most cuts in a bucket. */
        private final int compared;

        /** The cuts, and infinity after them. */
        private final double[] cut;

        /** For each bucket, the number of cuts before it. */
        private final short[] before;

        Buckets(double low, double scale, int count, int compared, double[] cut, int[] counts) {
            this.low = low;
            this.scale = scale;
            this.count = count;
            this.compared = compared;
            this.cut = cut;
            last = counts.length - 2;
            before = new short[counts.length];
            for (int i = 0; i < counts.length; i++) {
                before[i] = (short) counts[i];
            }
        }

        int rank(double value) {
            if (!(Math.abs(value) <= Double.MAX_VALUE)) {
                return value < 0 ? 0 : count;
            }
            int rank = before[1 + Math.min(Math.max((int) ((value - low) * scale), -1), last)];
            // The signs of differences, where branches would often be guessed wrong.
            long above = (Double.doubleToRawLongBits(cut[rank] - value) >>> 63)
                    + (Double.doubleToRawLongBits(cut[rank + 1] - value) >>> 63)
                    + (Double.doubleToRawLongBits(cut[rank + 2] - value) >>> 63);
            for (int i = FEW; i < compared; i++) {
                above += Double.doubleToRawLongBits(cut[rank + i] - value) >>> 63;
            }
            return rank + (int) above;
        }
    }
}
