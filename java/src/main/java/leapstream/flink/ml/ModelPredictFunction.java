package leapstream.flink.ml;

import java.util.Collection;
import java.util.Collections;
import leapstream.flink.ModelFunction;
import leapstream.runtime.PredictionException;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.PredictFunction;
import org.apache.flink.table.functions.SpecializedFunction;
import org.apache.flink.table.functions.UserDefinedFunction;

/** The function that ML_PREDICT calls: a model over the columns of a CREATE MODEL statement. A dropped row gives no row. */
public final class ModelPredictFunction extends PredictFunction implements SpecializedFunction {

    private static final long serialVersionUID = 1L;

    private final ModelFunction function;
    private final InputColumns columns;
    private final int[] outputs;
    private final boolean nullOnError;

    private transient Object[] arguments;

    /**
     * @param columns the statement's INPUT
     * @param outputs which output of the model each column of the result is
     */
    public ModelPredictFunction(ModelFunction function, InputColumns columns, int[] outputs, boolean nullOnError) {
        this.function = function;
        this.columns = columns;
        this.outputs = outputs;
        this.nullOnError = nullOnError;
    }

    /** The function for columns of the types that a query has; fails where it cannot take them. */
    @Override
    public UserDefinedFunction specialize(SpecializedFunction.SpecializedContext context) {
        InputColumns given = columns.over(context.getCallContext().getArgumentDataTypes());
        return new ModelPredictFunction(function, given, outputs, nullOnError);
    }

    @Override
    public void open(FunctionContext context) throws Exception {
        function.open(context);
        arguments = new Object[columns.count()];
    }

    @Override
    public Collection predict(RowData row) {
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = columns.argument(row, i);
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
