package leapstream.flink;

import java.lang.reflect.Array;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.Map;
import leapstream.runtime.NumberText;
import leapstream.runtime.Printable;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.types.Row;

/** The values of a row, shortened, for messages; leapstream/flink/rowtext.py gives the same text. */
public final class RowText {

    private static final int MOST_CHARACTERS = 50;
    private static final int MOST_ELEMENTS = 5;
    private static final int MOST_COLUMNS = 50;

    private RowText() {}

    /** The values with their names, or without where there are more or fewer names. */
    public static String of(String[] names, Object[] values) {
        StringBuilder text = new StringBuilder("{");
        for (int i = 0; i < values.length; i++) {
            text.append(i == 0 ? "" : ", ");
            if (i == MOST_COLUMNS) {
                text.append('\u2026');
                break;
            }
            if (names.length == values.length) {
                text.append(shortened(names[i])).append(": ");
            }
            add(values[i], text);
        }
        return text.append('}').toString();
    }

    private static void add(Object value, StringBuilder text) {
        if (value instanceof CharSequence || value instanceof StringData) {
            text.append('\'').append(shortened(value.toString())).append('\'');
        } else if (value instanceof Double) {
            text.append(NumberText.of(((Double) value).doubleValue()));
        } else if (value instanceof Float) {
            text.append(NumberText.of(((Float) value).floatValue()));
        } else if (value instanceof DecimalData) {
            text.append(((DecimalData) value).toBigDecimal().toPlainString());
        } else if (value instanceof BigDecimal) {
            text.append(((BigDecimal) value).toPlainString());
        } else if (value instanceof byte[]) {
            text.append(((byte[]) value).length).append(" bytes");
        } else if (value instanceof GenericArrayData) {
            addAll(((GenericArrayData) value).toObjectArray(), text);
        } else if (value instanceof ArrayData) {
            text.append("an array of ").append(((ArrayData) value).size());
        } else if (value instanceof MapData) {
            text.append("a map of ").append(((MapData) value).size());
        } else if (value instanceof Map) {
            text.append("a map of ").append(((Map) value).size());
        } else if (value instanceof Collection) {
            addAll(((Collection) value).toArray(), text);
        } else if (value != null && value.getClass().isArray()) {
            addAll(value, text);
        } else if (value instanceof Row) {
            text.append("a row of ").append(((Row) value).getArity());
        } else {
            text.append(shortened(String.valueOf(value)));
        }
    }

    private static void addAll(Object array, StringBuilder text) {
        int size = Array.getLength(array);
        text.append('[');
        for (int i = 0; i < size; i++) {
            text.append(i == 0 ? "" : ", ");
            if (i == MOST_ELEMENTS) {
                text.append("\u2026 ").append(size).append(" in all");
                break;
            }
            add(Array.get(array, i), text);
        }
        text.append(']');
    }

    private static String shortened(String text) {
        if (text.codePointCount(0, text.length()) <= MOST_CHARACTERS) {
            return Printable.of(text);
        }
        return Printable.of(text.substring(0, text.offsetByCodePoints(0, MOST_CHARACTERS))) + "\u2026";
    }
}
