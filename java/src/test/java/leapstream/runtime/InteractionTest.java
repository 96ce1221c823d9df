package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.sparse;

import java.io.IOException;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class InteractionTest {

    private static Interaction of(int[]... categories) throws IOException {
        ModelData data = new ModelData().number(categories.length);
        for (int[] ofInput : categories) {
            data.ints(ofInput);
        }
        return new Interaction(data.open());
    }

    @Test
    void productsOfTheLastInputLieSideBySide() throws IOException {
        Interaction interaction = of(new int[] {1, 1}, new int[] {1, 1});
        interaction.begin();
        interaction.vector(1, dense(3, 5), new Vec());
        interaction.vector(0, dense(10, 100), new Vec());
        assertElements(interaction.result(new Vec()), 30, 50, 300, 500);
    }

    @Test
    void numbersAndSparseVectorsAreMultiplied() throws IOException {
        Interaction interaction = of(new int[] {1}, new int[] {1, 1});
        for (int row = 0; row < 2; row++) {
            interaction.begin();
            interaction.vector(1, sparse(2, 0, 3), new Vec());
            interaction.number(0, 7);
            assertElements(interaction.result(new Vec()), 21, 0);
        }
    }

    @Test
    void categoryStandsForAsManyElementsAsItHasValues() throws IOException {
        Interaction interaction = of(new int[] {3}, new int[] {1});
        interaction.begin();
        interaction.number(1, 5);
        interaction.number(0, 2);
        assertElements(interaction.result(new Vec()), 0, 0, 5);
    }

    @Test
    void categoryThatIsNoneFails() throws IOException {
        Interaction interaction = of(new int[] {3});
        for (double none : new double[] {3, -1, 0.5, Double.NaN}) {
            interaction.begin();
            assertFails("a category is not an integer that its element may have", () -> interaction.number(0, none));
        }
    }

    @Test
    void vectorOfAnotherSizeFails() throws IOException {
        Interaction interaction = of(new int[] {1, 1});
        interaction.begin();
        assertFails(
                "the vector has 3 elements, and 2 are expected",
                () -> interaction.vector(0, dense(1, 2, 3), new Vec()));
    }
}
