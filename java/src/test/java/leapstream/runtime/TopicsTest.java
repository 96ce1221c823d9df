package leapstream.runtime;

import static leapstream.runtime.Given.assertClose;
import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class TopicsTest {

    /** Two topics and three terms, the first of one topic, the last of the other. */
    private static Topics topics() throws IOException {
        return new Topics(new ModelData()
                .doubles(1, 0, 0.5, 0.5, 0, 1)
                .doubles(0.1, 0.1)
                .doubles(1, 1)
                .open());
    }

    @Test
    void digammaHasItsKnownValues() {
        assertEquals(-0.5772156649015329, Topics.digamma(1), 1e-14);
        assertEquals(-1.9635100260214235, Topics.digamma(0.5), 1e-14);
        assertEquals(2.2517525890667211, Topics.digamma(10), 1e-14);
        assertEquals(Double.NaN, Topics.digamma(Double.NaN));
        assertEquals(Double.POSITIVE_INFINITY, Topics.digamma(Double.POSITIVE_INFINITY));
    }

    @Test
    void mixtureSumsToOneAndFollowsTheTerms() throws IOException {
        double[] mixture = Given.elements(topics().mixture(dense(4, 0, 1), new Vec()));
        assertEquals(1, mixture[0] + mixture[1], 1e-15);
        assertTrue(mixture[0] > 0.7 && mixture[0] < 0.9);
        assertClose(1e-15, topics().mixture(dense(0, 3, 0), new Vec()), 0.5, 0.5);
    }

    @Test
    void sparseDocumentsHaveTheTopicsOfDenseOnes() throws IOException {
        assertElements(
                topics().mixture(sparse(3, 0, 4, 2, 1), new Vec()),
                Given.elements(topics().mixture(dense(4, 0, 1), new Vec())));
    }

    @Test
    void documentWithoutTermsHasNoTopics() throws IOException {
        assertElements(topics().mixture(dense(0, 0, 0), new Vec()), 0, 0);
        assertElements(topics().mixture(sparse(99), new Vec()), 0, 0);
    }

    @Test
    void termsBeyondTheKnownFail() throws IOException {
        Topics topics = topics();
        assertFails("the document has terms beyond the 3 known", () -> topics.mixture(dense(1, 0, 0, 0), new Vec()));
        assertFails("the document has terms beyond the 3 known", () -> topics.mixture(sparse(9, 3, 1), new Vec()));
        assertElements(topics.mixture(sparse(9, 1, 1), new Vec()), 0.5, 0.5);
    }
}
