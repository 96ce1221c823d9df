package leapstream.flink.drift;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SampleTest {

    private static boolean[] chosen(double share, int seed) {
        Sample sample = new Sample(share, seed);
        boolean[] found = new boolean[100_000];
        for (int i = 0; i < found.length; i++) {
            found[i] = sample.next();
        }
        return found;
    }

    private static int count(boolean[] chosen) {
        int count = 0;
        for (boolean one : chosen) {
            count += one ? 1 : 0;
        }
        return count;
    }

    @Test
    void aShareOfTheRowsIsChosen() {
        assertEquals(100_000, count(chosen(1, 0)));
        assertEquals(0, count(chosen(0, 0)));
        for (int seed = 0; seed < 8; seed++) {
            // Five standard deviations.
            assertEquals(10_000, count(chosen(0.1, seed)), 475);
        }
    }

    @Test
    void eachSubtaskHasItsOwnSampleAndAlwaysTheSame() {
        assertArrayEquals(chosen(0.1, 3), chosen(0.1, 3));
        boolean[] one = chosen(0.1, 0);
        boolean[] other = chosen(0.1, 1);
        int both = 0;
        for (int i = 0; i < one.length; i++) {
            both += one[i] && other[i] ? 1 : 0;
        }
        assertEquals(1000, both, 160);
    }
}
