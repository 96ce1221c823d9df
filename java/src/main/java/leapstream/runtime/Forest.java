package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;

/**
 * All trees of an ensemble in flat arrays, each tree level by level, the two children of a node side by side.
 *
 * At node n a vector goes on to child[n], or to the node after it where x[feature[n]] is at most threshold[n]. A leaf is its own
 * child, under a threshold of NaN: its vector stays. So a tree is walked for a fixed number of levels without a branch that the
 * processor has to guess, and trees that do not wait for each other are walked side by side.
 *
 * A node that tests element f for categories has the feature -1 - f; first[n] is then the number of its set. In a leaf, first[n]
 * is where its values start.
 */
public final class Forest {

    /** After so many levels it pays to ask whether all are at leaves. */
    private static final int ROUND = 8;

    final int[] root;
    final int[] depth;
    private final int[] order;
    final int[] feature;
    final int[] child;
    final int[] first;
    private final int[] setStart;
    private final int[] setEnd;
    private final int[] setLeft;
    private final double[] threshold;
    final double[] data;
    private final int enough;

    /** The trees that are walked one by one. */
    private final int[] alone;

    /** Tables of the trees, or of their top levels; null if traversing the nodes is faster. */
    private final LeafTables tables;

    /** The first value of each leaf where the tables hold the trees whole; else null. */
    private final double[] values;

    /** The nodes as numbers of 64 bits; null where traversing the arrays is as fast. */
    private final RankedNodes ranked;

    /** For each of these nodes that is a leaf, its first value; true if all of those are of single precision. */
    private final double[] leaf;

    private final boolean single;

    /** The number of levels of each tree that are traversed. */
    private final int[] levels;

    /** The index of the first value of the leaf that is reached in each tree. */
    private final int[] reached;

    public Forest(DataInputStream in) throws IOException {
        root = Data.readInts(in);
        depth = Data.readInts(in);
        order = Data.readInts(in);
        feature = Data.readInts(in);
        child = Data.readInts(in);
        first = Data.readInts(in);
        setStart = Data.readInts(in);
        setEnd = Data.readInts(in);
        setLeft = Data.readInts(in);
        threshold = Data.readDoubles(in);
        data = Data.readDoubles(in);
        enough = in.readInt();
        tables = in.readBoolean() ? new LeafTables(in, first) : null;
        values = tables != null && tables.below == 0 ? tables.values(data) : null;
        reached = new int[root.length];
        levels = (int[]) depth.clone();
        for (int t = 0; tables != null && t < levels.length; t++) {
            levels[t] = Math.min(levels[t], tables.below);
        }
        boolean[] together = new boolean[root.length];
        int count = order.length / 4 * 4;
        for (int i = 0; i < count; i++) {
            together[order[i]] = true;
        }
        alone = new int[root.length - count];
        int k = 0;
        for (int t = 0; t < root.length; t++) {
            if (!together[t]) {
                alone[k++] = t;
            }
        }
        boolean whole = tables != null && tables.below == 0;
        ranked = whole ? null : RankedNodes.of(feature, threshold, child, levels);
        leaf = ranked == null ? null : new double[child.length];
        boolean exact = ranked != null;
        for (int n = 0; ranked != null && n < child.length; n++) {
            if (child[n] == n) {
                leaf[n] = data[first[n]];
                exact &= leaf[n] == (float) leaf[n];
            }
        }
        single = exact;
    }

    /** Sum over trees of the leaf's first value. */
    public double sum(double[] x, int size) {
        if (values != null && size >= enough) {
            return tables.sum(x, values);
        }
        if (ranked != null && size >= enough) {
            ranked.walk(x, order, levels, start(x));
            double total = 0;
            for (int t = 0; t < reached.length; t++) {
                total += leaf[reached[t]];
            }
            return total;
        }
        walk(x, size);
        double total = 0;
        for (int t = 0; t < reached.length; t++) {
            total += data[reached[t]];
        }
        return total;
    }

    /** Sum over trees of the leaf's vector. */
    public Vec leaves(double[] x, int size, int width, Vec out) {
        walk(x, size);
        double[] sums = out.dense(width);
        java.util.Arrays.fill(sums, 0, width, 0.0);
        for (int t = 0; t < reached.length; t++) {
            int at = reached[t];
            for (int i = 0; i < width; i++) {
                sums[i] += data[at + i];
            }
        }
        return out;
    }

