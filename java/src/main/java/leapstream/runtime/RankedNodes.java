package leapstream.runtime;

import java.util.Arrays;

/**
 * The nodes of trees without categories, 64 bits each, whose tests compare small integers: the ranks of a row's elements.
 *
 * The rank of an element is the number of its distinct thresholds (cuts) below it; that of NaN is the number of all. A node
 * has its child in 32 bits, a number in 16, and the place of the tested element in 16. A row goes on to the child, or to the
 * node after it where the element's rank is below the number. A leaf is its own child and has the number 0.
 */
final class RankedNodes {

    /** So many levels of trees take as long as finding the rank of an element. */
    private static final int LEVELS_OF_A_RANK = 8;

    private static final int MOST = 0xFFFF;
    private static final int MOST_BUCKETS = 1 << 12;

    /** After so many levels it pays to ask whether all are at leaves. */
    private static final int ROUND = 8;

    private final long[] node;

    /** The tested elements. */
    private final int[] element;

    /** For each tested element its cuts, and as many infinities as the search may read beyond them. */
    private final double[][] cut;

    private final int[] count;

    /** The element x is in the bucket (x - low) * scale, or in the first or last one; the cuts in lower buckets. */
    private final double[] low;

    private final double[] scale;
    private final char[][] before;

    /** The number of steps that find a rank within a bucket. */
    private final int[] steps;

    /** For each tested element its place and its rank where a node has the place and the number, and ones below. */
    private final long[] rank;

    private RankedNodes(int[] element, double[][] cuts, long[] node) {
        this.node = node;
        this.element = element;
        int n = element.length;
        cut = new double[n][];
        count = new int[n];
        low = new double[n];
        scale = new double[n];
        before = new char[n][];
        steps = new int[n];
        rank = new long[n];
        for (int k = 0; k < n; k++) {
            prepare(k, cuts[k]);
        }
    }

    /** The nodes of trees; null where traversing nodes that compare numbers is as fast, or an element has too many cuts. */
    static RankedNodes of(int[] feature, double[] threshold, int[] child, int[] levels) {
        int total = 0;
        for (int t = 0; t < levels.length; t++) {
            total += levels[t];
        }
        int size = 0;
        for (int i = 0; i < feature.length; i++) {
            if (feature[i] < 0) {
                return null;
            }
            size = Math.max(size, feature[i] + 1);
        }
        double[][] cuts = cuts(feature, threshold, child, size);
        int[] place = new int[size];
        int[] element = new int[size];
        int n = 0;
        for (int f = 0; f < size; f++) {
            if (cuts[f] != null) {
                if (cuts[f].length >= MOST) {
                    return null;
                }
                place[f] = n;
                element[n] = f;
                cuts[n++] = cuts[f];
            }
        }
        if (n == 0 || n > MOST || total < LEVELS_OF_A_RANK * n) {
            return null;
        }
        long[] node = new long[child.length];
        for (int i = 0; i < node.length; i++) {
            node[i] = child[i];
            if (child[i] != i && threshold[i] == threshold[i]) {
                int k = place[feature[i]];
                node[i] |= (long) k << 48 | (long) (below(cuts[k], threshold[i]) + 1) << 32;
            }
        }
        return new RankedNodes(Arrays.copyOf(element, n), cuts, node);
    }

    /** The distinct thresholds of each element, ascending; null where there are none. */
    private static double[][] cuts(int[] feature, double[] threshold, int[] child, int size) {
        int[] tests = new int[size];
        for (int i = 0; i < child.length; i++) {
            if (child[i] != i && threshold[i] == threshold[i]) {
                tests[feature[i]]++;
            }
        }
        double[][] cuts = new double[size][];
        for (int f = 0; f < size; f++) {
            cuts[f] = tests[f] == 0 ? null : new double[tests[f]];
        }
        for (int i = 0; i < child.length; i++) {
            if (child[i] != i && threshold[i] == threshold[i]) {
                cuts[feature[i]][--tests[feature[i]]] = threshold[i];
            }
        }
        for (int f = 0; f < size; f++) {
            if (cuts[f] != null) {
                Arrays.sort(cuts[f]);
                int n = 0;
                for (int i = 0; i < cuts[f].length; i++) {
                    if (n == 0 || cuts[f][i] != cuts[f][n - 1]) {
                        cuts[f][n++] = cuts[f][i];
                    }
                }
                cuts[f] = Arrays.copyOf(cuts[f], n);
            }
        }
        return cuts;
    }

