package leapstream.flink.ml;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import leapstream.flink.ModelFunction;
import leapstream.flink.live.StoredFunction;
import leapstream.runtime.Printable;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.api.config.ExecutionConfigOptions;
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
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;
import org.apache.flink.table.types.utils.DataTypeUtils;
import org.apache.flink.types.ColumnList;
import org.apache.flink.types.Row;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SELECT * FROM MLEAP_PREDICT(input => TABLE t, model => 'NAME', on_error => 'row'): all columns of the table, then the model's
 * outputs, {@code model_version} and, with {@code row}, {@code error}.
 *
 * The model is a class of a jar, which {@code model} names, or a model of a store, which {@code store} names; so one function
 * serves all models. For a query, Flink asks {@link #specialize} for the function that runs.
 */
public final class MLeapPredict extends ProcessTableFunction implements SpecializedFunction {

    static final String INPUT = "input";
    static final int INPUT_POSITION = 0;

    private static final long serialVersionUID = 1L;
    private static final Logger LOG = LoggerFactory.getLogger(MLeapPredict.class);
    private static final int MODEL = 1;
    private static final int ON_ERROR = 2;
    private static final int INPUTS = 3;
    private static final int OUTPUTS = 4;
    private static final int STORE = 5;
    private static final int ALIAS = 6;
    private static final int VERSION = 7;
    private static final int RELOAD_INTERVAL = 8;
    private static final int SPLIT_KEY = 9;
    private static final int SHADOW = 10;
    private static final String[] NAMES = {
        INPUT,
        "model",
        "on_error",
        "inputs",
        "outputs",
        "store",
        "alias",
        "version",
        "reload_interval",
        "split_key",
        "shadow"
    };
    private static final String PACKAGE = "leapstream.models.predict.";

    /** Flink looks for a method of these types before it asks for the function that runs. */
    public void eval(
            ProcessTableFunction.Context context,
            Row input,
            StringData model,
            StringData onError,
            ColumnList inputs,
            ColumnList outputs,
            StringData store,
            StringData alias,
            StringData version,
            StringData reloadInterval,
            StringData splitKey,
            StringData shadow) {
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
        StaticArgument[] arguments = new StaticArgument[NAMES.length];
        for (int i = 0; i < arguments.length; i++) {
            boolean lists = i == INPUTS || i == OUTPUTS;
            arguments[i] = i == INPUT_POSITION
                    ? table
                    : StaticArgument.scalar(NAMES[i], lists ? DataTypes.DESCRIPTOR() : text, true);
        }
        return TypeInference.newBuilder()
                .staticArguments(arguments)
                .outputTypeStrategy(result)
                .build();
    }

    @Override
    public UserDefinedFunction specialize(SpecializedFunction.SpecializedContext context) {
        BoundPredict function = bound(context.getCallContext());
        String warning = miniBatchWarning(context.getConfiguration(), function.table());
        if (warning != null) {
            LOG.warn(warning);
        }
        return function;
    }

    /**
     * The warning for a table whose aggregates would give nothing: behind any process table function, Flink ends a mini-batch by
     * the watermarks of the table; null where they come.
     */
    static String miniBatchWarning(ReadableConfig options, RowType table) {
        boolean waits = ((Boolean) options.get(ExecutionConfigOptions.TABLE_EXEC_MINIBATCH_ENABLED)).booleanValue();
        for (int i = 0; i < table.getFieldCount(); i++) {
            waits = waits && !LogicalTypeChecks.isRowtimeAttribute(table.getTypeAt(i));
        }
        return waits
                ? "MLEAP_PREDICT: table.exec.mini-batch.enabled is true and the table has no watermarks, so that an aggregate of "
                        + "the result waits for table.exec.mini-batch.size rows; give the table a WATERMARK, use ML_PREDICT, or "
                        + "switch mini-batches off"
                : null;
    }

    /** The function for the arguments of a query; fails where the model cannot take the table. */
    private static BoundPredict bound(CallContext call) {
        String onError = literal(call, ON_ERROR);
        if (onError == null) {
            onError = "fail";
        }
        if (!onError.equals("fail") && !onError.equals("null") && !onError.equals("row")) {
            throw rejected("on_error is 'fail', 'null' or 'row', not '" + onError + "'");
        }
        List outputs = columns(call, OUTPUTS);
        String key = literal(call, SPLIT_KEY);
        ModelFunction function = function(call, key, outputs);
        RowType table = (RowType) ((DataType) call.getArgumentDataTypes().get(INPUT_POSITION)).getLogicalType();
        List names = Arrays.asList(function.signature().names());
        List columns = columns(call, INPUTS);
        if (columns == null) {
            columns = names;
        } else if (key != null && !columns.contains(key)) {
            columns = new ArrayList(columns);
            columns.add(key);
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
        return new BoundPredict(function, table, places, places(function, outputs), onError);
    }

    /** The text of an argument; null where it is not given. */
    private static String literal(CallContext call, int position) {
        if (call.isArgumentNull(position)) {
            return null;
        }
        Optional given = call.getArgumentValue(position, String.class);
        if (!given.isPresent()) {
            throw rejected(NAMES[position] + " has to be a literal, since the columns of the result depend on it");
        }
        return (String) given.get();
    }

    /** The columns of a descriptor; null where it is not given. */
    private static List columns(CallContext call, int position) {
        if (call.isArgumentNull(position)) {
            return null;
        }
        return ((ColumnList) call.getArgumentValue(position, ColumnList.class).get()).getNames();
    }

    /** The function of the model that the arguments name. */
    private static ModelFunction function(CallContext call, String key, List outputs) {
        String model = literal(call, MODEL);
        String store = literal(call, STORE);
        if ((model == null) == (store == null)) {
            throw rejected("give model, the name of a model in a jar of this session, or store, STORE/NAME of a model "
                    + "in a store");
        }
        if (model != null) {
            for (int i = ALIAS; i <= SHADOW; i++) {
                if (!call.isArgumentNull(i)) {
                    throw rejected(NAMES[i] + " is for a model of a store, and '" + model + "' is one of a jar");
                }
            }
            return model(model);
        }
        String interval = literal(call, RELOAD_INTERVAL);
        String shadow = literal(call, SHADOW);
        List shadows =
                shadow == null ? null : Arrays.asList((Object[]) shadow.trim().split("\\s*;\\s*"));
        StoredFunction function = StoreProviderFactory.function(
                "MLEAP_PREDICT: ", store, literal(call, ALIAS), literal(call, VERSION), interval, key, shadows);
        return outputs == null ? function.ofModelOutputs() : function;
    }

    /** The output of the model that each column is which the function adds. */
    private static int[] places(ModelFunction function, List outputs) {
        int[] places = new int[outputs == null ? function.outputCount() : outputs.size()];
        for (int i = 0; i < places.length; i++) {
            places[i] = outputs == null ? i : function.outputNamed((String) outputs.get(i));
            if (places[i] < 0) {
                throw rejected("the model has no output '" + outputs.get(i) + "'. " + function.describe());
            }
        }
        return places;
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
