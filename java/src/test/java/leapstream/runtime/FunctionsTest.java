package leapstream.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class FunctionsTest {

    @Test
    void errorFunctionHasItsKnownValues() {
        assertEquals(0, Functions.erf(0));
        assertEquals(0.1124629160182849, Functions.erf(0.1), 1e-16);
        assertEquals(0.5204998778130465, Functions.erf(0.5), 1e-15);
        assertEquals(0.8427007929497149, Functions.erf(1), 1e-15);
        assertEquals(0.9999779095030014, Functions.erf(3), 1e-15);
        assertEquals(1, Functions.erf(6));
    }

    @Test
    void errorFunctionIsOddAndBounded() {
        assertEquals(-Functions.erf(2.5), Functions.erf(-2.5));
        assertEquals(1, Functions.erf(Double.POSITIVE_INFINITY));
        assertEquals(-1, Functions.erf(Double.NEGATIVE_INFINITY));
        assertEquals(-0.0, Functions.erf(-0.0));
        assertEquals(Double.NaN, Functions.erf(Double.NaN));
    }

    @Test
    void clippingKeepsNaNAndTheSignOfZero() {
        assertEquals(0.5, Functions.clip(0.5, 0, 1));
        assertEquals(0, Functions.clip(Double.NEGATIVE_INFINITY, 0, 1));
        assertEquals(1, Functions.clip(Double.POSITIVE_INFINITY, 0, 1));
        assertEquals(-0.0, Functions.clip(-0.0, 0, 1));
        assertEquals(Double.NaN, Functions.clip(Double.NaN, 0, 1));
    }
}
