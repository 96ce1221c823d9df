package leapstream.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class PredictionExceptionTest {

    @Test
    void messageNamesThePlacesThatAreKnown() {
        PredictionException failure = new PredictionException("it fails", "m", "n", null, "c");
        assertEquals("it fails (model 'm', node 'n', column 'c')", failure.getMessage());
        assertEquals("it fails", failure.reason);
        assertEquals("it fails", new PredictionException("it fails").getMessage());
    }

    @Test
    void failureOfARowHasNoStackTrace() {
        assertEquals(0, new RowFailure("it fails").getStackTrace().length);
    }
}
