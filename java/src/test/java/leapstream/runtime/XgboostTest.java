package leapstream.runtime;

import static leapstream.runtime.Given.assertClose;
import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.dense;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class XgboostTest {

    @Test
    void functionsRoundToSinglePrecision() {
        assertEquals((double) 0.1f, Xgboost.single(0.1));
        assertEquals((double) (float) Math.E, Xgboost.exp(1));
        assertEquals(Double.POSITIVE_INFINITY, Xgboost.exp(89));
        assertEquals(0.5, Xgboost.logistic(0));
        assertEquals(1, Xgboost.step(1e-300));
        assertEquals(0, Xgboost.step(Double.NaN));
        assertEquals(3, Xgboost.round(2.5));
        assertEquals(-2, Xgboost.round(-2.5));
    }

    @Test
    void logisticNeverReachesZero() {
        double least = Xgboost.logistic(Double.NEGATIVE_INFINITY);
        assertEquals(least, Xgboost.logistic(-1000));
        assertEquals(3e-39, least, 1e-39);
        assertEquals(1, Xgboost.logistic(Double.POSITIVE_INFINITY));
    }

    @Test
    void softmaxGivesProbabilities() {
        assertClose(1e-7, Xgboost.softmax(dense(0, Math.log(3)), new Vec()), 0.25, 0.75);
        assertClose(1e-7, Xgboost.softmax(dense(1000, 1000), new Vec()), 0.5, 0.5);
        assertElements(Xgboost.softmax(dense(), new Vec()));
    }

    @Test
    void linearModelsSumOrListTheirProducts() {
        double[] weights = {1, 10, 2, 20};
        double[] base = {0.5, -1};
        assertElements(Xgboost.sums(dense(3, 4), weights, base, new Vec()), 11.5, 109);
        assertElements(Xgboost.products(dense(3, 4), weights, base, new Vec()), 3, 8, 0.5, 30, 80, -1);
    }
}
