package leapstream.runtime;

import static leapstream.runtime.Given.assertElements;
import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.indexes;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class HashingTest {

    private static final int SIZE = 1 << 20;

    private static int index(boolean legacyTail, String text) {
        Vec out = new Hashing(SIZE, legacyTail).counts(new Object[] {text}, false, new Vec());
        return indexes(out)[0];
    }

    @Test
    void hashesAreThoseOfMurmur3WithSeed42() {
        // Published values of the 32-bit hash.
        assertEquals(Math.floorMod(142593372, SIZE), index(false, ""));
        assertEquals(Math.floorMod(-1322301282, SIZE), index(false, "foo"));
    }

    @Test
    void legacyTailIsThatOfSparksOldHash() {
        // Spark SQL: SELECT hash('abc').
        assertEquals(Math.floorMod(1322437556, SIZE), index(true, "abc"));
        assertEquals(index(false, "four"), index(true, "four"));
    }

    @Test
    void halfASurrogatePairHashesAsQuestionMark() {
        assertEquals(index(false, "a?"), index(false, "a\uD83D"));
        assertEquals(index(false, "?a"), index(false, "\uDE00a"));
    }

    @Test
    void missingTokenHasTheSeedAsItsHash() {
        Vec out = new Hashing(5, false).counts(new Object[] {null}, false, new Vec());
        assertElements(out, 0, 0, 1, 0, 0);
    }

    @Test
    void tokensAreCountedOrMarked() {
        Hashing hashing = new Hashing(1, false);
        assertElements(hashing.counts(new Object[] {"a", "b", "c"}, false, new Vec()), 3);
        assertElements(hashing.counts(new Object[] {"a", "b", "c"}, true, new Vec()), 1);
        assertElements(hashing.counts(new Object[0], false, new Vec()), 0);
    }

    @Test
    void featuresAreHashedByNameOrByNameAndCategory() throws IOException {
        Hashing hashing =
                new Hashing(SIZE, new ModelData().texts("real", "stringNum").open());
        hashing.clear();
        hashing.number(0, 2.2);
        hashing.category(1, "1");
        Vec out = hashing.sums(new Vec());
        assertEquals(2, out.count);
        assertEquals(2.2, Selection.item(out, index(false, "real")));
        assertEquals(1, Selection.item(out, index(false, "stringNum=1")));
        hashing.clear();
        assertEquals(0, hashing.sums(out).count);
    }

    @Test
    void leastHashOfTheIndexesOfNonzerosIsTaken() {
        int[] a = {1, 2};
        int[] b = {10, 0};
        assertElements(Hashing.minHash(dense(0, 5, -1), a, b, new Vec()), 12, 4);
        assertElements(Hashing.minHash(sparse(9, 0, 0.0, 7, 1), a, b, new Vec()), 18, 16);
        assertFails("the vector needs an element that is not 0", () -> Hashing.minHash(dense(0), a, b, new Vec()));
    }

    @Test
    void indexesOfCountsRise() {
        Vec out = new Hashing(100, false).counts(new Object[] {"x", "y", "z", "w"}, false, new Vec());
        int[] found = indexes(out);
        int[] sorted = found.clone();
        java.util.Arrays.sort(sorted);
        assertArrayEquals(sorted, found);
    }
}
