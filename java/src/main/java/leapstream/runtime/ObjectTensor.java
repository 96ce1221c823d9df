package leapstream.runtime;

/** A tensor of strings, byte strings or longs; dense when index is null, else value[k] is element index[k]. */
public final class ObjectTensor {

    public final Object[] value;
    public final int[] index;

    /** The dimensions; null for a vector of size elements. */
    public final int[] dimensions;

    public final int size;

    public ObjectTensor(Object[] value, int[] index, int[] dimensions, int size) {
        this.value = value;
        this.index = index;
        this.dimensions = dimensions;
        this.size = size;
    }
}