    /** The number of cuts below a value. */
    private static int below(double[] cut, double value) {
        int from = 0;
        int to = cut.length;
        while (from < to) {
            int middle = (from + to) >>> 1;
            if (cut[middle] < value) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        return from;
    }

    private void prepare(int k, double[] cuts) {
        int n = cuts.length;
        count[k] = n;
        int first = 0;
        int last = n - 1;
        while (first < last && Double.isInfinite(cuts[first])) {
            first++;
        }
        while (last > first && Double.isInfinite(cuts[last])) {
            last--;
        }
        int buckets = Math.min(MOST_BUCKETS, Integer.highestOneBit(8 * n));
        low[k] = cuts[first];
        scale[k] = buckets / (cuts[last] - low[k]);
        if (!(scale[k] > 0 && scale[k] <= Double.MAX_VALUE)) {
            low[k] = 0;
            scale[k] = 0;
        }
        before[k] = new char[buckets];
        int most = 0;
        int next = 0;
        for (int b = 0; b < buckets; b++) {
            int start = next;
            before[k][b] = (char) start;
            while (next < n && bucket(k, cuts[next]) == b) {
                next++;
            }
            most = Math.max(most, next - start);
        }
        steps[k] = 32 - Integer.numberOfLeadingZeros(most);
        cut[k] = Arrays.copyOf(cuts, n + (1 << steps[k]));
        Arrays.fill(cut[k], n, cut[k].length, Double.POSITIVE_INFINITY);
    }

    private int bucket(int k, double x) {
        return Math.max(0, Math.min((int) ((x - low[k]) * scale[k]), before[k].length - 1));
    }

    /** Goes on from nodes, eight trees at a time, in an order in which deeper trees come later. */
    void walk(double[] x, int[] order, int[] levels, int[] reached) {
        for (int k = 0; k < element.length; k++) {
            double value = x[element[k]];
            int found = value != value ? count[k] : rank(value, cut[k], before[k][bucket(k, value)], steps[k]);
            rank[k] = (long) k << 48 | (long) found << 32 | 0xFFFFFFFFL;
        }
        walk(order, levels, reached, rank, node);
    }

    private static int rank(double x, double[] cut, int from, int steps) {
        int rank = from;
        for (int step = steps - 1; step >= 0; step--) {
            rank += (cut[rank + (1 << step) - 1] < x ? 1 : 0) << step;
        }
        return rank;
    }

    /** The arrays come as arguments, since the compiler keeps those in registers. */
    private static void walk(int[] order, int[] levels, int[] reached, long[] rank, long[] node) {
        int i = 0;
        for (; i + 8 <= order.length; i += 8) {
            int a = reached[order[i]];
            int b = reached[order[i + 1]];
            int c = reached[order[i + 2]];
            int d = reached[order[i + 3]];
            int e = reached[order[i + 4]];
            int f = reached[order[i + 5]];
            int g = reached[order[i + 6]];
            int h = reached[order[i + 7]];
            int left = levels[order[i + 7]];
            while (true) {
                for (int level = left < ROUND ? left : ROUND; level > 0; level--) {
                    a = next(node[a], rank);
                    b = next(node[b], rank);
                    c = next(node[c], rank);
                    d = next(node[d], rank);
                    e = next(node[e], rank);
                    f = next(node[f], rank);
                    g = next(node[g], rank);
                    h = next(node[h], rank);
                }
                left -= ROUND;
                if (left <= 0 || atLeaves(node, a, b, c, d) && atLeaves(node, e, f, g, h)) {
                    break;
                }
            }
            reached[order[i]] = a;
            reached[order[i + 1]] = b;
            reached[order[i + 2]] = c;
            reached[order[i + 3]] = d;
            reached[order[i + 4]] = e;
            reached[order[i + 5]] = f;
            reached[order[i + 6]] = g;
            reached[order[i + 7]] = h;
        }
        for (; i < order.length; i++) {
            int a = reached[order[i]];
            for (int level = levels[order[i]]; level > 0; level--) {
                a = next(node[a], rank);
            }
            reached[order[i]] = a;
        }
    }

    private static boolean atLeaves(long[] node, int a, int b, int c, int d) {
        return (int) node[a] == a && (int) node[b] == b && (int) node[c] == c && (int) node[d] == d;
    }

    /** The child, or the node after it: the sign of a difference, where the processor would have to guess a branch. */
    private static int next(long node, long[] rank) {
        return (int) (node + (rank[(int) (node >>> 48)] - node >>> 63));
    }
}