    /** For each group base and the first values of the leaves of its trees, one after the other, in single precision. */
    public Vec groupSums(double[] x, int size, int[] group, double[] base, Vec out) {
        double[] sums = out.dense(base.length);
        if (single && base.length == 1 && base[0] == (float) base[0] && size >= enough) {
            ranked.walk(x, order, levels, start(x));
            float total = (float) base[0];
            for (int t = 0; t < reached.length; t++) {
                total += (float) leaf[reached[t]];
            }
            sums[0] = total;
            return out;
        }
        walk(x, size);
        System.arraycopy(base, 0, sums, 0, base.length);
        for (int t = 0; t < reached.length; t++) {
            sums[group[t]] = (float) (sums[group[t]] + data[reached[t]]);
        }
        return out;
    }

    /** The nodes from which trees are traversed: their roots, or those that the tables know. */
    private int[] start(double[] x) {
        if (tables == null) {
            System.arraycopy(root, 0, reached, 0, root.length);
        } else {
            tables.reach(x, reached);
        }
        return reached;
    }

    private void walk(double[] x, int size) {
        if (size < enough) {
            for (int t = 0; t < root.length; t++) {
                reached[t] = first[reach(root[t], x, size)];
            }
            return;
        }
        start(x);
        if (tables != null && tables.below == 0) {
            return;
        }
        if (ranked != null) {
            ranked.walk(x, order, levels, reached);
            for (int t = 0; t < reached.length; t++) {
                reached[t] = first[reached[t]];
            }
            return;
        }
        for (int i = 0; i < alone.length; i++) {
            reached[alone[i]] = first[reach(reached[alone[i]], x, size)];
        }
        walkTogether(x, order, levels, first, reached, feature, threshold, child);
    }

    /** Four trees at a time, from nodes on; the arrays come as arguments, since the compiler keeps those in registers. */
    private static void walkTogether(
            double[] x,
            int[] order,
            int[] levels,
            int[] first,
            int[] reached,
            int[] feature,
            double[] threshold,
            int[] child) {
        for (int i = 0; i + 4 <= order.length; i += 4) {
            int a = reached[order[i]];
            int b = reached[order[i + 1]];
            int c = reached[order[i + 2]];
            int d = reached[order[i + 3]];
            int left = levels[order[i + 3]];
            while (true) {
                for (int level = left < ROUND ? left : ROUND; level > 0; level--) {
                    a = child[a] + (x[feature[a]] <= threshold[a] ? 1 : 0);
                    b = child[b] + (x[feature[b]] <= threshold[b] ? 1 : 0);
                    c = child[c] + (x[feature[c]] <= threshold[c] ? 1 : 0);
                    d = child[d] + (x[feature[d]] <= threshold[d] ? 1 : 0);
                }
                left -= ROUND;
                if (left <= 0 || child[a] == a && child[b] == b && child[c] == c && child[d] == d) {
                    break;
                }
            }
            reached[order[i]] = first[a];
            reached[order[i + 1]] = first[b];
            reached[order[i + 2]] = first[c];
            reached[order[i + 3]] = first[d];
        }
    }

    /** The leaf that x reaches from a node, step by step. */
    private int reach(int node, double[] x, int size) {
        while (child[node] != node) {
            int f = feature[node];
            int element = f < 0 ? -1 - f : f;
            if (element >= size) {
                throw Failures.featureBeyond(size);
            }
            node = child[node] + (goesLeft(node, x) ? 1 : 0);
        }
        return node;
    }

    /** True if x goes left at a split; x must have the tested element. */
    boolean goesLeft(int node, double[] x) {
        int f = feature[node];
        return f < 0 ? goesLeftBySet(first[node], x[-1 - f]) : x[f] <= threshold[node];
    }

    private boolean goesLeftBySet(int set, double category) {
        int low = setStart[set];
        int high = setEnd[set] - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (data[middle] < category) {
                low = middle + 1;
            } else if (data[middle] > category) {
                high = middle - 1;
            } else {
                return (data[middle] == category) == (setLeft[set] == 1);
            }
        }
        return setLeft[set] == 0;
    }
}
