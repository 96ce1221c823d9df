package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.Arrays;

/**
 * The contribution of each feature to the sums of trees (SHAP values), in the order and precision of XGBoost's own code.
 *
 * The path from the root to a node holds each feature once, with the share of the training data that comes through when the
 * feature is not known (zero), whether the row comes through when it is (one), and the weight of the subsets of features of each
 * size (power). The paths of a node and of those above lie one after the other.
 */
public final class TreeContributions {

    private final Forest forest;
    private final float[] cover;
    private final float[] mean;
    private final float[] weight;
    private final int[] group;
    private final float[] base;

    /** For each element, the number of its feature among the tested ones; for each tested feature, its place among all. */
    private final int[] number;

    private final int[] tested;
    private final int features;

    private final int[] on;
    private final float[] zero;
    private final float[] one;
    private final float[] power;

    /** Nodes to visit: the node, the length of the path above and where it starts, and what is to be added to it. */
    private final int[] todo;

    private final float[] share;
    private final float[] phi;
    private final float[] sums;

    public TreeContributions(DataInputStream in) throws IOException {
        forest = new Forest(in);
        cover = readFloats(in);
        mean = readFloats(in);
        weight = readFloats(in);
        group = Data.readInts(in);
        base = readFloats(in);
        number = Data.readInts(in);
        tested = Data.readInts(in);
        features = in.readInt();
        int deepest = 0;
        for (int t = 0; t < forest.depth.length; t++) {
            deepest = Math.max(deepest, forest.depth[t]);
        }
        int room = (deepest + 3) * (deepest + 4) / 2;
        on = new int[room];
        zero = new float[room];
        one = new float[room];
        power = new float[room];
        todo = new int[4 * (deepest + 3)];
        share = new float[2 * (deepest + 3)];
        phi = new float[tested.length + 1];
        sums = new float[base.length * phi.length];
    }

    private static float[] readFloats(DataInputStream in) throws IOException {
        double[] values = Data.readDoubles(in);
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = (float) values[i];
        }
        return result;
    }

    /** For each group the contributions of all features, then what there is without any. */
    public Vec of(double[] x, Vec out) {
        int width = phi.length;
        Arrays.fill(sums, 0);
        for (int t = 0; t < group.length; t++) {
            Arrays.fill(phi, 0);
            phi[width - 1] = mean[t];
            explain(t, x);
            for (int i = 0; i < width; i++) {
                sums[group[t] * width + i] += phi[i] * weight[t];
            }
        }
        double[] values = out.dense(base.length * (features + 1));
        Arrays.fill(values, 0, out.size, 0.0);
        for (int g = 0; g < base.length; g++) {
            int at = g * (features + 1);
            for (int i = 0; i < tested.length; i++) {
                values[at + tested[i]] = sums[g * width + i];
            }
            values[at + features] = sums[g * width + width - 1] + base[g];
        }
        return out;
    }

    private void explain(int tree, double[] x) {
        push(0, forest.root[tree], 0, 0, -1, 1, 1);
        int left = 1;
        while (left > 0) {
            left--;
            int node = todo[4 * left];
            int length = todo[4 * left + 1];
            int above = todo[4 * left + 2];
            int path = above + length + 1;
            System.arraycopy(on, above, on, path, length);
            System.arraycopy(zero, above, zero, path, length);
            System.arraycopy(one, above, one, path, length);
            System.arraycopy(power, above, power, path, length);
            extend(path, length, share[2 * left], share[2 * left + 1], todo[4 * left + 3]);
            int right = forest.child[node];
            if (right == node) {
                float value = (float) forest.data[forest.first[node]];
                for (int i = 1; i <= length; i++) {
                    phi[on[path + i]] += unwoundSum(path, length, i) * (one[path + i] - zero[path + i]) * value;
                }
                continue;
            }
            boolean goesLeft = forest.goesLeft(node, x);
            int hot = goesLeft ? right + 1 : right;
            int cold = goesLeft ? right : right + 1;
            float incomingZero = 1;
            float incomingOne = 1;
            int f = forest.feature[node];
            int feature = number[f < 0 ? -1 - f : f];
            for (int i = 0; i <= length; i++) {
                if (on[path + i] == feature) {
                    incomingZero = zero[path + i];
                    incomingOne = one[path + i];
                    unwind(path, length, i);
                    length--;
                    break;
                }
            }
            push(left, cold, length + 1, path, feature, cover[cold] / cover[node] * incomingZero, 0);
            push(left + 1, hot, length + 1, path, feature, cover[hot] / cover[node] * incomingZero, incomingOne);
            left += 2;
        }
    }

    private void push(int at, int node, int length, int above, int feature, float zeroShare, float oneShare) {
        todo[4 * at] = node;
        todo[4 * at + 1] = length;
        todo[4 * at + 2] = above;
        todo[4 * at + 3] = feature;
        share[2 * at] = zeroShare;
        share[2 * at + 1] = oneShare;
    }

    /** Puts a feature at the end of a path. */
    private void extend(int path, int length, float zeroShare, float oneShare, int feature) {
        on[path + length] = feature;
        zero[path + length] = zeroShare;
        one[path + length] = oneShare;
        power[path + length] = length == 0 ? 1 : 0;
        float size = length + 1;
        for (int i = length - 1; i >= 0; i--) {
            int at = path + i;
            power[at + 1] += oneShare * power[at] * (i + 1) / size;
            power[at] = zeroShare * power[at] * (length - i) / size;
        }
    }

    /** Takes a feature out of a path. */
    private void unwind(int path, int length, int place) {
        float oneShare = one[path + place];
        float zeroShare = zero[path + place];
        float following = power[path + length];
        float size = length + 1;
        for (int i = length - 1; i >= 0; i--) {
            int at = path + i;
            if (oneShare != 0) {
                float before = power[at];
                power[at] = following * size / ((i + 1) * oneShare);
                following = before - power[at] * zeroShare * (length - i) / size;
            } else {
                power[at] = power[at] * size / (zeroShare * (length - i));
            }
        }
        int rest = length - place;
        System.arraycopy(on, path + place + 1, on, path + place, rest);
        System.arraycopy(zero, path + place + 1, zero, path + place, rest);
        System.arraycopy(one, path + place + 1, one, path + place, rest);
    }

    /** The weight of all subsets, were a feature taken out of a path. */
    private float unwoundSum(int path, int length, int place) {
        float oneShare = one[path + place];
        float zeroShare = zero[path + place];
        float following = power[path + length];
        float size = length + 1;
        float total = 0;
        for (int i = length - 1; i >= 0; i--) {
            int at = path + i;
            if (oneShare != 0) {
                float part = following * size / ((i + 1) * oneShare);
                total += part;
                following = power[at] - part * zeroShare * ((length - i) / size);
            } else if (zeroShare != 0) {
                total += power[at] / zeroShare / ((length - i) / size);
            }
        }
        return total;
    }
}
