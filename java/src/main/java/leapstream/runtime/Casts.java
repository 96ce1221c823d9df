package leapstream.runtime;

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;

/**
 * MLeap's conversions between basic types. A basic type is named by a letter: z boolean, b byte, s short, i int, l long,
 * f float, d double, t string, x byte string.
 */
public final class Casts {

    private static final int[] NO_DIMENSIONS = new int[0];

    private Casts() {}

    // ---- strings --------------------------------------------------------------------------------------------------

    /** True for a string that means a missing number. */
    public static boolean isHole(String text) {
        return text.isEmpty() || text.equals("null");
    }

    public static boolean parseBoolean(String text) {
        if (text.isEmpty() || text.equals("false") || text.equals("no")) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (!Character.isDigit(text.charAt(i))) {
                return true;
            }
        }
        try {
            return Double.parseDouble(text) != 0;
        } catch (NumberFormatException e) {
            throw Failures.noNumber(text, "boolean");
        }
    }

    public static byte parseByte(String text) {
        try {
            return Byte.parseByte(text);
        } catch (NumberFormatException e) {
            throw Failures.noNumber(text, "byte");
        }
    }

    public static short parseShort(String text) {
        try {
            return Short.parseShort(text);
        } catch (NumberFormatException e) {
            throw Failures.noNumber(text, "short");
        }
    }

    public static int parseInt(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw Failures.noNumber(text, "int");
        }
    }

    public static long parseLong(String text) {
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw Failures.noNumber(text, "long");
        }
    }

    public static float parseFloat(String text) {
        try {
            return Float.parseFloat(text);
        } catch (NumberFormatException e) {
            throw Failures.noNumber(text, "float");
        }
    }

    public static double parseDouble(String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw Failures.noNumber(text, "double");
        }
    }

    // ---- boxed elements -------------------------------------------------------------------------------------------

    /** An element from one basic type to another, or as it is; a missing number, or the string of one, gives 0. */
    public static Object element(Object x, char from, char to) {
        if (from == to) {
            return x;
        }
        if (from == 't') {
            if (x == null) {
                throw Failures.missingElement();
            }
            return parse((String) x, to);
        }
        Object number = x == null ? zero(from) : x;
        if (from == 'z') {
            number = Integer.valueOf(x != null && ((Boolean) x).booleanValue() ? 1 : 0);
        }
        return to == 't' ? text(number) : number((Number) number, to);
    }

    /** The number that Scala takes a missing one for. */
    private static Number zero(char type) {
        return type == 'd'
                ? (Number) Double.valueOf(0.0)
                : type == 'f' ? (Number) Float.valueOf(0f) : (Number) Integer.valueOf(0);
    }

    private static String text(Object number) {
        if (number instanceof Double) {
            return NumberText.of(((Double) number).doubleValue());
        }
        return number instanceof Float ? NumberText.of(((Float) number).floatValue()) : number.toString();
    }

    private static Object parse(String text, char to) {
        if (to == 'z') {
            return Boolean.valueOf(parseBoolean(text));
        }
        boolean hole = isHole(text);
        switch (to) {
            case 'b':
                return Byte.valueOf(hole ? (byte) 0 : parseByte(text));
            case 's':
                return Short.valueOf(hole ? (short) 0 : parseShort(text));
            case 'i':
                return Integer.valueOf(hole ? 0 : parseInt(text));
            case 'l':
                return Long.valueOf(hole ? 0L : parseLong(text));
            case 'f':
                return Float.valueOf(hole ? 0f : parseFloat(text));
            default:
                return Double.valueOf(hole ? 0.0 : parseDouble(text));
        }
    }

    /** A number as another type; Number's own conversions are Java's casts. */
    private static Object number(Number x, char to) {
        switch (to) {
            case 'z':
                return Boolean.valueOf(x.doubleValue() != 0);
            case 'b':
                return Byte.valueOf(x.byteValue());
            case 's':
                return Short.valueOf(x.shortValue());
            case 'i':
                return Integer.valueOf(x.intValue());
            case 'l':
                return Long.valueOf(x.longValue());
            case 'f':
                return Float.valueOf(x.floatValue());
            default:
                return Double.valueOf(x.doubleValue());
        }
    }

    /** A number that a Vec holds as its own basic type, which the letter names. */
    static Object box(double x, char type) {
        return number(Double.valueOf(x), type);
    }

    /** The double that a Vec holds for a boxed number or boolean; 0 for a missing one. */
    public static double unbox(Object x) {
        if (x == null) {
            return 0;
        }
        return x instanceof Boolean ? (((Boolean) x).booleanValue() ? 1 : 0) : ((Number) x).doubleValue();
    }

    // ---- lists, maps and tensors ----------------------------------------------------------------------------------

    public static Object[] list(Object[] x, char from, char to) {
        Object[] result = new Object[x.length];
        for (int i = 0; i < x.length; i++) {
            result[i] = element(x[i], from, to);
        }
        return result;
    }

    public static Map map(Map x, char fromKey, char fromBase, char toKey, char toBase) {
        Map result = new HashMap();
        for (Iterator entries = x.entrySet().iterator(); entries.hasNext(); ) {
            Map.Entry entry = (Map.Entry) entries.next();
            result.put(element(entry.getKey(), fromKey, toKey), element(entry.getValue(), fromBase, toBase));
        }
        return result;
    }

    public static Vec listToVec(Object[] x, char from, char to, Vec out) {
        double[] values = out.dense(x.length);
        for (int i = 0; i < x.length; i++) {
            values[i] = unbox(element(x[i], from, to));
        }
        return out;
    }

    public static ObjectTensor listToObjects(Object[] x, char from, char to) {
        Object[] values = list(x, from, to);
        for (int i = 0; i < values.length; i++) {
            if (values[i] == null && to == 'l') {
                values[i] = Long.valueOf(0L);
            }
        }
        return new ObjectTensor(values, null, null, x.length);
    }

    public static Object[] vecToList(Vec x, char from, char to) {
        requireDense(x.index);
        Object[] result = new Object[x.size];
        for (int i = 0; i < x.size; i++) {
            result[i] = element(box(x.value[i], from), from, to);
        }
        return result;
    }

    public static Object[] objectsToList(ObjectTensor x, char from, char to) {
        requireDense(x.index);
        return list(x.value, from, to);
    }

    private static void requireDense(int[] index) {
        if (index != null) {
            throw Failures.sparseToList();
        }
    }

    public static Vec vecToVec(Vec x, char from, char to, Vec out) {
        shape(x.size, x.index, x.stored(), x.dimensions, out);
        for (int k = 0; k < x.stored(); k++) {
            out.value[k] = unbox(element(box(x.value[k], from), from, to));
        }
        return out;
    }

    public static Vec objectsToVec(ObjectTensor x, char from, char to, Vec out) {
        shape(x.size, x.index, x.value.length, x.dimensions, out);
        for (int k = 0; k < x.value.length; k++) {
            out.value[k] = unbox(element(x.value[k], from, to));
        }
        return out;
    }

    public static ObjectTensor vecToObjects(Vec x, char from, char to) {
        Object[] values = new Object[x.stored()];
        int[] index = x.index == null ? null : new int[x.stored()];
        for (int k = 0; k < x.stored(); k++) {
            values[k] = element(box(x.value[k], from), from, to);
            if (index != null) {
                index[k] = x.index[k];
            }
        }
        return new ObjectTensor(values, index, x.dimensions == null ? null : (int[]) x.dimensions.clone(), x.size);
    }

    public static ObjectTensor objectsToObjects(ObjectTensor x, char from, char to) {
        return new ObjectTensor(list(x.value, from, to), x.index, x.dimensions, x.size);
    }

    private static void shape(int size, int[] index, int count, int[] dimensions, Vec out) {
        if (index == null) {
            out.dense(size);
        } else {
            out.sparse(size, count);
            System.arraycopy(index, 0, out.index, 0, count);
            out.count = count;
        }
        out.dimensions = dimensions;
    }

    /** A scalar as a tensor without dimensions. */
    public static Vec scalarToVec(double x, Vec out) {
        out.dense(1)[0] = x;
        out.dimensions = NO_DIMENSIONS;
        return out;
    }

    public static ObjectTensor scalarToObjects(Object x) {
        return new ObjectTensor(new Object[] {x}, null, NO_DIMENSIONS, 1);
    }

    /** The first element of a tensor, which has to be stored. */
    public static Object first(Vec x, char from) {
        for (int k = 0; k < x.stored(); k++) {
            if (x.index == null || x.index[k] == 0) {
                return box(x.value[k], from);
            }
        }
        throw Failures.noFirstElement();
    }

    public static Object first(ObjectTensor x) {
        for (int k = 0; k < x.value.length; k++) {
            if (x.index == null || x.index[k] == 0) {
                return x.value[k];
            }
        }
        throw Failures.noFirstElement();
    }
}
