package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.Serializable;

/**
 * Base of the classes that the emitter makes of plans: one row in through typed public fields, one row out.
 *
 * A model is not safe for use by several threads: fields and buffers belong to one row at a time. What an output field holds is
 * valid until the next call of run.
 */
public abstract class RowModel implements Serializable {

    private static final long serialVersionUID = 1L;

    /** Name of the model. */
    protected transient String name;

    /** Node, op and column of each place that may fail, by number. */
    protected transient String[][] places;

    /** Reads the model's data; has to be called before the first row. */
    public abstract void open(DataInputStream data) throws IOException;

    /** Computes the outputs of the inputs; false means that the row is dropped. */
    public abstract boolean run();

    /** Sets an input from its boxed value; null is a missing value. */
    public abstract void setInput(int i, Object value);

    /** The boxed value of an output; null is a missing value. */
    public abstract Object getOutput(int i);

    /** Reads what every model's data begins with. */
    protected final void readPlaces(DataInputStream data) throws IOException {
        name = Data.readText(data);
        places = new String[data.readInt()][];
        for (int i = 0; i < places.length; i++) {
            places[i] = new String[] {Data.readText(data), Data.readText(data), Data.readText(data)};
        }
    }

    /** The exception of a row that fails in a kernel. */
    protected final PredictionException located(RowFailure failure, int place) {
        String[] at = places[place];
        return new PredictionException(failure.getMessage(), name, at[0], at[1], at[2]);
    }

    /** The exception for a missing value in an input whose type is not nullable. */
    protected final PredictionException missing(String column) {
        return new PredictionException(Failures.missingValue().getMessage(), name, null, null, column);
    }
}
