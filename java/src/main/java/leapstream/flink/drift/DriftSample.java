package leapstream.flink.drift;

import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/** The SQL function DRIFT_SAMPLE(share), which is true for so many rows: those of a sample for DRIFT. */
public final class DriftSample extends ScalarFunction {

    private static final long serialVersionUID = 1L;

    private transient double share;
    private transient Sample sample;
    private transient int seed;

    @Override
    public void open(FunctionContext context) {
        // Flink 1.20 tells the number of a subtask to its metrics alone.
        Object index = context.getMetricGroup().getAllVariables().get("<subtask_index>");
        seed = index == null ? 0 : Integer.parseInt(index.toString());
        sample = null;
    }

    /** True if a row is in the sample. */
    public boolean eval(double wanted) {
        if (sample == null || wanted != share) {
            if (!(wanted >= 0 && wanted <= 1)) {
                throw new ValidationException("DRIFT_SAMPLE: " + wanted + " is not a share from 0 to 1");
            }
            share = wanted;
            sample = new Sample(wanted, seed);
        }
        return sample.next();
    }

    /** The planner may not compute it once for all rows. */
    @Override
    public boolean isDeterministic() {
        return false;
    }
}
