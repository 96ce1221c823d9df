package leapstream.flink;

import java.io.Serializable;
import java.lang.reflect.Array;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import leapstream.runtime.PredictionException;
import leapstream.runtime.Printable;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.typeutils.RowTypeInfo;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.DataTypeQueryable;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.utils.TypeConversions;
import org.apache.flink.types.Row;

/**
 * A model over rows of the DataStream API: gives rows with the model's outputs after their fields, or with an error.
 *
 * Fields are taken by name where the row has names and the model's inputs are among them, else all of them by position.
 */
public final class RowScoring implements Serializable {

    private static final long serialVersionUID = 1L;

    private final ModelFunction function;

    public RowScoring(ModelFunction function) {
        this.function = function;
    }

    public void open(MetricGroup group) throws Exception {
        function.open(group);
        function.leaveRowsToCaller();
    }

    public void close() throws Exception {
        function.close();
    }

    /** The type of the results for rows of a type. */
    @SuppressWarnings("deprecation") // No other method of all the versions of Flink gives a row's TypeInformation.
    public RowTypeInfo scored(TypeInformation rows) {
        String[] names = new String[function.outputCount()];
        TypeInformation[] types = new TypeInformation[names.length];
        for (int i = 0; i < names.length; i++) {
            names[i] = function.outputName(i);
            types[i] = TypeConversions.fromDataTypeToLegacyInfo(
                    TypeConversions.fromLogicalToDataType(function.outputType(i)));
        }
        return extended(rowType(rows), names, types);
    }

    /** The type of rows of a type with an error after their fields. */
    public RowTypeInfo failed(TypeInformation rows, String error) {
        return extended(rowType(rows), new String[] {error}, new TypeInformation[] {Types.STRING});
    }

    /** The type of rows with names; a stream that was a table has a type of tables. */
    @SuppressWarnings("deprecation") // As above.
    private static RowTypeInfo rowType(TypeInformation rows) {
        return (RowTypeInfo)
                (rows instanceof DataTypeQueryable
                        ? TypeConversions.fromDataTypeToLegacyInfo(((DataTypeQueryable) rows).getDataType())
                        : rows);
    }

    private static RowTypeInfo extended(RowTypeInfo rows, String[] names, TypeInformation[] types) {
        int arity = rows.getArity();
        TypeInformation[] allTypes = new TypeInformation[arity + types.length];
        String[] allNames = new String[arity + names.length];
        System.arraycopy(rows.getFieldTypes(), 0, allTypes, 0, arity);
        System.arraycopy(rows.getFieldNames(), 0, allNames, 0, arity);
        System.arraycopy(types, 0, allTypes, arity, types.length);
        System.arraycopy(names, 0, allNames, arity, names.length);
        return new RowTypeInfo(allTypes, allNames);
    }

    /** The row with the model's outputs after its fields; they are null where the model drops the row. */
    public Row score(Row row) {
        return withOutputs(row, outputs(row), null, null);
    }

    /** The row with the model's outputs, and a last field for an error, which is null. */
    public Row score(Row row, String error) {
        return withOutputs(row, outputs(row), error, null);
    }

