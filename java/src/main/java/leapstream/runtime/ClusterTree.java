package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;

/** A tree of clusters in flat arrays, in pre-order: the nodes of a subtree stand from its root up to its end. */
public final class ClusterTree {

    private final int size;
    private final double[] centers;
    private final double[] norms;
    private final int[] end;
    private final int[] children;
    private final int[] index;

    public ClusterTree(DataInputStream in) throws IOException {
        centers = Data.readDoubles(in);
        norms = Data.readDoubles(in);
        end = Data.readInts(in);
        children = Data.readInts(in);
        index = Data.readInts(in);
        size = centers.length / norms.length;
    }

    /** The cluster of the leaf that x reaches. */
    public int leaf(Vec x) {
        Vectors.requireSize(x, size);
        double norm = Vectors.norm(x, 2);
        if (norm != norm) {
            throw Failures.nanNorm();
        }
        int node = 0;
        while (children[node] > 0) {
            int child = node + 1;
            int best = child;
            double least = Double.NaN;
            for (int number = 0; number < children[node]; number++) {
                double distance = Clusters.squaredDistance(x, norm, centers, child * size, norms[child]);
                if (number == 0 || Double.compare(distance, least) < 0) {
                    least = distance;
                    best = child;
                }
                child = end[child];
            }
            node = best;
        }
        return index[node];
    }
}
