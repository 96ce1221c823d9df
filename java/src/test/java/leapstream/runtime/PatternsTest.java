package leapstream.runtime;

import static leapstream.runtime.Given.assertFails;
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
    void matchThatGoesBackOverAndOverFails() throws IOException {
        Patterns patterns =
                new Patterns(new ModelData().texts("a*a*a*a*a*a*a*a*c").open());
        assertEquals(0, patterns.first("aac"));
        assertFails(
                "the regular expression 'a*a*a*a*a*a*a*a*c' takes too long for this text",
                () -> patterns.first("a".repeat(120) + "d"));
    }

    @Test
    void withoutPatternsNothingMatches() throws IOException {
        assertEquals(-1, new Patterns(new ModelData().texts().open()).first("a"));
    }
}
