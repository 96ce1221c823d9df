package leapstream.runtime;

import static leapstream.runtime.Given.assertClose;
import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class WordVectorsTest {

    private static WordVectors vectors() throws IOException {
        return new WordVectors(
                2,
                new ModelData()
                        .texts("a", "b", "broken")
                        .doubles(3, 0, 0, 4, 0, 0)
                        .ints(1, 1, 0)
                        .open());
    }

    @Test
    void sumIsDividedByTheNumberOfTokensKnownOrNot() throws IOException {
        assertElements(vectors().sum(new Object[] {"a", "b", "x", "x"}, false, new Vec()), 0.75, 1);
    }

    @Test
    void sumIsDividedByItsNorm() throws IOException {
        assertClose(1e-15, vectors().sum(new Object[] {"a", "b"}, true, new Vec()), 0.6, 0.8);
        assertElements(vectors().sum(new Object[] {"x"}, true, new Vec()), Double.NaN, Double.NaN);
    }

    @Test
    void sentenceWithoutTokensStoresNothing() throws IOException {
        Vec out = vectors().sum(new Object[0], false, new Vec());
        assertEquals(0, out.stored());
        assertElements(out, 0, 0);
    }

    @Test
    void incompleteVectorFails() throws IOException {
        WordVectors vectors = vectors();
        assertFails("the vector of a word is incomplete", () -> vectors.sum(new Object[] {"broken"}, false, new Vec()));
    }
}