    private Object[] outputs(Row row) {
        String[] names = function.signature().names();
        Set known = row.getFieldNames(true);
        boolean byName = known != null;
        for (int i = 0; byName && i < names.length; i++) {
            byName = known.contains(names[i]);
        }
        Object[] arguments = new Object[byName ? names.length : row.getArity()];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = internal(byName ? row.getField(names[i]) : row.getField(i));
        }
        Object found = call(arguments);
        Object[] values = new Object[function.outputCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = function.dropped() ? null : external(function.output(found, i), function.outputType(i));
        }
        return values;
    }

    /** The row with the error of its failure in a field after the others; warns of the failure. */
    public Row failed(Row row, PredictionException failure, String error) {
        return withError(row, function.kept(failure), error);
    }

    /** The row with nulls for the model's outputs, and the error of its failure in a last field; warns of the failure. */
    public Row unscored(Row row, PredictionException failure, String error) {
        return withOutputs(row, new Object[function.outputCount()], error, function.kept(failure));
    }

    /** The row with outputs after its fields, and the text of an error behind them unless the field has no name. */
    private Row withOutputs(Row row, Object[] outputs, String error, String text) {
        int count = outputs.length;
        String[] names = new String[error == null ? count : count + 1];
        Object[] values = (Object[]) Arrays.copyOf(outputs, names.length);
        for (int i = 0; i < count; i++) {
            names[i] = function.outputName(i);
        }
        if (error != null) {
            names[count] = error;
            values[count] = text;
        }
        return extended(row, names, values);
    }

    /** The row with an error in a field after the others. */
    public static Row withError(Row row, String text, String error) {
        return extended(row, new String[] {error}, new Object[] {text});
    }

    private static Row extended(Row row, String[] names, Object[] values) {
        Set known = row.getFieldNames(true);
        int arity = row.getArity();
        if (known == null) {
            Row result = Row.withPositions(row.getKind(), arity + values.length);
            for (int i = 0; i < arity; i++) {
                result.setField(i, row.getField(i));
            }
            for (int i = 0; i < values.length; i++) {
                result.setField(arity + i, values[i]);
            }
            return result;
        }
        Row result = Row.withNames(row.getKind());
        Iterator name = known.iterator();
        while (name.hasNext()) {
            String field = (String) name.next();
            result.setField(field, row.getField(field));
        }
        for (int i = 0; i < values.length; i++) {
            result.setField(names[i], values[i]);
        }
        return result;
    }

    /** All of a row's values, for messages. */
    public static String describe(Row row) {
        Set known = row.getFieldNames(true);
        if (known == null) {
            Object[] values = new Object[row.getArity()];
            for (int i = 0; i < values.length; i++) {
                values[i] = row.getField(i);
            }
            return RowText.of(new String[0], values);
        }
        String[] names = (String[]) known.toArray(new String[0]);
        Object[] values = new Object[names.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = row.getField(names[i]);
        }
        return RowText.of(names, values);
    }

    private Object call(Object[] arguments) {
        ModelSignature signature = function.signature();
        int count = arguments.length;
        if (!signature.takes(count)) {
            throw new IllegalArgumentException(
                    Printable.of("the row has " + count + " fields. " + function.describe()));
        }
        try {
            return function.call(arguments);
        } catch (ClassCastException wrong) {
            for (int i = 0; i < count; i++) {
                LogicalType type = signature.type(i, count);
                String misfit = misfit(arguments[i], type);
                if (misfit != null) {
                    String name =
                            count == signature.names().length ? " (" + signature.names()[i] + ")" : "";
                    throw new IllegalArgumentException(
                            Printable.of("argument " + (i + 1) + name + " must be " + type.asSummaryString() + ", not "
                                    + misfit + ". " + function.describe()),
                            wrong);
                }
            }
            throw wrong;
        }
    }

    /** The class of a value or element that the generated functions do not convert to a type; null if there is none. */
    private static String misfit(Object value, LogicalType type) {
        if (value == null) {
            return null;
        }
        boolean scalar = value instanceof Number || value instanceof Boolean;
        boolean fits;
        switch (type.getTypeRoot()) {
            case ARRAY:
                if (value instanceof Object[]) {
                    return misfit(Arrays.asList((Object[]) value), (LogicalType)
                            type.getChildren().get(0));
                }
                return value instanceof GenericArrayData
                        ? null
                        : misfit(value, (LogicalType) type.getChildren().get(0));
            case MAP:
                if (!(value instanceof Map)) {
                    return value.getClass().getName();
                }
                String key = misfit(
                        ((Map) value).keySet(), (LogicalType) type.getChildren().get(0));
                return key != null
                        ? key
                        : misfit(((Map) value).values(), (LogicalType)
                                type.getChildren().get(1));
            case VARCHAR:
                fits = scalar || value instanceof String;
                break;
            case VARBINARY:
                fits = value instanceof byte[];
                break;
            default:
                fits = scalar;
        }
        return fits ? null : value.getClass().getName();
    }

    private static String misfit(Collection elements, LogicalType type) {
        Iterator each = elements.iterator();
        while (each.hasNext()) {
            String misfit = misfit(each.next(), type);
            if (misfit != null) {
                return misfit;
            }
        }
        return null;
    }

    /** A value as the generated functions take it: boxed numbers, strings, maps and arrays of objects. */
    private static Object internal(Object value) {
        if (value instanceof double[]) {
            return new GenericArrayData((double[]) value);
        }
        if (value instanceof List) {
            return ((List) value).toArray();
        }
        if (value == null || !value.getClass().isArray() || value instanceof Object[] || value instanceof byte[]) {
            return value;
        }
        Object[] boxed = new Object[Array.getLength(value)];
        for (int i = 0; i < boxed.length; i++) {
            boxed[i] = Array.get(value, i);
        }
        return boxed;
    }

    private static Object external(Object value, LogicalType type) {
        if (value instanceof StringData) {
            return value.toString();
        }
        if (!(value instanceof GenericArrayData)) {
            return value;
        }
        GenericArrayData array = (GenericArrayData) value;
        LogicalType element = (LogicalType) ((ArrayType) type).getElementType();
        Object[] boxed = array.toObjectArray();
        Class kind = TypeConversions.fromLogicalToDataType(element).getConversionClass();
        Object[] elements = (Object[]) Array.newInstance(kind, boxed.length);
        for (int i = 0; i < boxed.length; i++) {
            elements[i] = external(boxed[i], element);
        }
        return elements;
    }
}
