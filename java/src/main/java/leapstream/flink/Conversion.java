package leapstream.flink;

import java.io.Serializable;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.utils.LogicalTypeCasts;
import org.apache.flink.table.types.logical.utils.LogicalTypeChecks;

/**
 * SQL's implicit cast of one type to another, over Flink's internal data.
 *
 * ML_PREDICT lets a column of any type through that SQL would cast implicitly to the type of the model's INPUT column, and then
 * passes its value on without the cast.
 */
public final class Conversion implements Serializable {

    private static final long serialVersionUID = 1L;

    private final LogicalType given;
    private final LogicalType wanted;
    private final Conversion keys;
    private final Conversion elements;

    private Conversion(LogicalType given, LogicalType wanted, Conversion keys, Conversion elements) {
        this.given = given;
        this.wanted = wanted;
        this.keys = keys;
        this.elements = elements;
    }

    /** True if SQL casts a type implicitly to another, and both are types of models: numbers, texts, bytes, arrays and maps. */
    public static boolean supports(LogicalType given, LogicalType wanted) {
        return isOfModels(given) && LogicalTypeCasts.supportsImplicitCast(given, wanted);
    }

    /** The conversion between types that {@link #supports} allows; null if values stay as they are. */
    public static Conversion of(LogicalType given, LogicalType wanted) {
        LogicalTypeRoot root = wanted.getTypeRoot();
        if (given.is(LogicalTypeRoot.NULL)) {
            return null;
        }
        if (root == LogicalTypeRoot.ARRAY) {
            Conversion elements = of(((ArrayType) given).getElementType(), ((ArrayType) wanted).getElementType());
            return elements == null ? null : new Conversion(given, wanted, null, elements);
        }
        if (root == LogicalTypeRoot.MAP) {
            Conversion keys = of(((MapType) given).getKeyType(), ((MapType) wanted).getKeyType());
            Conversion values = of(((MapType) given).getValueType(), ((MapType) wanted).getValueType());
            return keys == null && values == null ? null : new Conversion(given, wanted, keys, values);
        }
        boolean same = hasLength(wanted) || root == LogicalTypeRoot.DECIMAL
                ? LogicalTypeCasts.supportsAvoidingCast(given.copy(true), wanted.copy(true))
                : given.getTypeRoot() == root;
        return same ? null : new Conversion(given, wanted, null, null);
    }

    private static boolean isOfModels(LogicalType type) {
        if (type.getTypeRoot() == LogicalTypeRoot.ARRAY || type.getTypeRoot() == LogicalTypeRoot.MAP) {
            for (int i = 0; i < type.getChildren().size(); i++) {
                if (!isOfModels((LogicalType) type.getChildren().get(i))) {
                    return false;
                }
            }
            return true;
        }
        return type.is(LogicalTypeFamily.NUMERIC)
                || type.is(LogicalTypeRoot.BOOLEAN)
                || type.is(LogicalTypeRoot.NULL)
                || hasLength(type);
    }

    private static boolean hasLength(LogicalType type) {
        return type.is(LogicalTypeFamily.CHARACTER_STRING) || type.is(LogicalTypeFamily.BINARY_STRING);
    }

    /** The value in the wanted type; NULL stays NULL. */
    public Object apply(Object value) {
        if (value == null) {
            return null;
        }
        switch (wanted.getTypeRoot()) {
            case ARRAY:
                return new GenericArrayData(all((ArrayData) value, ((ArrayType) given).getElementType(), elements));
            case MAP:
                return map((MapData) value);
            case CHAR:
            case VARCHAR:
                return fitted((StringData) value);
            case BINARY:
            case VARBINARY:
                return fitted((byte[]) value);
            case DECIMAL:
                return decimal(value);
            case DOUBLE:
                return Double.valueOf(number(value).doubleValue());
            case FLOAT:
                return Float.valueOf(number(value).floatValue());
            case BIGINT:
                return Long.valueOf(number(value).longValue());
            case INTEGER:
                return Integer.valueOf(number(value).intValue());
            case SMALLINT:
                return Short.valueOf(number(value).shortValue());
            default:
                throw new IllegalStateException(given.asSummaryString() + " to " + wanted.asSummaryString());
        }
    }

    private static Number number(Object value) {
        return value instanceof DecimalData ? ((DecimalData) value).toBigDecimal() : (Number) value;
    }

    private DecimalData decimal(Object value) {
        Number number = number(value);
        BigDecimal exact = number instanceof BigDecimal ? (BigDecimal) number : new BigDecimal(number.toString());
        return DecimalData.fromBigDecimal(
                exact, ((DecimalType) wanted).getPrecision(), ((DecimalType) wanted).getScale());
    }

    /** The elements of an array, in Flink's internal data. */
    public static Object[] elements(ArrayData array, ArrayType type) {
        return all(array, type.getElementType(), null);
    }

    private static Object[] all(ArrayData array, LogicalType type, Conversion conversion) {
        Object[] values = new Object[array.size()];
        for (int i = 0; i < values.length; i++) {
            if (!array.isNullAt(i)) {
                Object value = element(array, i, type);
                values[i] = conversion == null ? value : conversion.apply(value);
            }
        }
        return values;
    }

    private GenericMapData map(MapData data) {
        Object[] names = all(data.keyArray(), ((MapType) given).getKeyType(), keys);
        Object[] values = all(data.valueArray(), ((MapType) given).getValueType(), elements);
        Map map = new HashMap();
        for (int i = 0; i < names.length; i++) {
            map.put(names[i], values[i]);
        }
        return new GenericMapData(map);
    }

    private static Object element(ArrayData array, int i, LogicalType type) {
        switch (type.getTypeRoot()) {
            case BOOLEAN:
                return Boolean.valueOf(array.getBoolean(i));
            case TINYINT:
                return Byte.valueOf(array.getByte(i));
            case SMALLINT:
                return Short.valueOf(array.getShort(i));
            case INTEGER:
                return Integer.valueOf(array.getInt(i));
            case BIGINT:
                return Long.valueOf(array.getLong(i));
            case FLOAT:
                return Float.valueOf(array.getFloat(i));
            case DOUBLE:
                return Double.valueOf(array.getDouble(i));
            case DECIMAL:
                return array.getDecimal(i, ((DecimalType) type).getPrecision(), ((DecimalType) type).getScale());
            case CHAR:
            case VARCHAR:
                return array.getString(i);
            case BINARY:
            case VARBINARY:
                return array.getBinary(i);
            case ARRAY:
                return array.getArray(i);
            case MAP:
                return array.getMap(i);
            default:
                throw new IllegalStateException(type.asSummaryString());
        }
    }

    /** The text with at most as many characters as the wanted type has; CHAR pads it to so many. */
    private StringData fitted(StringData value) {
        int length = LogicalTypeChecks.getLength(wanted);
        String text = value.toString();
        int count = text.codePointCount(0, text.length());
        if (count > length) {
            return BinaryStringData.fromString(text.substring(0, text.offsetByCodePoints(0, length)));
        }
        if (count == length || !wanted.is(LogicalTypeRoot.CHAR)) {
            return value;
        }
        StringBuilder padded = new StringBuilder(text);
        for (int i = count; i < length; i++) {
            padded.append(' ');
        }
        return BinaryStringData.fromString(padded.toString());
    }

    private byte[] fitted(byte[] value) {
        int length = LogicalTypeChecks.getLength(wanted);
        boolean asItIs = value.length == length || value.length < length && !wanted.is(LogicalTypeRoot.BINARY);
        return asItIs ? value : Arrays.copyOf(value, length);
    }
}
