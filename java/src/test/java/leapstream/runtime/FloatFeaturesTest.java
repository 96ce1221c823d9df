package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.sparse;

import java.io.IOException;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class FloatFeaturesTest {

    /** The elements 2, 0 and 2 again, the last one rounded down. */
    private static FloatFeatures features() throws IOException {
        return new FloatFeatures(new ModelData()
                .ints(0, 2)
                .ints(1, 0, 1)
                .doubles(-1, Double.NaN, -3)
                .ints(0, 0, 1)
                .open());
    }

    @Test
    void elementsArePickedInSinglePrecision() throws IOException {
        assertElements(features().pick(dense(0.1, 9, 2.7), 3, new Vec()), (double) 2.7f, (double) 0.1f, 2);
    }

    @Test
    void elementThatIsNotThereIsMissing() throws IOException {
        assertElements(features().pick(dense(1), 3, new Vec()), -1, 1, -3);
        assertElements(features().pick(sparse(3, 2, 5), 3, new Vec()), 5, Double.NaN, 5);
        assertElements(features().pick(dense(), 3, new Vec()), -1, Double.NaN, -3);
    }

    @Test
    void longVectorsAndInfiniteElementsFail() throws IOException {
        FloatFeatures features = features();
        assertFails(
                "the vector has 4 elements, and at most 3 are expected",
                () -> features.pick(dense(1, 2, 3, 4), 3, new Vec()));
        assertFails("an element is infinite in single precision", () -> features.pick(dense(0, 1e39), 3, new Vec()));
    }
}
