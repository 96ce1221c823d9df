package leapstream.flink;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.net.URL;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import leapstream.runtime.Abi;
import leapstream.runtime.Data;
import leapstream.runtime.NumberText;
import leapstream.runtime.ObjectTensor;
import leapstream.runtime.PredictionException;
import leapstream.runtime.RowModel;
import leapstream.runtime.Vec;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;

/**
 * Base of the generated functions: a row model with a SQL signature. Arguments and results are Flink's internal data.
 *
 * Neither this class nor a generated one has a field that is neither static nor transient: a compiled plan holds a function as
 * the name of its class, and Flink rejects a function that could have more state. What a generated class says of itself it says
 * by methods.
 *
 * What other classes use is public, even to those of this package: of two jars in class loaders one above the other, this class
 * may come from the upper, and they from the lower, which makes the package two to Java.
 */
public abstract class ModelFunction extends ScalarFunction {

    private static final long serialVersionUID = 1L;

    private static final BigDecimal TWO_TO_63 = new BigDecimal("9223372036854775808");

    /** The model's metrics. */
    protected transient ModelMetrics metrics;

    /** True if the model dropped the row of the last call. */
    protected transient boolean dropped;

    private transient ModelSignature signature;
    private transient boolean leavesRows;

    /** The number of the hand-written classes that the class was generated for. */
    protected abstract int abi();

    /** The version of leapstream that generated the class. */
    protected abstract String leapstreamVersion();

    /** Makes the signature that {@link #signature} returns. */
    protected abstract ModelSignature makeSignature();

    /** The version of the model, for its metrics. */
    protected abstract String version();

    /** Names of the columns that the result is made of. */
    protected abstract String[] outputs();

    /** SQL types of those columns. */
    protected abstract String[] outputTypes();

    /**
     * False where the result is a ROW: Flink merges the projections of deterministic functions, and would call the function again
     * for each field that a query reads. A function of one value stays deterministic, which changelogs ask for.
     */
    @Override
    public boolean isDeterministic() {
        return outputCount() == 1;
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory factory) {
        return signature().typeInference();
    }

    @Override
    public void open(FunctionContext context) throws Exception {
        open(context.getMetricGroup());
    }

    public void open(MetricGroup group) throws IOException {
        long began = System.nanoTime();
        Abi.check(getClass().getName(), abi(), leapstreamVersion());
        load();
        metrics = new ModelMetrics(group, signature().model(), version(), System.nanoTime() - began);
    }

    /** Counts in other metrics than those of the time when it was opened. */
    public final void measure(ModelMetrics others) {
        metrics = others;
    }

    @Override
    public void close() throws Exception {
        if (metrics != null) {
            metrics.warnOfRest();
        }
    }

    /** Makes the model ready. */
    protected abstract void load() throws IOException;

    /** Calls eval with so many arguments. */
    public abstract Object call(Object[] arguments);

    // ---- for those who call it without SQL --------------------------------------------------------------------------

    public final ModelSignature signature() {
        if (signature == null) {
            Abi.check(getClass().getName(), abi(), leapstreamVersion());
            signature = makeSignature();
        }
        return signature;
    }

    public final boolean dropped() {
        return dropped;
    }

    /** The version of the model that predicts, as queries show it. */
    public String modelVersion() {
        return version();
    }

    public final int outputCount() {
        return outputs().length;
    }

    public final String outputName(int i) {
        return outputs()[i];
    }

    public final LogicalType outputType(int i) {
        return ModelSignature.parse(outputTypes()[i]);
    }

    /** The number of an output, or -1. */
    public final int outputNamed(String name) {
        for (int i = 0; i < outputs().length; i++) {
            if (outputs()[i].equals(name)) {
                return i;
            }
        }
        return -1;
    }

    /** An output of what a call gave. */
    public final Object output(Object found, int i) {
        return outputs().length == 1 ? found : ((GenericRowData) found).getField(i);
    }

