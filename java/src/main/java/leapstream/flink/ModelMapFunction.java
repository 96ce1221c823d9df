package leapstream.flink;

import java.lang.reflect.Array;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import leapstream.runtime.Printable;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.typeutils.RowTypeInfo;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.utils.TypeConversions;
import org.apache.flink.types.Row;

/**
 * Maps a row to the same row with a model's outputs after its fields; they are null where the model drops the row.
 *
 * Fields are taken by name where the row has names and the model's inputs are among them, else all of them by position. Flink
 * cannot see the type of the result: {@code rows.map(function).returns(function.returns(rows.getType()))}.
 */
public class ModelMapFunction extends RichMapFunction {

    private static final long serialVersionUID = 1L;

    private final ModelFunction function;

    protected ModelMapFunction(ModelFunction function) {
        this.function = function;
    }

    @Override
    public void open(OpenContext context) throws Exception {
        function.open(getRuntimeContext().getMetricGroup());
    }

    @Override
    public void close() throws Exception {
        function.close();
    }

    /** The type of the result for rows of a type. */
    @SuppressWarnings("deprecation") // No other method of all the versions of Flink gives a row's TypeInformation.
    public TypeInformation returns(TypeInformation rows) {
        RowTypeInfo given = (RowTypeInfo) rows;
        int count = given.getArity() + function.outputCount();
        TypeInformation[] types = new TypeInformation[count];
        String[] names = new String[count];
        for (int i = 0; i < given.getArity(); i++) {
            types[i] = given.getTypeAt(i);
            names[i] = given.getFieldNames()[i];
        }
        for (int i = 0; i < function.outputCount(); i++) {
            types[given.getArity() + i] = TypeConversions.fromDataTypeToLegacyInfo(
                    TypeConversions.fromLogicalToDataType(function.outputType(i)));
            names[given.getArity() + i] = function.outputName(i);
        }
        return new RowTypeInfo(types, names);
    }

    @Override
    public Object map(Object value) {
        Row row = (Row) value;
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
        Row result = Row.withNames(row.getKind());
        int arity = row.getArity();
        if (known == null) {
            result = Row.withPositions(row.getKind(), arity + function.outputCount());
            for (int i = 0; i < arity; i++) {
                result.setField(i, row.getField(i));
            }
        } else {
            Iterator name = known.iterator();
            while (name.hasNext()) {
                String field = (String) name.next();
                result.setField(field, row.getField(field));
            }
        }
        for (int i = 0; i < function.outputCount(); i++) {
            Object output = function.dropped() ? null : external(function.output(found, i), function.outputType(i));
            if (known == null) {
                result.setField(arity + i, output);
            } else {
                result.setField(function.outputName(i), output);
            }
        }
        return result;
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
