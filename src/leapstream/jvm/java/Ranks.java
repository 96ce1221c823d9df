package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;

/**
 * Trees over few elements, or their tops, as tables of the leaves that each element leaves possible (after QuickScorer).
 *
 * The rank of an element is the number of its cuts that it is not at most; an element that is tested for categories is its own
 * rank. The masks of the ranks of all elements have one bit in common, that of the leaf. Elements with cuts come before those with
 * categories.
 */
final class Ranks {

    private static final int DE_BRUIJN = 0x077CB531;
    private static final int LEAVES = 32;

    private final int levels;
    private final double[] cut;
    private final int trees;

    /** The masks of two trees in each. */
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

    /** Where the masks of each element start, and how many there are but one. */
    private final int[] lowest;

    private final int[] count;

    /** Where cuts are found without a search; null where they lie too close together somewhere. */
    private final Buckets buckets;

    /** Where the masks of each element's rank start. */
    private final int[] row;

    private final long[] possible;

    Ranks(DataInputStream in) throws IOException {
        int[] elements = Data.readInts(in);
        count = Data.readInts(in);
        levels = in.readInt();
        below = in.readInt();
        cut = Data.readDoubles(in);
        int[] masks = Data.readInts(in);
        int[] slots = Data.readInts(in);
        trees = slots.length / LEAVES;
        pairs = (trees + 1) / 2;
        mask = new long[masks.length / trees * pairs];
        for (int i = 0; i < masks.length; i++) {
            int t = i % trees;
            mask[i / trees * pairs + t / 2] |= (masks[i] & 0xFFFFFFFFL) << 32 * (t % 2);
        }
        ends = new int[slots.length];
        for (int i = 0; i < ends.length; i++) {
            ends[i] = slots[i / LEAVES * LEAVES + ((1 << i % LEAVES) * DE_BRUIJN >>> 27)];
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
        buckets = Buckets.of(cut, levels, count, searched);
    }

    /** Where the values of the leaf of each tree start; or the node at which it is to be walked on. */
    void reach(double[] x, int[] reached) {
        find(x);
        lookUp(possible, ends, reached, trees);
    }

    /** The first value of each leaf, as {@link #sum} takes them. */
    double[] values(double[] data) {
        double[] values = new double[ends.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = data[ends[i]];
        }
        return values;
    }

    /** Sum over trees of the leaf's value. */
    double sum(double[] x, double[] values) {
        find(x);
        return sum(possible, values, trees);
    }

    /** Finds the masks of the leaves. */
    private void find(double[] x) {
        if (buckets != null) {
            buckets.rank(x, feature, row);
        } else if (searched > 0) {
            rank(x, feature, levels, cut, cuts, row);
        }
        for (int k = 0; k < searched; k++) {
            // To a search there is only infinity above all cuts, which NaN is not at most either.
            row[k] = (lowest[k] + Math.min(row[k], count[k])) * pairs;
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
        begin(mask, row[0], row[1], row[2], possible, pairs);
        for (int k = 3; k < row.length; k += 3) {
            narrow(mask, row[k], row[k + 1], row[k + 2], possible, pairs);
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

    private static double sum(long[] possible, double[] values, int trees) {
        double total = 0;
        for (int t = 0; t < trees; t++) {
            total += values[(t << 5) + leaf(possible, t)];
        }
        return total;
    }

    /**
     * Finds ranks by division: an element falls into one of many buckets of equal width, for which the number of cuts in lower
     * ones is known; only the few cuts of its own bucket are compared. Rounding keeps order, so none is missed.
     */
    private static final class Buckets {

        private static final int MOST_COMPARED = 3;
        private static final int MOST_BUCKETS = 1 << 12;

        private final int steps;
        private final double[] low;
        private final double[] scale;
        private final int[] last;

        /** The cuts of each element, and so much infinity after them that comparing never leads to those of the next. */
        private final double[] cut;

        private final int[] first;
        private final int[] count;

        /** For each bucket of each element, the number of the element's cuts before it. */
        private final int[] before;

        private final int[] start;

        private Buckets(double[] cuts, int levels, int[] count, int searched) {
            low = new double[searched];
            scale = new double[searched];
            last = new int[searched];
            first = new int[searched];
            start = new int[searched];
            this.count = count;
            int buckets = 0;
            int length = 0;
            for (int k = 0; k < searched; k++) {
                int least = k << levels;
                low[k] = cuts[least];
                last[k] = Math.min(MOST_BUCKETS, Integer.highestOneBit(8 * count[k] + 8)) - 1;
                scale[k] = (last[k] - 1) / (cuts[least + Math.max(count[k] - 1, 0)] - low[k]);
                start[k] = buckets;
                first[k] = length;
                buckets += last[k] + 1;
                length += count[k] + MOST_COMPARED;
            }
            before = new int[buckets];
            cut = new double[length];
            java.util.Arrays.fill(cut, Double.POSITIVE_INFINITY);
            int most = 0;
            for (int k = 0; k < searched; k++) {
                System.arraycopy(cuts, k << levels, cut, first[k], count[k]);
                int[] own = new int[last[k] + 1];
                for (int i = 0; i < count[k]; i++) {
                    own[bucket(cut[first[k] + i], k)]++;
                }
                int sum = 0;
                for (int i = 0; i < own.length; i++) {
                    before[start[k] + i] = sum;
                    sum += own[i];
                    most = Math.max(most, own[i]);
                }
            }
            steps = most;
        }

        static Buckets of(double[] cuts, int levels, int[] count, int searched) {
            Buckets buckets = new Buckets(cuts, levels, count, searched);
            return searched > 0 && buckets.steps <= MOST_COMPARED ? buckets : null;
        }

        private int bucket(double value, int k) {
            int i = (int) ((value - low[k]) * scale[k]);
            return Math.min(Math.max(i, -1), last[k] - 1) + 1;
        }

        void rank(double[] x, int[] feature, int[] row) {
            for (int k = 0; k < low.length; k++) {
                double value = x[feature[k]];
                if (!(Math.abs(value) <= Double.MAX_VALUE)) {
                    row[k] = rankOfOther(value, k);
                    continue;
                }
                int rank = before[start[k] + bucket(value, k)];
                int from = first[k] + rank;
                for (int step = 0; step < steps; step++) {
                    // The sign of the difference, where a branch would often be guessed wrong.
                    rank += (int) (Double.doubleToRawLongBits(cut[from + step] - value) >>> 63);
                }
                row[k] = rank;
            }
        }

        /** The rank of an infinity or NaN. */
        private int rankOfOther(double value, int k) {
            int rank = count[k];
            while (rank > 0 && value <= cut[first[k] + rank - 1]) {
                rank--;
            }
            return rank;
        }
    }
}
