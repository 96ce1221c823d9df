package leapstream.runtime;

import static leapstream.runtime.Given.assertClose;

import java.io.IOException;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class TreeContributionsTest {

    private static final double NAN = Double.NaN;

    /** Trees over the features 0 and 2 of three; covers, means and weights follow. */
    private static ModelData forest(int[] feature, int[] child, int[] first, double[] threshold, double[] data) {
        return new ModelData()
                .ints(0)
                .ints(2)
                .ints(0)
                .ints(feature)
                .ints(child)
                .ints(first)
                .ints()
                .ints()
                .ints()
                .doubles(threshold)
                .doubles(data)
                .number(2)
                .flag(false);
    }

    @Test
    void oneSplitContributesTheDifferenceFromTheMean() throws IOException {
        ModelData data = forest(
                        new int[] {0, 0, 0},
                        new int[] {1, 1, 2},
                        new int[] {0, 0, 1},
                        new double[] {0.5, NAN, NAN},
                        new double[] {3, 1})
                .doubles(10, 6, 4)
                .doubles(2.2)
                .doubles(1)
                .ints(0)
                .doubles(0.5)
                .ints(0, 1)
                .ints(0, 2)
                .number(3);
        TreeContributions contributions = new TreeContributions(data.open());
        assertClose(1e-6, contributions.of(new double[] {0, 0}, new Vec()), -1.2, 0, 0, 2.7);
        assertClose(1e-6, contributions.of(new double[] {1, 0}, new Vec()), 0.8, 0, 0, 2.7);
    }

    @Test
    void symmetricFeaturesShareWhatTheyDoTogether() throws IOException {
        // 1 where both elements are above 0, else 0, all four combinations being as frequent.
        ModelData data = forest(
                        new int[] {0, 1, 0, 0, 0},
                        new int[] {1, 3, 2, 3, 4},
                        new int[] {0, 0, 0, 1, 0},
                        new double[] {0, 0, NAN, NAN, NAN},
                        new double[] {0, 1})
                .doubles(4, 2, 2, 1, 1)
                .doubles(0.25)
                .doubles(2)
                .ints(0)
                .doubles(0)
                .ints(0, 1)
                .ints(0, 2)
                .number(3);
        TreeContributions contributions = new TreeContributions(data.open());
        assertClose(1e-6, contributions.of(new double[] {1, 1}, new Vec()), 0.75, 0, 0.75, 0.5);
        assertClose(1e-6, contributions.of(new double[] {0, 0}, new Vec()), -0.25, 0, -0.25, 0.5);
        assertClose(1e-6, contributions.of(new double[] {1, 0}, new Vec()), 0.25, 0, -0.75, 0.5);
    }
}
