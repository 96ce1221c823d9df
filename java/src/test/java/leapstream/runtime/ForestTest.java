package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.Arrays;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class ForestTest {

    private static final double NAN = Double.NaN;

    /** So many trees that give 1 (and 10) where x[1] is at most 0.5, else 2 (and 20); ready for tables. */
    private static ModelData stumps(int count) {
        int[] root = new int[count];
        int[] depth = new int[count];
        int[] order = new int[count];
        int[] feature = new int[3 * count];
        int[] child = new int[3 * count];
        int[] first = new int[3 * count];
        double[] threshold = new double[3 * count];
        Arrays.fill(threshold, NAN);
        for (int t = 0; t < count; t++) {
            int node = 3 * t;
            root[t] = node;
            depth[t] = 1;
            order[t] = t;
            feature[node] = 1;
            threshold[node] = 0.5;
            child[node] = node + 1;
            child[node + 1] = node + 1;
            first[node + 1] = 2;
            child[node + 2] = node + 2;
        }
        return new ModelData()
                .ints(root)
                .ints(depth)
                .ints(order)
                .ints(feature)
                .ints(child)
                .ints(first)
                .ints()
                .ints()
                .ints()
                .doubles(threshold)
                .doubles(1, 10, 2, 20)
                .number(2);
    }

    /** The tables of the stumps: element 1 has one cut, whose ranks leave the left leaf (bit 0) or the right one (bit 1). */
    private static ModelData tables(ModelData stumps, int count) {
        int[] masks = new int[2 * count];
        int[] ends = new int[32 * count];
        for (int t = 0; t < count; t++) {
            masks[t] = 1;
            masks[count + t] = 2;
            ends[32 * t] = 3 * t + 2;
            ends[32 * t + 1] = 3 * t + 1;
        }
        return stumps.flag(true)
                .number(1)
                .number(0)
                .ints(1)
                .ints(1)
                .ints(-1)
                .ints(0)
                .ints(masks)
                .ints(ends)
                .doubles(0.5, Double.POSITIVE_INFINITY)
                .doubles(0)
                .doubles(0);
    }

    private static void assertStumps(Forest forest, int count) {
        assertEquals(count, forest.sum(new double[] {9, 0.5}, 2));
        assertEquals(2 * count, forest.sum(new double[] {0, 0.6}, 2));
        assertEquals(2 * count, forest.sum(new double[] {0, NAN}, 2));
        assertEquals(2 * count, forest.sum(new double[] {0, Double.POSITIVE_INFINITY}, 2));
        assertEquals(count, forest.sum(new double[] {0, Double.NEGATIVE_INFINITY}, 2));
        assertElements(forest.leaves(new double[] {0, 0}, 2, 2, new Vec()), count, 10 * count);
    }

    @Test
    void treesAreWalkedOneByOneAndByFours() throws IOException {
        for (int count = 1; count <= 9; count++) {
            assertStumps(new Forest(stumps(count).flag(false).open()), count);
        }
    }

    @Test
    void tablesGiveWhatWalksGive() throws IOException {
        for (int count = 1; count <= 3; count++) {
            assertStumps(new Forest(tables(stumps(count), count).open()), count);
        }
    }

    @Test
    void treeThatTestsAFeatureBeyondTheVectorFails() throws IOException {
        Forest forest = new Forest(stumps(1).flag(false).open());
        assertFails("a tree tests a feature beyond the vector's 1 elements", () -> forest.sum(new double[] {9}, 1));
    }

    @Test
    void groupsAreSummedInSinglePrecisionFromTheirBase() throws IOException {
        Forest forest = new Forest(stumps(3).flag(false).open());
        int[] groups = {0, 1, 0};
        Vec out = forest.groupSums(new double[] {0, 0}, 2, groups, new double[] {0.1f, 0}, new Vec());
        assertElements(out, (double) (float) ((double) (float) (0.1f + 1.0) + 1), 1);
    }

    /** Trees that give the least of the numbers 0, 1, … that x[0] is at most, or the number of levels where it is above all. */
    private static Forest stairs(int levels, int count) throws IOException {
        int nodes = 2 * levels + 1;
        int[] root = new int[count];
        int[] depth = new int[count];
        int[] order = new int[count];
        int[] child = new int[nodes * count];
        int[] first = new int[nodes * count];
        double[] threshold = new double[nodes * count];
        double[] data = new double[levels + 1];
        Arrays.fill(threshold, NAN);
        for (int t = 0; t < count; t++) {
            int at = nodes * t;
            root[t] = at;
            depth[t] = levels;
            order[t] = t;
            for (int node = 0; node < nodes; node++) {
                child[at + node] = at + node;
            }
            for (int level = 0; level < levels; level++) {
                int split = at + Math.max(0, 2 * level - 1);
                threshold[split] = level;
                child[split] = at + 2 * level + 1;
                first[at + 2 * level + 2] = level;
                data[level] = level;
            }
            first[at + nodes - 2] = levels;
        }
        data[levels] = levels;
        return new Forest(new ModelData()
                .ints(root)
                .ints(depth)
                .ints(order)
                .ints(new int[nodes * count])
                .ints(child)
                .ints(first)
                .ints()
                .ints()
                .ints()
                .doubles(threshold)
                .doubles(data)
                .number(1)
                .flag(false)
                .open());
    }

    @Test
    void deepTreesAreWalkedToTheirLeaves() throws IOException {
        for (int levels : new int[] {1, 7, 8, 9, 16, 17, 40}) {
            for (int level = 0; level <= levels; level++) {
                assertEquals(5 * level, stairs(levels, 5).sum(new double[] {level - 0.5}, 1));
            }
            assertEquals(5 * levels, stairs(levels, 5).sum(new double[] {NAN}, 1));
        }
    }

    /** A tree that gives 1 where x[0] is 2 or 4 (or, with the set on the right, is not), else 2. */
    private static Forest categorical(int setLeft) throws IOException {
        return new Forest(new ModelData()
                .ints(0)
                .ints(1)
                .ints()
                .ints(-1, 0, 0)
                .ints(1, 1, 2)
                .ints(0, 1, 0)
                .ints(2)
                .ints(4)
                .ints(setLeft)
                .doubles(NAN, NAN, NAN)
                .doubles(1, 2, 2, 4)
                .number(1)
                .flag(false)
                .open());
    }

    @Test
    void categoriesOfTheSetGoToItsSide() throws IOException {
        for (double category : new double[] {2, 4}) {
            assertEquals(1, categorical(1).sum(new double[] {category}, 1));
            assertEquals(2, categorical(0).sum(new double[] {category}, 1));
        }
        for (double category : new double[] {0, 3, 5, -1, 2.5}) {
            assertEquals(2, categorical(1).sum(new double[] {category}, 1));
            assertEquals(1, categorical(0).sum(new double[] {category}, 1));
        }
    }

    @Test
    void vectorsOfAnEmptyForestGiveZeros() throws IOException {
        Forest forest = new Forest(stumps(0).flag(false).open());
        assertEquals(0, forest.sum(dense(1, 2).value, 2));
        assertElements(forest.leaves(new double[] {1, 2}, 2, 2, new Vec()), 0, 0);
    }
}
