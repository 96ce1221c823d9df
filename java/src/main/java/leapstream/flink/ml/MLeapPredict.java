package leapstream.flink.ml;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import leapstream.flink.ModelFunction;
import leapstream.runtime.Printable;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.table.functions.SpecializedFunction;
import org.apache.flink.table.functions.UserDefinedFunction;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.StaticArgument;
import org.apache.flink.table.types.inference.StaticArgumentTrait;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.inference.TypeStrategy;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.table.types.utils.DataTypeUtils;
import org.apache.flink.types.ColumnList;
import org.apache.flink.types.Row;

/**
 * SELECT * FROM MLEAP_PREDICT(input => TABLE t, model => 'NAME', on_error => 'row'): all columns of the table, then the model's
 * outputs, {@code model_version} and, with {@code row}, {@code error}.
 *
 * The model is a class of a jar, which the arguments name, so one function serves all models. For a query, Flink asks
 * {@link #specialize} for the function that runs.
 */
public final class MLeapPredict extends ProcessTableFunction implements SpecializedFunction {

    static final String INPUT = "input";
    static final int INPUT_POSITION = 0;

    private static final long serialVersionUID = 1L;
    private static final int MODEL = 1;
    private static final int ON_ERROR = 2;
    private static final int INPUTS = 3;
    private static final String PACKAGE = "leapstream.models.predict.";

    /** Flink looks for a method of these types before it asks for the function that runs. */
    public void eval(
            ProcessTableFunction.Context context, Row input, StringData model, StringData onError, ColumnList inputs) {
        throw new IllegalStateException("a query runs the specialized function");
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory factory) {
        StaticArgument table =
                StaticArgument.table(INPUT, Row.class, false, EnumSet.of(StaticArgumentTrait.PASS_COLUMNS_THROUGH));
        return typeInference(table, new Result());
    }

    /** The inference of the function, with its table argument as it is declared or as a query has it. */
    static TypeInference typeInference(StaticArgument table, TypeStrategy result) {
        DataType text = DataTypeUtils.toInternalDataType(new VarCharType(VarCharType.MAX_LENGTH));
        StaticArgument[] arguments = new StaticArgument[] {
            table,
            StaticArgument.scalar("model", text, false),
            StaticArgument.scalar("on_error", text, true),
            StaticArgument.scalar("inputs", DataTypes.DESCRIPTOR(), true)
        };
        return TypeInference.newBuilder()
                .staticArguments(arguments)
                .outputTypeStrategy(result)
                .build();
    }

    @Override
    public UserDefinedFunction specialize(SpecializedFunction.SpecializedContext context) {
        return bound(context.getCallContext());
    }

    /** The function for the arguments of a query; fails where the model cannot take the table. */
    private static BoundPredict bound(CallContext call) {
        Optional named = call.getArgumentValue(MODEL, String.class);
        if (!named.isPresent()) {
            throw rejected("model has to be a literal, the name of a model in a jar of this session");
        }
        String onError = "fail";
        if (!call.isArgumentNull(ON_ERROR)) {
            onError = (String) call.getArgumentValue(ON_ERROR, String.class).orElse("an expression");
        }
        if (!onError.equals("fail") && !onError.equals("null") && !onError.equals("row")) {
            throw rejected("on_error is 'fail', 'null' or 'row', not '" + onError + "'");
        }
        ModelFunction function = model((String) named.get());
        RowType table = (RowType) ((DataType) call.getArgumentDataTypes().get(INPUT_POSITION)).getLogicalType();
        List columns = new ArrayList();
        if (call.isArgumentNull(INPUTS)) {
            String[] names = function.signature().names();
            for (int i = 0; i < names.length; i++) {
                columns.add(names[i]);
            }
        } else {
            columns.addAll(((ColumnList)
                            call.getArgumentValue(INPUTS, ColumnList.class).get())
                    .getNames());
        }
        int[] places = new int[columns.size()];
        List types = new ArrayList();
        for (int i = 0; i < places.length; i++) {
            places[i] = table.getFieldIndex((String) columns.get(i));
            if (places[i] < 0) {
                throw rejected("the table has no column '" + columns.get(i) + "'; its columns are "
                        + table.getFieldNames() + ", and inputs => DESCRIPTOR(...) names those of the model. "
                        + function.describe());
            }
            types.add(table.getTypeAt(places[i]));
        }
        String mismatch = function.signature().mismatchOfValues(types);
        if (mismatch != null) {
            throw rejected(mismatch + ". " + function.describe());
        }
        return new BoundPredict(function, table, places, onError);
    }

    private static ModelFunction model(String name) {
        String className = PACKAGE + name;
        // The class of a cluster's lib finds models of the session in the loader of the thread alone.
        ClassLoader session = Thread.currentThread().getContextClassLoader();
        ClassNotFoundException absent = null;
        ClassLoader[] loaders = new ClassLoader[] {MLeapPredict.class.getClassLoader(), session};
        for (int i = 0; i < loaders.length; i++) {
            try {
                if (loaders[i] != null) {
                    return (ModelFunction) Class.forName(className, true, loaders[i])
                            .getDeclaredConstructor(new Class[0])
                            .newInstance(new Object[0]);
                }
            } catch (ClassNotFoundException e) {
                absent = e;
            } catch (ReflectiveOperationException e) {
                throw new ValidationException("MLEAP_PREDICT: " + Printable.value(name) + " cannot be made", e);
            }
        }
        throw new ValidationException(
                "MLEAP_PREDICT: no jar of this session has the model '" + Printable.value(name)
                        + "'; leapstream compile makes one, ADD JAR adds it",
                absent);
    }

    private static ValidationException rejected(String message) {
        return new ValidationException(Printable.of("MLEAP_PREDICT: " + message));
    }

    static DataType internal(LogicalType type) {
        return DataTypeUtils.toInternalDataType(type);
    }

    /** The columns that the function adds to those of the table. */
    private static final class Result implements TypeStrategy {

        @Override
        public Optional inferType(CallContext call) {
            return Optional.of(internal(bound(call).result()));
        }
    }
}
