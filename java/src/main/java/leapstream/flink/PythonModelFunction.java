package leapstream.flink;

import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.functions.python.PythonEnv;
import org.apache.flink.table.functions.python.PythonFunctionKind;
import org.apache.flink.table.functions.python.PythonScalarFunction;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/** A Python function over batches, whose arguments are checked when the query is planned, as those of a Java one are. */
public final class PythonModelFunction extends PythonScalarFunction {

    private static final long serialVersionUID = 1L;

    private final ModelSignature signature;

    public PythonModelFunction(
            String name,
            byte[] function,
            String result,
            PythonEnv environment,
            String model,
            String[] names,
            String[] types,
            int packed,
            String splitKey) {
        super(name, function, (String[]) null, result, PythonFunctionKind.PANDAS, !isRow(result), false, environment);
        this.signature = ModelSignature.ofPython(name, model, names, types, packed, result, splitKey);
    }

    /** Flink would call a deterministic function again for each field of its ROW that a query reads. */
    private static boolean isRow(String type) {
        return ModelSignature.parse(type).is(LogicalTypeRoot.ROW);
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory factory) {
        return signature.typeInference();
    }
}