    /** The model's arguments and results, for error messages. */
    public final String describe() {
        StringBuilder text = new StringBuilder("Model '")
                .append(signature().model())
                .append("' is ")
                .append(signature());
        text.append(" -> (");
        for (int i = 0; i < outputs().length; i++) {
            text.append(i == 0 ? "" : ", ").append(outputs()[i]).append(' ').append(outputTypes()[i]);
        }
        return text.append(')').toString();
    }

    // ---- rows that fail ------------------------------------------------------------------------------------------

    /** Exceptions then do not have the arguments in their messages: the caller knows the whole row, or keeps it. */
    public void leaveRowsToCaller() {
        leavesRows = true;
    }

    protected final boolean leavesRows() {
        return leavesRows;
    }

    /** Counts a row that fails; the exception to throw. */
    protected final PredictionException failed(PredictionException failure, Object[] arguments) {
        metrics.failed(failure.getMessage());
        if (leavesRows) {
            return failure;
        }
        int count = arguments.length;
        Object[] shown = new Object[count];
        for (int i = 0; i < count; i++) {
            LogicalType type = signature().type(i, count);
            boolean isBinary = arguments[i] instanceof ArrayData && !(arguments[i] instanceof GenericArrayData);
            shown[i] = isBinary && type.is(LogicalTypeRoot.ARRAY)
                    ? Conversion.elements((ArrayData) arguments[i], (ArrayType) type)
                    : arguments[i];
        }
        return failure.withValues(RowText.of(signature().names(), shown));
    }

    /** Counts a row that fails and does not stop the job; the text of the error. */
    protected final String rejected(PredictionException failure) {
        metrics.failed(failure.getMessage());
        return kept(failure);
    }

    /** Warns of a row that failed and that the caller keeps; the text of the error. */
    public String kept(PredictionException failure) {
        metrics.warn();
        return failure.text();
    }

    /** The result of the last row, which failed: what it has without a prediction. Null for nothing. */
    public Object resultOfFailed() {
        return null;
    }

    // ---- data -------------------------------------------------------------------------------------------------------

    /** Opens a model with its data, a resource of the jar that the function's class comes from. */
    protected void load(RowModel model, String resource) throws IOException {
        URL url = getClass().getResource(resource);
        if (url == null) {
            throw new FileNotFoundException("the jar of " + getClass().getName() + " lacks " + resource);
        }
        InputStream stream = Data.open(url);
        try {
            model.open(new DataInputStream(new BufferedInputStream(stream)));
        } finally {
            stream.close();
        }
    }

    // ---- arguments ------------------------------------------------------------------------------------------------

    protected static double toDouble(Object value) {
        return value instanceof Double
                ? ((Double) value).doubleValue()
                : number(value).doubleValue();
    }

    protected static float toFloat(Object value) {
        Number number = number(value);
        // A DECIMAL becomes a double first.
        return number instanceof BigDecimal ? (float) number.doubleValue() : number.floatValue();
    }

    protected static long toLong(Object value) {
        Number number = number(value);
        boolean exact =
                number instanceof BigDecimal && ((BigDecimal) number).abs().compareTo(TWO_TO_63) < 0;
        return number instanceof BigDecimal && !exact ? (long) number.doubleValue() : number.longValue();
    }

    protected static int toInt(Object value) {
        Number number = number(value);
        return number instanceof BigDecimal ? (int) number.doubleValue() : number.intValue();
    }

    protected static short toShort(Object value) {
        return (short) toInt(value);
    }

    protected static byte toByte(Object value) {
        return (byte) toInt(value);
    }

    protected static boolean toBoolean(Object value) {
        return value instanceof Boolean
                ? ((Boolean) value).booleanValue()
                : number(value).doubleValue() != 0;
    }

