package leapstream.runtime;

import java.util.Arrays;

/** Counts indices, or adds up numbers by index, into a sparse vector. */
public final class Counts {

    private int[] index = new int[16];
    private double[] sums = new double[16];
    private int count;

    /** Forgets what was added. */
    public void clear() {
        count = 0;
    }

    private void grow() {
        if (count == index.length) {
            index = Arrays.copyOf(index, 2 * count);
            sums = Arrays.copyOf(sums, 2 * count);
        }
    }

    /** Adds an index, to be counted. */
    public void add(int i) {
        grow();
        index[count++] = i;
    }

    /** The number of times that each index was added, or 1 if binary; only numbers of at least least are stored. */
    public Vec counts(int size, double least, boolean binary, Vec out) {
        Arrays.sort(index, 0, count);
        out.sparse(size, count);
        int at = 0;
        while (at < count) {
            int end = at + 1;
            while (end < count && index[end] == index[at]) {
                end++;
            }
            if (end - at >= least) {
                if (index[at] >= size) {
                    throw Failures.noElementForWord();
                }
                out.store(index[at], binary ? 1.0 : end - at);
            }
            at = end;
        }
        return out;
    }

    /** Adds a number to those at its index; indices are kept sorted. */
    public void add(int i, double x) {
        int at = Arrays.binarySearch(index, 0, count, i);
        if (at >= 0) {
            sums[at] += x;
            return;
        }
        grow();
        at = -at - 1;
        System.arraycopy(index, at, index, at + 1, count - at);
        System.arraycopy(sums, at, sums, at + 1, count - at);
        index[at] = i;
        sums[at] = 0.0 + x;
        count++;
    }

    /** The sums of the numbers added. */
    public Vec sums(int size, Vec out) {
        out.sparse(size, count);
        for (int k = 0; k < count; k++) {
            out.store(index[k], sums[k]);
        }
        return out;
    }

    /** The number of occurrences of each word; keeps counts of at least minCount, or that share of the tokens if below 1. */
    public Vec words(Object[] tokens, Labels vocabulary, int size, double minCount, boolean binary, Vec out) {
        clear();
        for (int i = 0; i < tokens.length; i++) {
            int position = vocabulary.position((String) tokens[i]);
            if (position >= 0) {
                add(position);
            }
        }
        return counts(size, minCount >= 1.0 ? minCount : tokens.length * minCount, binary, out);
    }
}
