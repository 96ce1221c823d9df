package leapstream.runtime;

import java.util.Arrays;
import java.util.HashMap;

/** The labels of a string indexer; of a label that repeats the last position counts. */
public final class Labels {

    private final HashMap positions;
    private final String[] labels;

    public Labels(String[] labels) {
        this.labels = labels;
        this.positions = new HashMap(2 * labels.length);
        for (int i = 0; i < labels.length; i++) {
            positions.put(labels[i], Integer.valueOf(i));
        }
    }

    /** Position of a label, or -1. */
    public int position(String label) {
        Integer found = (Integer) positions.get(label);
        return found == null ? -1 : found.intValue();
    }

    /** The label at a position, which is cut towards zero. */
    public String label(double position) {
        int i = (int) position;
        if (i < 0 || i >= labels.length) {
            throw Failures.outsideOfLabels(labels.length);
        }
        return labels[i];
    }

    /** The label of each element that a tensor stores. */
    public ObjectTensor labels(Vec x) {
        Object[] texts = new Object[x.stored()];
        for (int k = 0; k < texts.length; k++) {
            texts[k] = label(x.value[k]);
        }
        int[] index = x.index == null ? null : Arrays.copyOf(x.index, texts.length);
        return new ObjectTensor(texts, index, x.dimensions == null ? null : (int[]) x.dimensions.clone(), x.size);
    }

    /** The label of each double of a list. */
    public Object[] labels(Object[] x) {
        Object[] texts = new Object[x.length];
        for (int i = 0; i < x.length; i++) {
            // Scala reads a missing element of a list of doubles as 0.
            texts[i] = label(x[i] == null ? 0.0 : ((Double) x[i]).doubleValue());
        }
        return texts;
    }
}
