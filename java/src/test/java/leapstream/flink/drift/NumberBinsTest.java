package leapstream.flink.drift;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NumberBinsTest {

    private static int place(double[] bounds, double number) {
        return (int) Arrays.stream(bounds).filter(bound -> bound < number).count();
    }

    private static void check(double... bounds) {
        NumberBins bins = new NumberBins(bounds);
        for (double bound : bounds) {
            for (double number : new double[] {Math.nextDown(bound), bound, Math.nextUp(bound), bound + 1, bound - 1}) {
                assertEquals(place(bounds, number), bins.place(number), number + " in " + Arrays.toString(bounds));
            }
        }
        for (double number : new double[] {0, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, -Double.MAX_VALUE}) {
            assertEquals(place(bounds, number), bins.place(number), number + " in " + Arrays.toString(bounds));
        }
    }

    @Test
    void theGridChangesNoBin() {
        check();
        check(1);
        check(-1, 1);
        check(-Double.MAX_VALUE, -1, 0, 1, Double.MAX_VALUE);
        check(0, Double.MIN_VALUE, 2 * Double.MIN_VALUE);
        check(0, 1e-300, 1e-10, 1, 1e10, 1e300);
        Random random = new Random(1);
        for (int i = 0; i < 200; i++) {
            double spread = i % 3 == 0 ? 1e-9 : 1;
            check(random.doubles(1 + i, -1, 1)
                    .map(x -> wide(x, spread))
                    .sorted()
                    .distinct()
                    .toArray());
        }
    }

    private static double wide(double x, double spread) {
        return x < 0.9 ? x * spread : x * 1e6;
    }
}
