package leapstream.flink.ml;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import leapstream.flink.ModelFunction;
import leapstream.runtime.Printable;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.factories.ModelProviderFactory;
import org.apache.flink.table.functions.PredictFunction;
import org.apache.flink.table.ml.ModelProvider;
import org.apache.flink.table.ml.PredictRuntimeProvider;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.VarCharType;

/**
 * Makes CREATE MODEL a model of a bundle that leapstream compiled; each has a subclass.
 *
 * Columns of INPUT stand for the bundle's inputs of their names, or for all of them by position; those of OUTPUT for its outputs.
 * OUTPUT may also have columns for the error of a row that fails and for the version of the model.
 */
public abstract class BundleProviderFactory implements ModelProviderFactory {

    public static final ConfigOption BUNDLE =
            ConfigOptions.key("bundle").stringType().noDefaultValue();
    public static final ConfigOption ON_ERROR =
            ConfigOptions.key("on-error").stringType().defaultValue("fail");
    public static final ConfigOption ERROR_COLUMN =
            ConfigOptions.key("error-column").stringType().defaultValue("error");
    public static final ConfigOption VERSION_COLUMN =
            ConfigOptions.key("version-column").stringType().defaultValue("model_version");

    private final ModelFunction function;

    protected BundleProviderFactory(ModelFunction function) {
        this.function = function;
    }

    public String factoryIdentifier() {
        return "mleap";
    }

    public Set requiredOptions() {
        return Collections.singleton(BUNDLE);
    }

    public Set optionalOptions() {
        return optional();
    }

    /** The options that CREATE MODEL may have. */
    public static Set optional() {
        return new HashSet(Arrays.asList(new Object[] {ON_ERROR, ERROR_COLUMN, VERSION_COLUMN}));
    }

    public ModelProvider createModelProvider(ModelProviderFactory.Context context) {
        FactoryUtil.ModelProviderFactoryHelper helper = FactoryUtil.createModelProviderFactoryHelper(this, context);
        helper.validate();
        String onError = (String) helper.getOptions().get(ON_ERROR);
        String model = "Model " + context.getObjectIdentifier().asSummaryString() + ": ";
        if (!onError.equals("fail") && !onError.equals("null") && !onError.equals("row")) {
            throw rejected(model + "'on-error' is 'fail', 'null' or 'row', not '" + onError + "'");
        }
        ResolvedSchema given = context.getCatalogModel().getResolvedInputSchema();
        ResolvedSchema wanted = context.getCatalogModel().getResolvedOutputSchema();
        if (given == null || given.getColumnCount() == 0 || wanted == null || wanted.getColumnCount() == 0) {
            throw rejected(model + "it needs INPUT and OUTPUT columns; leapstream ddl prints the statement. "
                    + function.describe());
        }
        int[] columns = columns(given, function, model);
        LogicalType[] types = types(given);
        List arguments = new ArrayList();
        for (int i = 0; i < columns.length; i++) {
            arguments.add(types[columns[i]]);
        }
        String mismatch = function.signature().mismatchOfColumns(arguments);
        if (mismatch != null) {
            throw rejected(model + "INPUT: " + mismatch + ". " + function.describe());
        }
        String errorColumn = (String) helper.getOptions().get(ERROR_COLUMN);
        int[] outputs = outputs(wanted, function, model, errorColumn, (String)
                helper.getOptions().get(VERSION_COLUMN));
        boolean hasError = false;
        for (int i = 0; i < outputs.length; i++) {
            hasError = hasError || outputs[i] == ModelPredictFunction.ERROR;
        }
        if (onError.equals("row") && !hasError || onError.equals("null") && hasError) {
            throw rejected(model + "'on-error' = '" + onError + "' "
                    + (hasError ? "leaves OUTPUT column '" : "needs an OUTPUT column '") + errorColumn
                    + (hasError ? "' empty; 'row' fills it" : "' STRING that is no output of the bundle") + ". "
                    + function.describe());
        }
        String[] names = (String[]) given.getColumnNames().toArray(new String[0]);
        InputColumns inputs = new InputColumns(
                context.getObjectIdentifier().asSummaryString() + ", " + function.describe(), names, types, columns);
        return new Provider(new ModelPredictFunction(function, inputs, outputs, !onError.equals("fail")));
    }

    /** The index of the column for each argument. */
    private static int[] columns(ResolvedSchema given, ModelFunction function, String model) {
        String[] names = function.signature().names();
        int count = given.getColumnCount();
        int[] places = new int[names.length];
        boolean byName = true;
        for (int i = 0; i < names.length; i++) {
            places[i] = given.getColumnNames().indexOf(names[i]);
            byName = byName && places[i] >= 0;
        }
        if (byName) {
            if (count != names.length) {
                throw rejected(model + "INPUT has " + count + " columns, the bundle " + names.length + ". "
                        + function.describe());
            }
            return places;
        }
        int[] all = new int[count];
        for (int i = 0; i < count; i++) {
            all[i] = i;
        }
        return all;
    }

    /** The output that each OUTPUT column is. A column of the bundle wins over the error and the version of that name. */
    private static int[] outputs(
            ResolvedSchema wanted, ModelFunction function, String model, String errorColumn, String versionColumn) {
        int count = wanted.getColumnCount();
        int[] places = new int[count];
        boolean[] named = new boolean[count];
        int others = 0;
        for (int i = 0; i < count; i++) {
            String name = ((Column) wanted.getColumn(i).get()).getName();
            places[i] = function.outputNamed(name);
            named[i] = places[i] >= 0;
            if (!named[i] && (name.equals(errorColumn) || name.equals(versionColumn))) {
                places[i] = name.equals(errorColumn) ? ModelPredictFunction.ERROR : ModelPredictFunction.VERSION;
                named[i] = true;
                others++;
            }
        }
        int position = 0;
        for (int i = 0; i < count; i++) {
            Column column = (Column) wanted.getColumn(i).get();
            boolean isOther = places[i] < 0 && named[i];
            if (!named[i]) {
                if (count - others != function.outputCount()) {
                    throw rejected(model + "OUTPUT: the bundle has no column '" + column.getName() + "'. "
                            + function.describe());
                }
                places[i] = position;
            }
            position += isOther ? 0 : 1;
            LogicalType given = column.getDataType().getLogicalType();
            LogicalType type = isOther ? new VarCharType(VarCharType.MAX_LENGTH) : function.outputType(places[i]);
            if (!given.copy(true).equals(type.copy(true))) {
                throw rejected(model + "OUTPUT: column '" + column.getName() + "' must be " + type.asSummaryString()
                        + ", not " + given.asSummaryString() + ". " + function.describe());
            }
        }
        return places;
    }

    private static ValidationException rejected(String message) {
        return new ValidationException(Printable.of(message));
    }

    private static LogicalType[] types(ResolvedSchema schema) {
        LogicalType[] types = new LogicalType[schema.getColumnCount()];
        for (int i = 0; i < types.length; i++) {
            types[i] = ((Column) schema.getColumn(i).get()).getDataType().getLogicalType();
        }
        return types;
    }

    private static final class Provider implements PredictRuntimeProvider {

        private final ModelPredictFunction function;

        Provider(ModelPredictFunction function) {
            this.function = function;
        }

        public PredictFunction createPredictFunction(ModelProvider.Context context) {
            return function;
        }

        public ModelProvider copy() {
            return new Provider(function);
        }
    }
}
