package leapstream.flink.ml;

import java.util.Collection;
import java.util.Collections;
import leapstream.flink.ModelFunction;
import leapstream.runtime.PredictionException;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.PredictFunction;

/** The function that ML_PREDICT calls: a model over the columns of a CREATE MODEL statement. A dropped row gives no row. */
public final class ModelPredictFunction extends PredictFunction {

    private static final long serialVersionUID = 1L;

    private final ModelFunction function;
    private final int[] columns;
    private final int[] outputs;
    private final boolean nullOnError;

    private transient Object[] arguments;

    /**
     * @param columns which of them each argument of the function is
     * @param outputs which output of the model each column of the result is
     */
    public ModelPredictFunction(ModelFunction function, int[] columns, int[] outputs, boolean nullOnError) {
        this.function = function;
        this.columns = columns;
        this.outputs = outputs;
        this.nullOnError = nullOnError;
    }

    @Override
    public void open(FunctionContext context) throws Exception {
        function.open(context);
        arguments = new Object[columns.length];
    }

    @Override
    public Collection predict(RowData row) {
        // Flink's PredictFunction makes such a row of the arguments of its eval.
        GenericRowData given = (GenericRowData) row;
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = given.getField(columns[i]);
        }
        GenericRowData result = new GenericRowData(outputs.length);
        Object found;
        try {
            found = function.call(arguments);
        } catch (PredictionException failure) {
            if (!nullOnError) {
                throw failure;
            }
            return Collections.singletonList(result);
        }
        if (function.dropped()) {
            return Collections.emptyList();
        }
        for (int i = 0; i < outputs.length; i++) {
            result.setField(i, function.output(found, outputs[i]));
        }
        return Collections.singletonList(result);
    }
}
