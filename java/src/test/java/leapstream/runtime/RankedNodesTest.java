package leapstream.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RankedNodesTest {

    private static final double[] SPECIAL = {
        Double.NaN,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        0.0,
        -0.0,
        Double.MAX_VALUE,
        -Double.MAX_VALUE,
        1e-320
    };

    private static final int ELEMENTS = 3;

    private final Random random = new Random(7);

    /** Trees of full levels: feature, threshold, child; leaves stay. */
    private int[] feature;

    private double[] threshold;
    private int[] child;
    private int[] root;

    private void grow(int trees, int depth, double[] thresholds) {
        int size = (1 << depth + 1) - 1;
        feature = new int[trees * size];
        threshold = new double[trees * size];
        child = new int[trees * size];
        root = new int[trees];
        for (int t = 0; t < trees; t++) {
            root[t] = t * size;
            for (int i = 0; i < size; i++) {
                int n = root[t] + i;
                boolean leaf = i >= size / 2 || random.nextInt(10) == 0;
                feature[n] = leaf ? 0 : random.nextInt(ELEMENTS);
                threshold[n] = leaf ? Double.NaN : thresholds[random.nextInt(thresholds.length)];
                child[n] = leaf ? n : root[t] + 2 * i + 1;
            }
        }
    }

    private void assertSameLeaves(int depth, double[] values) {
        int[] order = new int[root.length];
        int[] levels = new int[root.length];
        for (int t = 0; t < root.length; t++) {
            order[t] = t;
            levels[t] = depth;
        }
        RankedNodes nodes = RankedNodes.of(feature, threshold, child, levels);
        for (int row = 0; row < 200; row++) {
            double[] x = new double[ELEMENTS];
            for (int f = 0; f < x.length; f++) {
                x[f] = values[random.nextInt(values.length)];
            }
            int[] reached = root.clone();
            nodes.walk(x, order, levels, reached);
            int[] wanted = root.clone();
            for (int t = 0; t < wanted.length; t++) {
                while (child[wanted[t]] != wanted[t]) {
                    wanted[t] = child[wanted[t]] + (x[feature[wanted[t]]] <= threshold[wanted[t]] ? 1 : 0);
                }
            }
            assertArrayEquals(wanted, reached, Arrays.toString(x));
        }
    }

    private double[] numbers(int count, double scale) {
        double[] numbers = new double[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = random.nextGaussian() * scale;
        }
        return numbers;
    }

    @Test
    void ranksGoWhereNumbersGo() {
        for (int depth = 1; depth < 12; depth += 5) {
            double[] thresholds = numbers(40, 1);
            grow(37, depth, thresholds);
            assertSameLeaves(depth, numbers(500, 1));
            assertSameLeaves(depth, thresholds);
            assertSameLeaves(depth, SPECIAL);
        }
    }

    @Test
    void ranksGoWhereNumbersGoWithSpecialThresholds() {
        grow(64, 4, SPECIAL);
        assertSameLeaves(4, SPECIAL);
        assertSameLeaves(4, numbers(100, 1e300));
        grow(64, 4, new double[] {1, Math.nextUp(1.0), Math.nextUp(Math.nextUp(1.0)), 1e9, Double.POSITIVE_INFINITY});
        assertSameLeaves(4, new double[] {1, Math.nextUp(1.0), Math.nextUp(Math.nextUp(1.0)), 1e9, 2, 0.5});
        grow(64, 4, new double[] {0.5});
        assertSameLeaves(4, numbers(100, 1));
    }

    @Test
    void fewTreesAndTreesWithCategoriesAreLeftToNodes() {
        grow(1, 2, numbers(10, 1));
        assertNull(RankedNodes.of(feature, threshold, child, new int[] {2}));
        grow(64, 4, numbers(10, 1));
        feature[0] = -1;
        int[] levels = new int[64];
        Arrays.fill(levels, 4);
        assertNull(RankedNodes.of(feature, threshold, child, levels));
    }
}
