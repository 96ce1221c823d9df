package leapstream.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class FactorsTest {

    @Test
    void productOfTwoRowsIsOfSinglePrecision() throws IOException {
        Factors users = new Factors(
                new ModelData().number(2).ints(3, 8).floats(1, 2, 0.1f, 0.3f).open());
        Factors things =
                new Factors(new ModelData().number(2).ints(5).floats(10, 0.7f).open());
        assertEquals(11.4f, Factors.product(users, 3, things, 5));
        assertEquals(0.1f * 10 + 0.3f * 0.7f, Factors.product(users, 8, things, 5));
    }

    @Test
    void unknownIdGivesNaN() throws IOException {
        Factors factors =
                new Factors(new ModelData().number(1).ints(3).floats(1).open());
        assertEquals(Float.NaN, Factors.product(factors, 4, factors, 3));
        assertEquals(Float.NaN, Factors.product(factors, 3, factors, -3));
    }
}