    protected static String toText(Object value) {
        if (value instanceof Boolean || value instanceof Number || value instanceof DecimalData) {
            Number number = number(value);
            if (number instanceof Float) {
                return NumberText.of(number.floatValue());
            }
            boolean fraction = number instanceof Double || number instanceof BigDecimal;
            return fraction ? NumberText.of(number.doubleValue()) : number.toString();
        }
        if (value instanceof LocalTime) {
            return timeOfDay((LocalTime) value);
        }
        if (value instanceof LocalDateTime) {
            LocalDateTime time = (LocalDateTime) value;
            return time.toLocalDate() + " " + timeOfDay(time.toLocalTime());
        }
        return value instanceof String || value instanceof LocalDate
                ? value.toString()
                : ((StringData) value).toString();
    }

    /** The text that Spark's CAST gives: seconds always, and a fraction of a second without zeros at its end. */
    private static String timeOfDay(LocalTime time) {
        String text = DateTimeFormatter.ISO_LOCAL_TIME.format(time);
        return text.indexOf('.') < 0 ? text : text.replaceFirst("\\.?0+$", "");
    }

    /** A number, a boolean as 0 or 1, or a DECIMAL. */
    private static Number number(Object value) {
        if (value instanceof Boolean) {
            return Integer.valueOf(((Boolean) value).booleanValue() ? 1 : 0);
        }
        return value instanceof DecimalData ? ((DecimalData) value).toBigDecimal() : (Number) value;
    }

    /** Element of an array, boxed; kinds are letters of basic types. */
    private static Object element(ArrayData array, int i, char kind) {
        switch (kind) {
            case 'z':
                return Boolean.valueOf(array.getBoolean(i));
            case 'b':
                return Byte.valueOf(array.getByte(i));
            case 's':
                return Short.valueOf(array.getShort(i));
            case 'i':
                return Integer.valueOf(array.getInt(i));
            case 'l':
                return Long.valueOf(array.getLong(i));
            case 'f':
                return Float.valueOf(array.getFloat(i));
            case 'd':
                return Double.valueOf(array.getDouble(i));
            case 't':
                return array.getString(i).toString();
            default:
                return array.getBinary(i);
        }
    }

    /** A value that was given for an element of some kind. */
    private static Object converted(Object value, char kind) {
        switch (kind) {
            case 'z':
                return Boolean.valueOf(toBoolean(value));
            case 'b':
                return Byte.valueOf(toByte(value));
            case 's':
                return Short.valueOf(toShort(value));
            case 'i':
                return Integer.valueOf(toInt(value));
            case 'l':
                return Long.valueOf(toLong(value));
            case 'f':
                return Float.valueOf(toFloat(value));
            case 'd':
                return Double.valueOf(toDouble(value));
            case 't':
                return toText(value);
            default:
                return value;
        }
    }

    /** The elements of an array, or of scalars that stand for one; none may be NULL. */
    protected static Object[] elements(Object given, char kind, String model, String column) {
        if (given instanceof ArrayData) {
            return elements((ArrayData) given, kind, "array", model, column);
        }
        Object[] scalars = given instanceof Object[] ? (Object[]) given : new Object[] {given};
        Object[] values = new Object[scalars.length];
        for (int i = 0; i < values.length; i++) {
            if (scalars[i] == null) {
                throw nullElement("array", model, column);
            }
            values[i] = converted(scalars[i], kind);
        }
        return values;
    }

    private static Object[] elements(ArrayData array, char kind, String what, String model, String column) {
        Object[] values = new Object[array.size()];
        for (int i = 0; i < values.length; i++) {
            if (array.isNullAt(i)) {
                throw nullElement(what, model, column);
            }
            values[i] = element(array, i, kind);
        }
        return values;
    }

    /** The entries of a map; neither a key nor a value may be NULL. */
    protected static Map map(Object given, char key, char kind, String model, String column) {
        Map map = new HashMap();
        if (given instanceof Map) {
            Iterator entries = ((Map) given).entrySet().iterator();
            while (entries.hasNext()) {
                Map.Entry entry = (Map.Entry) entries.next();
                if (entry.getKey() == null || entry.getValue() == null) {
                    throw nullElement("map", model, column);
                }
                map.put(converted(entry.getKey(), key), converted(entry.getValue(), kind));
            }
            return map;
        }
        MapData data = (MapData) given;
        Object[] keys = elements(data.keyArray(), key, "map", model, column);
        Object[] values = elements(data.valueArray(), kind, "map", model, column);
        for (int i = 0; i < keys.length; i++) {
            map.put(keys[i], values[i]);
        }
        return map;
    }

