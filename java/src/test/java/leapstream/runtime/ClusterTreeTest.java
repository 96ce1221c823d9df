package leapstream.runtime;

import static leapstream.runtime.Given.assertFails;
import static leapstream.runtime.Given.dense;
import static leapstream.runtime.Given.sparse;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class ClusterTreeTest {

    /** A root over a leaf at 1 and an inner node at -5 over leaves at -4 and -6. */
    private static ClusterTree tree() throws IOException {
        return new ClusterTree(new ModelData()
                .doubles(0, 1, -5, -4, -6)
                .doubles(0, 1, 5, 4, 6)
                .ints(5, 2, 5, 4, 5)
                .ints(2, 0, 2, 0, 0)
                .ints(-1, 7, -1, 8, 9)
                .open());
    }

    @Test
    void nearestChildIsFollowedToALeaf() throws IOException {
        assertEquals(7, tree().leaf(dense(3)));
        assertEquals(8, tree().leaf(dense(-4.4)));
        assertEquals(9, tree().leaf(sparse(1, 0, -100)));
    }

    @Test
    void firstOfEqualChildrenIsFollowed() throws IOException {
        assertEquals(7, tree().leaf(dense(-2)));
        assertEquals(8, tree().leaf(dense(-5)));
    }

    @Test
    void vectorOfAnotherSizeOrWithoutANormFails() throws IOException {
        ClusterTree tree = tree();
        assertFails("the vector has 2 elements, and 1 are expected", () -> tree.leaf(dense(1, 2)));
        assertFails("the vector's norm is NaN", () -> tree.leaf(dense(Double.NaN)));
    }
}
