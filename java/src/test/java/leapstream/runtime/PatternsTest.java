package leapstream.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class PatternsTest {

    @Test
    void firstPatternThatMatchesWithinTheTextDecides() throws IOException {
        Patterns patterns = new Patterns(new ModelData().texts("^a", "b").open());
        assertEquals(0, patterns.first("ab"));
        assertEquals(1, patterns.first("cb"));
        assertEquals(-1, patterns.first("c"));
        assertEquals(-1, patterns.first(""));
    }

    @Test
    void withoutPatternsNothingMatches() throws IOException {
        assertEquals(-1, new Patterns(new ModelData().texts().open()).first("a"));
    }
}
