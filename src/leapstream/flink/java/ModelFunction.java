package leapstream.runtime;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;

import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.types.inference.TypeInference;

/** Base of the generated functions: a row model with a SQL signature. Arguments and results are Flink's internal data. */
public abstract class ModelFunction extends ScalarFunction {

    private static final long serialVersionUID = 1L;

    private final ModelSignature signature;

    protected ModelFunction(ModelSignature signature) {
        this.signature = signature;
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory factory) {
        return signature.typeInference();
    }

    /** Opens a model with its data, a resource of the jar that the function's class comes from. */
    protected void load(RowModel model, String resource) throws IOException {
        URL url = getClass().getResource(resource);
        if (url == null) {
            throw new FileNotFoundException("the jar of " + getClass().getName() + " lacks " + resource);
        }
        URLConnection connection = url.openConnection();
        // A cached connection would keep the jar open, and serve an older jar of the same path.
        connection.setUseCaches(false);
        InputStream stream = connection.getInputStream();
        try {
            model.open(new DataInputStream(new BufferedInputStream(stream)));
        } finally {
            stream.close();
        }
    }

    // ---- arguments ------------------------------------------------------------------------------------------------

    protected static double toDouble(Object value) {
        return value instanceof Boolean ? (((Boolean) value).booleanValue() ? 1 : 0) : ((Number) value).doubleValue();
    }

    protected static float toFloat(Object value) {
        return value instanceof Boolean ? (((Boolean) value).booleanValue() ? 1 : 0) : ((Number) value).floatValue();
    }

    protected static long toLong(Object value) {
        return value instanceof Boolean ? (((Boolean) value).booleanValue() ? 1 : 0) : ((Number) value).longValue();
    }

    protected static int toInt(Object value) {
        return value instanceof Boolean ? (((Boolean) value).booleanValue() ? 1 : 0) : ((Number) value).intValue();
    }

    protected static short toShort(Object value) {
        return (short) toInt(value);
    }

    protected static byte toByte(Object value) {
        return (byte) toInt(value);
    }

    protected static boolean toBoolean(Object value) {
        return value instanceof Boolean ? ((Boolean) value).booleanValue() : ((Number) value).doubleValue() != 0;
    }

    protected static String toText(Object value) {
        return value instanceof Boolean ? (((Boolean) value).booleanValue() ? "1" : "0") : value.toString();
    }

    /** Whether some element is NULL, which no model takes. */
    protected static boolean hasNull(ArrayData array) {
        for (int i = 0; i < array.size(); i++) {
            if (array.isNullAt(i)) {
                return true;
            }
        }
        return false;
    }

    protected static boolean hasNull(Object[] values) {
        for (int i = 0; i < values.length; i++) {
            if (values[i] == null) {
                return true;
            }
        }
        return false;
    }

    protected static PredictionException nullElement(String model, String column) {
        return new PredictionException("an element of the array is NULL (model '" + model + "', column '" + column + "')");
    }
}
