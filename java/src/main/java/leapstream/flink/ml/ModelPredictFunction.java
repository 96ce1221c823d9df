package leapstream.flink.ml;

import java.util.Collection;
import java.util.Collections;
import leapstream.flink.ModelFunction;
import leapstream.runtime.PredictionException;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.PredictFunction;
import org.apache.flink.table.functions.SpecializedFunction;
import org.apache.flink.table.functions.UserDefinedFunction;

/** The function that ML_PREDICT calls: a model over the columns of a CREATE MODEL statement. A dropped row gives no row. */
public final class ModelPredictFunction extends PredictFunction implements SpecializedFunction {

    /** Stands for an output of the model: the error of a row that fails. */
    public static final int ERROR = -1;

    /** Stands for an output of the model: the version that predicts. */
    public static final int VERSION = -2;

    private static final long serialVersionUID = 1L;

    private final ModelFunction function;
    private final InputColumns columns;
    private final int[] outputs;
    private final boolean keepsFailures;

    private transient Object[] arguments;

    /**
     * @param columns the statement's INPUT
     * @param outputs which output of the model each column of the result is; or ERROR, or VERSION
     * @param keepsFailures whether a row that fails gives NULLs instead of an exception
     */
    public ModelPredictFunction(ModelFunction function, InputColumns columns, int[] outputs, boolean keepsFailures) {
        this.function = function;
        this.columns = columns;
        this.outputs = outputs;
        this.keepsFailures = keepsFailures;
    }

    /** The function for columns of the types that a query has; fails where it cannot take them. */
    @Override
    public UserDefinedFunction specialize(SpecializedFunction.SpecializedContext context) {
        InputColumns given = columns.over(context.getCallContext().getArgumentDataTypes());
        return new ModelPredictFunction(function, given, outputs, keepsFailures);
    }

    @Override
    public void open(FunctionContext context) throws Exception {
        function.open(context);
        if (keepsFailures) {
            function.leaveRowsToCaller();
        }
        arguments = new Object[columns.count()];
    }

    @Override
    public void close() throws Exception {
        function.close();
    }

    @Override
    public Collection predict(RowData row) {
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = columns.argument(row, i);
        }
        Object found = null;
        String error = null;
        try {
            found = function.call(arguments);
        } catch (PredictionException failure) {
            if (!keepsFailures) {
                throw failure;
            }
            error = function.kept(failure);
            found = function.resultOfFailed();
        }
        if (error == null && function.dropped()) {
            return Collections.emptyList();
        }
        return Collections.singletonList(result(found, error));
    }

    private RowData result(Object found, String error) {
        GenericRowData result = new GenericRowData(outputs.length);
        for (int i = 0; i < outputs.length; i++) {
            if (outputs[i] == VERSION) {
                result.setField(i, BinaryStringData.fromString(function.modelVersion()));
            } else if (outputs[i] == ERROR) {
                result.setField(i, BinaryStringData.fromString(error));
            } else if (found != null) {
                result.setField(i, function.output(found, outputs[i]));
            }
        }
        return result;
    }
}
