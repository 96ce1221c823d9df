package leapstream.runtime;

/**
 * A tensor of numbers (of any basic type but long), in a buffer that is filled anew for every row.
 *
 * Dense when index is null: the first size elements of value. Else sparse: value[k] is element index[k], for k below count; all
 * other elements are 0. Arrays may be longer than needed.
 */
public final class Vec {

    public int size;
    public int[] index;
    public double[] value;
    public int count;

    /** The dimensions of a tensor that is not a vector, null for a vector; indexes count elements in row-major order. */
    public int[] dimensions;

    private int[] indexBuffer;

    public Vec() {
        this(0);
    }

    /** A dense vector of size 0 with room for some elements. */
    public Vec(int capacity) {
        value = new double[capacity];
        indexBuffer = new int[0];
    }

    /** Makes it a dense vector; its elements are to be set. */
    public double[] dense(int newSize) {
        size = newSize;
        count = newSize;
        index = null;
        dimensions = null;
        if (value.length < newSize) {
            value = new double[newSize];
        }
        return value;
    }

    /** Makes it a sparse vector with room for some stored elements, none stored yet. */
    public void sparse(int newSize, int capacity) {
        size = newSize;
        count = 0;
        dimensions = null;
        if (value.length < capacity) {
            value = new double[capacity];
        }
        if (indexBuffer.length < capacity) {
            indexBuffer = new int[capacity];
        }
        index = indexBuffer;
    }

    /** Number of stored elements. */
    public int stored() {
        return index == null ? size : count;
    }

    /** Stores an element behind the others; there has to be room. */
    public void store(int i, double x) {
        index[count] = i;
        value[count++] = x;
    }

    /** Makes room for a larger dense vector; keeps its elements. */
    public void grow(int newSize) {
        if (value.length < newSize) {
            double[] larger = new double[Math.max(newSize, 2 * value.length)];
            System.arraycopy(value, 0, larger, 0, size);
            value = larger;
        }
    }

    /** Makes a dense vector sparse where that is smaller, by Spark's rule. */
    public void compress() {
        int nonzeros = 0;
        for (int i = 0; i < size; i++) {
            // Adding 0 makes -0.0 the 0.0 of an element that is not stored.
            value[i] += 0.0;
            if (value[i] != 0) {
                nonzeros++;
            }
        }
        if (1.5 * nonzeros + 2 < size) {
            if (indexBuffer.length < nonzeros) {
                indexBuffer = new int[Math.max(nonzeros, 2 * indexBuffer.length)];
            }
            index = indexBuffer;
            count = 0;
            for (int i = 0; i < size; i++) {
                if (value[i] != 0) {
                    store(i, value[i]);
                }
            }
        }
    }
}
