package leapstream.runtime;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * The recorded rows of a model, in the jar that a store has of it, and the comparison of the model with them.
 *
 * The rows come in the form of BatchRunner: class and data of the model; types of its inputs and outputs; relative and absolute
 * tolerance; the number of rows; a byte per row (0 fine, 1 dropped, 2 failed, 3 not compared); the inputs of all rows; numbers,
 * names and types of the columns that are compared; and their values in the rows that are fine.
 */
public final class ContractRows {

    /** The place of the rows in a jar. */
    public static final String RESOURCE = "leapstream/generated/contract.bin";

    private static final int DROPPED = 1;
    private static final int FAILED = 2;
    private static final int NOT_COMPARED = 3;

    private final double relative;
    private final double absolute;

    private ContractRows(double relative, double absolute) {
        this.relative = relative;
        this.absolute = absolute;
    }

    /**
     * The first difference of the model of a jar from its rows, in words; null if there is none, or the jar has no rows.
     *
     * @param loader the class loader of the jar
     */
    public static String difference(ClassLoader loader) throws IOException, ReflectiveOperationException {
        InputStream stream = loader.getResourceAsStream(RESOURCE);
        if (stream == null) {
            return null;
        }
        try {
            DataInputStream in = new DataInputStream(new ByteArrayInputStream(stream.readAllBytes()));
            RowModel model = (RowModel) loader.loadClass(Data.readText(in))
                    .getDeclaredConstructor(new Class[0])
                    .newInstance(new Object[0]);
            InputStream data = loader.getResourceAsStream(Data.readText(in));
            try {
                model.open(new DataInputStream(new ByteArrayInputStream(data.readAllBytes())));
            } finally {
                data.close();
            }
            String[] inputs = BatchRunner.split(Data.readText(in));
            return new ContractRows(in.readDouble(), in.readDouble()).difference(model, in, inputs);
        } finally {
            stream.close();
        }
    }

    private String difference(RowModel model, DataInputStream in, String[] inputs) throws IOException {
        byte[] states = new byte[in.readInt()];
        in.readFully(states);
        Object[][] given = new Object[states.length][];
        for (int row = 0; row < states.length; row++) {
            given[row] = BatchRunner.readRow(in, inputs);
        }
        int[] places = Data.readInts(in);
        String[] names = new String[places.length];
        String[] types = new String[places.length];
        for (int i = 0; i < places.length; i++) {
            names[i] = Data.readText(in);
            types[i] = Data.readText(in);
        }
        for (int row = 0; row < states.length; row++) {
            Object[] expected = states[row] == 0 ? BatchRunner.readRow(in, types) : null;
            String difference = difference(model, given[row], states[row], places, names, expected);
            if (difference != null) {
                return "row " + row + " of its contract " + difference;
            }
        }
        return null;
    }

    private String difference(
            RowModel model, Object[] given, int state, int[] places, String[] names, Object[] expected) {
        if (state == NOT_COMPARED) {
            return null;
        }
        boolean kept;
        try {
            for (int i = 0; i < given.length; i++) {
                model.setInput(i, given[i]);
            }
            kept = model.run();
        } catch (PredictionException failure) {
            return state == FAILED ? null : "fails: " + failure.getMessage();
        }
        if (state == FAILED) {
            return "has to fail, and does not";
        }
        if (kept != (state != DROPPED)) {
            return kept ? "has to be dropped, and is not" : "is dropped, and has not to be";
        }
        for (int i = 0; kept && i < places.length; i++) {
            Object found = model.getOutput(places[i]);
            if (!agree(found, expected[i])) {
                return "has another " + names[i] + ": " + text(found) + ", and " + text(expected[i]) + " is expected";
            }
        }
        return null;
    }

    private static String text(Object value) {
        Object[] elements = elements(value);
        return Printable.of(elements == null ? String.valueOf(value) : Arrays.toString(elements));
    }

    private boolean agree(Object ours, Object theirs) {
        Object[] mine = elements(ours);
        Object[] other = elements(theirs);
        if (mine == null || other == null) {
            return mine == other && equal(ours, theirs);
        }
        boolean same = mine.length == other.length;
        for (int i = 0; same && i < mine.length; i++) {
            same = equal(mine[i], other[i]);
        }
        return same;
    }

    /** The elements of a list or tensor; null for anything else. */
    private static Object[] elements(Object value) {
        if (value instanceof Object[]) {
            return (Object[]) value;
        }
        if (value instanceof Vec) {
            Vec vec = (Vec) value;
            Object[] all = new Object[vec.size];
            Arrays.fill(all, Double.valueOf(0));
            for (int k = 0; k < vec.stored(); k++) {
                all[vec.index == null ? k : vec.index[k]] = Double.valueOf(vec.value[k]);
            }
            return all;
        }
        if (value instanceof ObjectTensor && ((ObjectTensor) value).index != null) {
            ObjectTensor tensor = (ObjectTensor) value;
            Object[] all = new Object[tensor.size];
            for (int k = 0; k < tensor.index.length; k++) {
                all[tensor.index[k]] = tensor.value[k];
            }
            return all;
        }
        return value instanceof ObjectTensor ? ((ObjectTensor) value).value : null;
    }

    private boolean equal(Object ours, Object theirs) {
        boolean fractions = ours instanceof Double || ours instanceof Float;
        if (fractions && (theirs instanceof Double || theirs instanceof Float)) {
            double mine = ((Number) ours).doubleValue();
            double other = ((Number) theirs).doubleValue();
            return Double.compare(mine, other) == 0
                    || mine == other
                    || Math.abs(mine - other) <= Math.max(absolute, relative * Math.abs(other));
        }
        if (ours instanceof byte[] && theirs instanceof byte[]) {
            return Arrays.equals((byte[]) ours, (byte[]) theirs);
        }
        return ours == null ? theirs == null : ours.equals(theirs);
    }
}
