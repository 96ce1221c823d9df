package leapstream.flink.ml;

import java.time.LocalDate;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import leapstream.flink.Conversion;
import leapstream.flink.ModelFunction;
import leapstream.flink.RowText;
import leapstream.runtime.PredictionException;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.data.conversion.DataStructureConverter;
import org.apache.flink.table.data.conversion.DataStructureConverters;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.table.types.inference.StaticArgument;
import org.apache.flink.table.types.inference.StaticArgumentTrait;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.inference.TypeStrategies;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.table.types.utils.TypeConversions;
import org.apache.flink.types.ColumnList;
import org.apache.flink.types.Row;

/** {@link MLeapPredict} for a model and a table. A dropped row gives no row. */
public final class BoundPredict extends ProcessTableFunction {

    private static final long serialVersionUID = 1L;

    private final ModelFunction function;
    private final RowType table;
    private final int[] places;
    private final int[] outputs;
    private final String onError;

    private transient RowData.FieldGetter[] getters;
    private transient Conversion[] conversions;
    private transient boolean[] times;
    private transient Object[] arguments;
    private transient DataStructureConverter converter;

    /**
     * @param table the type of the table
     * @param places which of its columns each argument of the function is
     * @param outputs which of the function's outputs are columns of the result
     * @param onError fail, null or row
     */
    public BoundPredict(ModelFunction function, RowType table, int[] places, int[] outputs, String onError) {
        this.function = function;
        this.table = table;
        this.places = places;
        this.outputs = outputs;
        this.onError = onError;
    }

    RowType table() {
        return table;
    }

    /** The columns that the function adds to those of the table. */
    public RowType result() {
        List fields = new ArrayList();
        for (int i = 0; i < outputs.length; i++) {
            fields.add(new RowType.RowField(function.outputName(outputs[i]), function.outputType(outputs[i])));
        }
        fields.add(new RowType.RowField("model_version", new VarCharType(VarCharType.MAX_LENGTH)));
        if (onError.equals("row")) {
            fields.add(new RowType.RowField("error", new VarCharType(VarCharType.MAX_LENGTH)));
        }
        return new RowType(false, fields);
    }

    /** The table's rows come as Flink has them; a table of any type would come as converted rows. */
    @Override
    public TypeInference getTypeInference(DataTypeFactory factory) {
        StaticArgument argument = StaticArgument.table(
                MLeapPredict.INPUT,
                MLeapPredict.internal(table),
                false,
                EnumSet.of(StaticArgumentTrait.PASS_COLUMNS_THROUGH));
        return MLeapPredict.typeInference(argument, TypeStrategies.explicit(MLeapPredict.internal(result())));
    }

    @Override
    public void open(FunctionContext context) throws Exception {
        function.open(context);
        function.leaveRowsToCaller();
        int count = places.length;
        arguments = new Object[count];
        getters = new RowData.FieldGetter[count];
        conversions = new Conversion[count];
        times = new boolean[count];
        for (int i = 0; i < count; i++) {
            LogicalType type = table.getTypeAt(places[i]);
            LogicalType wanted = function.signature().type(i, count);
            getters[i] = getter(type, places[i]);
            times[i] = type.is(LogicalTypeFamily.DATETIME);
            boolean nested = wanted.is(LogicalTypeRoot.ARRAY) || wanted.is(LogicalTypeRoot.MAP);
            conversions[i] = nested ? Conversion.of(type, wanted) : null;
        }
    }

    @Override
    public void close() throws Exception {
        function.close();
    }

    public void eval(
            ProcessTableFunction.Context context,
            RowData input,
            StringData model,
            StringData onErrorGiven,
            ColumnList inputs,
            ColumnList outputsGiven,
            StringData store,
            StringData alias,
            StringData version,
            StringData reloadInterval,
            StringData splitKey,
            StringData shadow) {
        predict(input);
    }

    /** Flink 2.1 and 2.2 call this one: they convert a table's rows whatever its declared type is. */
    public void eval(
            ProcessTableFunction.Context context,
            Row input,
            StringData model,
            StringData onErrorGiven,
            ColumnList inputs,
            ColumnList outputsGiven,
            StringData store,
            StringData alias,
            StringData version,
            StringData reloadInterval,
            StringData splitKey,
            StringData shadow) {
        if (converter == null) {
            converter = DataStructureConverters.getConverter(TypeConversions.fromLogicalToDataType(table));
            converter.open(getClass().getClassLoader());
        }
        predict((RowData) converter.toInternal(input));
    }

    private void predict(RowData input) {
        for (int i = 0; i < arguments.length; i++) {
            Object value = getters[i].getFieldOrNull(input);
            if (times[i]) {
                value = external(value, table.getTypeAt(places[i]));
            }
            arguments[i] = conversions[i] == null ? value : conversions[i].apply(value);
        }
        int count = outputs.length;
        GenericRowData result = new GenericRowData(count + (onError.equals("row") ? 2 : 1));
        Object found;
        try {
            found = function.call(arguments);
            if (function.dropped()) {
                return;
            }
        } catch (PredictionException failure) {
            if (onError.equals("fail")) {
                throw failure.withValues(describe(input));
            }
            String error = function.kept(failure);
            if (onError.equals("row")) {
                result.setField(count + 1, BinaryStringData.fromString(error));
            }
            found = function.resultOfFailed();
        }
        for (int i = 0; found != null && i < count; i++) {
            result.setField(i, function.output(found, outputs[i]));
        }
        result.setField(count, BinaryStringData.fromString(function.modelVersion()));
        collect(result);
    }

    /** A date or time as functions take it; any other value as it is. */
    private static Object external(Object value, LogicalType type) {
        if (value instanceof TimestampData) {
            return ((TimestampData) value).toLocalDateTime();
        }
        if (value != null && type.is(LogicalTypeRoot.DATE)) {
            return LocalDate.ofEpochDay(((Integer) value).longValue());
        }
        if (value != null && type.is(LogicalTypeRoot.TIME_WITHOUT_TIME_ZONE)) {
            return LocalTime.ofNanoOfDay(((Integer) value).longValue() * 1000000L);
        }
        return value;
    }

    /** All of the row's values, with the key among them. */
    private String describe(RowData input) {
        String[] names = (String[]) table.getFieldNames().toArray(new String[0]);
        Object[] values = new Object[names.length];
        for (int i = 0; i < names.length; i++) {
            LogicalType type = table.getTypeAt(i);
            values[i] = external(getter(type, i).getFieldOrNull(input), type);
            if (values[i] != null && type.is(LogicalTypeRoot.ARRAY)) {
                values[i] = Conversion.elements((ArrayData) values[i], (ArrayType) type);
            }
        }
        return RowText.of(names, values);
    }

    /** The getter that {@code RowData.createFieldGetter} gives; Janino does not call static methods of interfaces. */
    private static RowData.FieldGetter getter(LogicalType type, int position) {
        try {
            return (RowData.FieldGetter) RowData.class
                    .getMethod("createFieldGetter", new Class[] {LogicalType.class, int.class})
                    .invoke(null, new Object[] {type, Integer.valueOf(position)});
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
