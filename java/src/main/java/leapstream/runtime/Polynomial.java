package leapstream.runtime;

/** All products of some elements of a vector. */
public final class Polynomial {

    private static final int MOST = 1 << 24;

    private final int degree;
    private final int size;
    private final int width;

    /** skipped[rest][i]: number of products of at most so many of the first i elements. */
    private int[][] skipped;

    private int known = -1;

    // The product that is being extended, by its number of factors.
    private final int[] next;
    private final int[] limit;
    private final int[] place;
    private final double[] product;

    public Polynomial(int size, int degree) {
        this.size = size;
        this.degree = degree;
        width = (int) products(size, degree) - 1;
        skipped = new int[degree + 1][0];
        next = new int[degree + 1];
        limit = new int[degree + 1];
        place = new int[degree + 1];
        product = new double[degree + 1];
    }

    /** Number of products of at most so many elements, the empty one included; stops counting beyond 2^31. */
    private static double products(int elements, int factors) {
        double number = 1;
        for (int i = 1; i <= factors && number < 4e9; i++) {
            number = number * (elements + i) / i;
        }
        return Math.rint(number);
    }

    private void prepare(int elements) {
        if (elements > known) {
            for (int rest = 0; rest <= degree; rest++) {
                skipped[rest] = new int[elements];
                for (int i = 0; i < elements; i++) {
                    skipped[rest][i] = (int) products(i, rest);
                }
            }
            known = elements;
        }
    }

    public Vec expand(Vec given, Vec buffer, Vec out) {
        boolean sparse = given.index != null;
        double every = products(given.size, degree);
        if (given.size != size && every > MOST) {
            Vectors.requireSize(given, size);
        }
        // A sparse vector has the products of its own elements, a dense one those of as many as are declared.
        int most = sparse ? (int) every - 1 : width;
        prepare(given.size);
        Vec x = Vectors.ordered(given, buffer);
        int count = x.stored();
        if (sparse) {
            out.sparse(most, (int) Math.min(products(count, degree) - 1, most));
        } else {
            java.util.Arrays.fill(out.dense(width), 0, width, 0.0);
        }
        int factors = 0;
        next[0] = 0;
        limit[0] = count - 1;
        place[0] = -1;
        product[0] = 1;
        while (factors >= 0) {
            if (factors == degree || next[factors] > limit[factors]) {
                factors--;
                continue;
            }
            int k = next[factors]++;
            double value = product[factors] * x.value[k];
            if (value == 0) {
                continue;
            }
            int at = place[factors] + skipped[degree - factors][x.index == null ? k : x.index[k]];
            if (at >= most) {
                throw Failures.wrongSize(x.size, size);
            }
            if (sparse) {
                out.store(at, value);
            } else {
                out.value[at] = value;
            }
            factors++;
            next[factors] = 0;
            limit[factors] = k;
            place[factors] = at;
            product[factors] = value;
        }
        return out;
    }
}