    /** The elements of an array, or of scalars that stand for one, as a tensor of numbers in a buffer; none may be NULL. */
    protected static Vec vec(Object given, char kind, int[] dimensions, Vec buffer, String model, String column) {
        if (kind == 'd' && given instanceof ArrayData) {
            ArrayData array = (ArrayData) given;
            int size = array.size();
            double[] values = buffer.dense(size);
            for (int i = 0; i < size; i++) {
                if (array.isNullAt(i)) {
                    throw nullElement("array", model, column);
                }
                values[i] = array.getDouble(i);
            }
        } else if (kind == 'd' && given instanceof Object[]) {
            Object[] scalars = (Object[]) given;
            double[] values = buffer.dense(scalars.length);
            for (int i = 0; i < scalars.length; i++) {
                if (scalars[i] == null) {
                    throw nullElement("array", model, column);
                }
                values[i] = toDouble(scalars[i]);
            }
        } else {
            Object[] boxed = elements(given, kind, model, column);
            double[] values = buffer.dense(boxed.length);
            for (int i = 0; i < boxed.length; i++) {
                values[i] = toDouble(boxed[i]);
            }
        }
        buffer.dimensions = shape(dimensions, buffer.size);
        return buffer;
    }

    /** A scalar that is an element of a vector. */
    protected static double elementOf(Object scalar, String model, String column) {
        if (scalar == null) {
            throw nullElement("array", model, column);
        }
        return toDouble(scalar);
    }

    protected static ObjectTensor objectTensor(Object given, char kind, int[] dimensions, String model, String column) {
        Object[] values = elements(given, kind, model, column);
        return new ObjectTensor(values, null, shape(dimensions, values.length), values.length);
    }

    private static int[] shape(int[] dimensions, int size) {
        if (dimensions == null) {
            return null;
        }
        int product = 1;
        for (int i = 0; i < dimensions.length; i++) {
            product *= dimensions[i];
        }
        return product == size ? dimensions : null;
    }

    private static PredictionException nullElement(String what, String model, String column) {
        return new PredictionException("an element of the " + what + " is NULL", model, null, null, column);
    }

    // ---- results --------------------------------------------------------------------------------------------------

    /** A tensor of numbers as an array of its elements. */
    protected static ArrayData array(Vec vec, char kind) {
        if (vec == null) {
            return null;
        }
        double[] all = new double[vec.size];
        if (vec.index == null) {
            System.arraycopy(vec.value, 0, all, 0, vec.size);
        } else {
            for (int k = 0; k < vec.count; k++) {
                all[vec.index[k]] = vec.value[k];
            }
        }
        if (kind == 'd') {
            return new GenericArrayData(all);
        }
        Object[] boxed = new Object[all.length];
        for (int i = 0; i < all.length; i++) {
            boxed[i] = converted(Double.valueOf(all[i]), kind);
        }
        return new GenericArrayData(boxed);
    }

    protected static ArrayData array(ObjectTensor tensor, char kind) {
        if (tensor == null) {
            return null;
        }
        if (tensor.index == null) {
            return array(tensor.value, kind);
        }
        Object[] all = new Object[tensor.size];
        if (kind == 'l') {
            java.util.Arrays.fill(all, Long.valueOf(0));
        }
        for (int k = 0; k < tensor.index.length; k++) {
            all[tensor.index[k]] = tensor.value[k];
        }
        return array(all, kind);
    }

    protected static ArrayData array(Object[] values, char kind) {
        if (values == null) {
            return null;
        }
        Object[] all = new Object[values.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = kind == 't' && values[i] != null ? BinaryStringData.fromString((String) values[i]) : values[i];
        }
        return new GenericArrayData(all);
    }
}
