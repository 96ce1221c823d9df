package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.indexes;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.api.Test;

class CountsTest {

    private final Counts counts = new Counts();
    private final Labels vocabulary = new Labels(new String[] {"a", "b", "c"});

    @Test
    void indexesAreCountedWhereTheyAreOftenEnough() {
        for (int i = 0; i < 40; i++) {
            counts.add(3);
        }
        counts.add(1);
        assertElements(counts.counts(5, 0, false, new Vec()), 0, 1, 0, 40, 0);
        assertElements(counts.counts(5, 2, false, new Vec()), 0, 0, 0, 40, 0);
        assertElements(counts.counts(5, 0, true, new Vec()), 0, 1, 0, 1, 0);
    }

    @Test
    void numbersAreSummedByIndexWithIndexesRising() {
        counts.add(4, 1.5);
        counts.add(0, -0.0);
        counts.add(4, 2);
        Vec out = counts.sums(5, new Vec());
        assertArrayEquals(new int[] {0, 4}, indexes(out));
        assertElements(out, 0.0, 0, 0, 0, 3.5);
    }

    @Test
    void clearingForgetsTheRowBefore() {
        counts.add(2, 7);
        counts.clear();
        assertElements(counts.sums(3, new Vec()), 0, 0, 0);
    }

    @Test
    void wordsOfTheVocabularyAreCounted() {
        Object[] tokens = {"a", "x", "b", "a", null};
        assertElements(counts.words(tokens, vocabulary, 3, 1, false, new Vec()), 2, 1, 0);
        assertElements(counts.words(tokens, vocabulary, 3, 2, false, new Vec()), 2, 0, 0);
        assertElements(counts.words(tokens, vocabulary, 3, 1, true, new Vec()), 1, 1, 0);
        assertElements(counts.words(new Object[0], vocabulary, 3, 1, false, new Vec()), 0, 0, 0);
    }

    @Test
    void leastCountBelowOneIsAShareOfTheTokens() {
        Object[] tokens = {"a", "a", "b", "x"};
        assertElements(counts.words(tokens, vocabulary, 3, 0.5, false, new Vec()), 2, 0, 0);
    }

    @Test
    void wordWithoutAnElementFails() {
        Labels repeated = new Labels(new String[] {"a", "b", "a"});
        assertFails(
                "a word repeats in the vocabulary, which leaves no element for another",
                () -> counts.words(new Object[] {"a"}, repeated, 2, 1, false, new Vec()));
    }
}
