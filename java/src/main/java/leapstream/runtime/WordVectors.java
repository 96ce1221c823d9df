package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;

/** The vectors of words, and the scaled sum of those of a sentence. */
public final class WordVectors {

    private final Labels words;
    private final double[] vectors;
    private final int[] complete;
    private final int size;

    public WordVectors(int size, DataInputStream data) throws IOException {
        this.size = size;
        words = Data.readLabels(data);
        vectors = Data.readDoubles(data);
        complete = Data.readInts(data);
    }

    /** The sum, divided by the number of tokens or by its own 2-norm; stores nothing where there are no tokens. */
    public Vec sum(Object[] tokens, boolean normalize, Vec out) {
        if (tokens.length == 0) {
            out.sparse(size, 0);
            return out;
        }
        double[] total = out.dense(size);
        java.util.Arrays.fill(total, 0, size, 0.0);
        for (int i = 0; i < tokens.length; i++) {
            int word = words.position((String) tokens[i]);
            if (word < 0) {
                continue;
            }
            if (complete[word] == 0) {
                throw Failures.incompleteWordVector();
            }
            for (int k = 0; k < size; k++) {
                total[k] += vectors[word * size + k];
            }
        }
        double squares = 0.0;
        for (int k = 0; k < size; k++) {
            squares += total[k] * total[k];
        }
        double norm = Math.sqrt(squares);
        double share = 1.0 / tokens.length;
        for (int k = 0; k < size; k++) {
            total[k] = normalize ? total[k] / norm : total[k] * share;
        }
        return out;
    }
}
