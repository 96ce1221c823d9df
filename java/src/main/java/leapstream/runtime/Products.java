package leapstream.runtime;

/** Products of elements of a vector. */
public final class Products {

    private Products() {}

    /** Products of powers of elements; those of term t lie from starts[t] up to the next start. */
    public static Vec powerProducts(Vec x, int[] starts, int[] index, int[] power, Vec buffer, Vec out) {
        double[] elements = Vectors.elements(x, buffer);
        double[] result = out.dense(starts.length - 1);
        for (int t = 0; t < starts.length - 1; t++) {
            double product = 1;
            for (int k = starts[t]; k < starts[t + 1]; k++) {
                if (index[k] >= x.size) {
                    throw Failures.elementBeyond(x.size, index[k]);
                }
                double element = elements[index[k]];
                product *= power[k] == 1 ? element : Math.pow(element, power[k]);
            }
            result[t] = product;
        }
        return out;
    }
}
