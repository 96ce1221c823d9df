package leapstream.bench;

import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/** The base class of the generated functions; it loads the bundle when the function opens. */
public abstract class Function extends ScalarFunction {
    private final String bundle;
    private final String[] inputs;
    private final String prediction;
    protected transient Form form;

    protected Function(String bundle, String[] inputs, String prediction) {
        this.bundle = bundle;
        this.inputs = inputs;
        this.prediction = prediction;
    }

    public void open(FunctionContext context) {
        form = new Form(bundle, inputs, prediction);
    }
}
