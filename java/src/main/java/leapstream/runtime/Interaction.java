package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;

/** Products of one element from each input, which are given from the last to the first. */
public final class Interaction {

    /** For each input how many elements each of its elements stands for, and where the first of them lies. */
    private final int[][] categories;

    private final int[][] begins;
    private final int[] widths;

    private int size;
    private int count;
    private int[] index = new int[1];
    private double[] value = new double[1];
    private int[] nextIndex = new int[1];
    private double[] nextValue = new double[1];
    private final Vec unordered = new Vec();

    public Interaction(DataInputStream data) throws IOException {
        int inputs = data.readInt();
        categories = new int[inputs][];
        begins = new int[inputs][];
        widths = new int[inputs];
        for (int i = 0; i < inputs; i++) {
            categories[i] = Data.readInts(data);
            begins[i] = new int[categories[i].length];
            for (int j = 0; j < categories[i].length; j++) {
                begins[i][j] = widths[i];
                widths[i] += categories[i][j];
            }
        }
    }

    /** Forgets the row before. */
    public void begin() {
        size = 1;
        count = 1;
        index[0] = 0;
        value[0] = 1;
    }

    /** Multiplies by a number. */
    public void number(int input, double x) {
        reserve(1);
        multiply(input, 0, 0, x, 0);
        finish(input, count);
    }

    /** Multiplies by what a vector stores. */
    public void vector(int input, Vec given, Vec buffer) {
        Vectors.requireSize(given, categories[input].length);
        Vec x = Vectors.ordered(given, buffer);
        int stored = x.stored();
        reserve(stored);
        for (int k = 0; k < stored; k++) {
            multiply(input, k, x.index == null ? k : x.index[k], x.value[k], k * count);
        }
        finish(input, stored * count);
    }

    private void reserve(int times) {
        if (nextIndex.length < times * count) {
            nextIndex = new int[times * count];
            nextValue = new double[times * count];
        }
    }

    /** The products with an element: its position among what is stored decides where it lies, its own index what it is. */
    private void multiply(int input, int position, int element, double x, int at) {
        int place = begins[input][position];
        double factor = x;
        int categoriesOfElement = categories[input][element];
        if (categoriesOfElement > 1) {
            if (!(x >= 0 && x < categoriesOfElement && x == (int) x)) {
                throw Failures.noCategoryOfElement();
            }
            place += (int) x;
            factor = 1;
        }
        for (int j = 0; j < count; j++) {
            nextIndex[at + j] = index[j] + place * size;
            nextValue[at + j] = value[j] * factor;
        }
    }

    private void finish(int input, int newCount) {
        size *= widths[input];
        count = newCount;
        int[] oldIndex = index;
        double[] oldValue = value;
        index = nextIndex;
        value = nextValue;
        nextIndex = oldIndex;
        nextValue = oldValue;
    }

    public Vec result(Vec out) {
        unordered.sparse(size, count);
        for (int j = 0; j < count; j++) {
            unordered.store(index[j], value[j]);
        }
        return Vectors.ordered(unordered, out);
    }
}
