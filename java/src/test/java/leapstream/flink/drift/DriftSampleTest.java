package leapstream.flink.drift;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.flink.table.api.ValidationException;
import org.junit.jupiter.api.Test;

class DriftSampleTest {

    @Test
    void aShareIsFromZeroToOne() {
        DriftSample sample = new DriftSample();
        assertTrue(sample.eval(1));
        assertFalse(sample.eval(0));
        assertThrows(ValidationException.class, () -> sample.eval(1.5));
        assertThrows(ValidationException.class, () -> sample.eval(Double.NaN));
    }
}
