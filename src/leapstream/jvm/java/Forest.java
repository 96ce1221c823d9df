package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;

/**
 * All trees of an ensemble in flat arrays. Nodes stand in pre-order: the left child follows its node.
 *
 * feature: what a node tests when 0 or more; -1 in a leaf; -2 - f in a node that tests feature f for categories. right: the right
 * child; in a leaf where its values start. The categories of node n are data[first[n]] to data[last[n] - 1], sorted, and
 * found[n] says whether a category among them goes left (1) or right (0).
 */
public final class Forest {

    private final int[] root;
    private final int[] feature;
    private final double[] threshold;
    private final int[] right;
    private final int[] first;
    private final int[] last;
    private final int[] found;
    private final double[] data;
    private final double[] weights;

    public Forest(DataInputStream in) throws IOException {
        root = Data.readInts(in);
        feature = Data.readInts(in);
        threshold = Data.readDoubles(in);
        right = Data.readInts(in);
        first = Data.readInts(in);
        last = Data.readInts(in);
        found = Data.readInts(in);
        data = Data.readDoubles(in);
        weights = Data.readDoubles(in);
    }

    /** Sum over trees of the weight times the leaf's first value. */
    public double sum(double[] x, int size) {
        double total = 0;
        for (int t = 0; t < root.length; t++) {
            total += weights[t] * data[leaf(x, size, root[t], feature, threshold, right)];
        }
        return total;
    }

    /** Sum over trees of the leaf's vector. */
    public Vec leaves(double[] x, int size, int width, Vec out) {
        double[] sums = out.dense(width);
        java.util.Arrays.fill(sums, 0, width, 0.0);
        for (int t = 0; t < root.length; t++) {
            int at = leaf(x, size, root[t], feature, threshold, right);
            for (int i = 0; i < width; i++) {
                sums[i] += data[at + i];
            }
        }
        return out;
    }

    /** Where the values of the leaf that x reaches start. */
    private int leaf(double[] x, int size, int node, int[] feature, double[] threshold, int[] right) {
        while (true) {
            int f = feature[node];
            if (f >= 0) {
                if (f >= size) {
                    throw beyond(size);
                }
                node = x[f] <= threshold[node] ? node + 1 : right[node];
            } else if (f == -1) {
                return right[node];
            } else {
                f = -2 - f;
                if (f >= size) {
                    throw beyond(size);
                }
                node = contains(node, x[f]) == (found[node] == 1) ? node + 1 : right[node];
            }
        }
    }

    private boolean contains(int node, double category) {
        int low = first[node];
        int high = last[node] - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (data[middle] < category) {
                low = middle + 1;
            } else if (data[middle] > category) {
                high = middle - 1;
            } else {
                return data[middle] == category;
            }
        }
        return false;
    }

    private static Refusal beyond(int size) {
        return new Refusal("a tree tests a feature beyond the vector's " + size + " elements");
    }
}
