package leapstream.runtime;

import static leapstream.runtime.Given.assertClose;
import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.elements;
import static leapstream.runtime.Given.sparse;

import org.junit.jupiter.api.Test;

class CosineTransformTest {

    private final CosineTransform transform = new CosineTransform();

    private Vec forward(Vec x) {
        return transform.transform(x, false, new Vec());
    }

    @Test
    void constantsHaveOneCoefficient() {
        assertClose(1e-15, forward(dense(1, 1, 1, 1)), 2, 0, 0, 0);
        assertClose(1e-14, forward(dense(new double[12])), new double[12]);
    }

    @Test
    void transformOfAUnitVectorIsARowOfCosines() {
        double[] x = new double[24];
        x[5] = 1;
        double[] expected = new double[24];
        for (int k = 0; k < 24; k++) {
            expected[k] = Math.sqrt((k == 0 ? 1.0 : 2.0) / 24) * Math.cos(Math.PI * 11 * k / 48);
        }
        assertClose(1e-14, forward(dense(x)), expected);
        assertClose(1e-14, forward(sparse(24, 5, 1)), expected);
    }

    @Test
    void inverseGivesBackWhatWasTransformed() {
        for (int size = 1; size <= 40; size++) {
            double[] x = new double[size];
            for (int i = 0; i < size; i++) {
                x[i] = Math.sin(i * i + size);
            }
            Vec back = transform.transform(forward(dense(x)), true, new Vec());
            assertClose(1e-13, back, x);
        }
    }

    @Test
    void elementThatIsNotFiniteMakesAllNaN() {
        double nan = Double.NaN;
        assertElements(forward(dense(1, Double.POSITIVE_INFINITY)), nan, nan);
        assertElements(forward(dense(nan, 1, 2)), nan, nan, nan);
    }

    @Test
    void singleElementStaysAndNoneFails() {
        assertElements(forward(dense(-0.0)), elements(dense(-0.0)));
        assertFails("the vector has no elements", () -> forward(dense()));
    }
}
