package leapstream.runtime;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;

/**
 * Runs a model over a leap frame in MLeap's binary format but for two things: a byte before each element of a list, each value of
 * a map and each string of a tensor is 1 where it is present, and strings are UTF-16 code units after their number.
 *
 * Types come as strings: the shape (s scalar, l list, t tensor, m map), the letter of the basic type as in Casts, "?" when
 * nullable, and for a map the letter of the key. The answer: the number of rows; a byte per row (0 fine, 1 dropped, 2 failed);
 * for each that failed reason, node, op and column; then, as in a frame, the number of rows that are fine and their values.
 */
public final class BatchRunner {

    private RowModel model;
    private String[] inputs;
    private String[] outputs;

    /** Sets the model, with its data and with the types of its inputs and outputs, separated by spaces. */
    public void open(RowModel newModel, byte[] data, String inputTypes, String outputTypes) throws IOException {
        newModel.open(new DataInputStream(new ByteArrayInputStream(data)));
        model = newModel;
        inputs = split(inputTypes);
        outputs = split(outputTypes);
    }

    public byte[] run(byte[] frame) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(frame));
        in.readFully(new byte[in.readInt()]);
        int rows = in.readInt();
        byte[] states = new byte[rows];
        int fine = 0;
        ByteArrayOutputStream errorBytes = new ByteArrayOutputStream();
        DataOutputStream errors = new DataOutputStream(errorBytes);
        ByteArrayOutputStream valueBytes = new ByteArrayOutputStream();
        DataOutputStream values = new DataOutputStream(valueBytes);
        for (int row = 0; row < rows; row++) {
            Object[] given = readRow(in, inputs);
            try {
                for (int i = 0; i < inputs.length; i++) {
                    model.setInput(i, given[i]);
                }
                if (model.run()) {
                    for (int i = 0; i < outputs.length; i++) {
                        write(values, model.getOutput(i), outputs[i]);
                    }
                    fine++;
                } else {
                    states[row] = 1;
                }
            } catch (PredictionException e) {
                states[row] = 2;
                writeText(errors, e.reason);
                writeText(errors, e.node);
                writeText(errors, e.op);
                writeText(errors, e.column);
            }
        }
        ByteArrayOutputStream result = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(result);
        out.writeInt(rows);
        out.write(states);
        errorBytes.writeTo(out);
        out.writeInt(fine);
        valueBytes.writeTo(out);
        return result.toByteArray();
    }

    /** The types that stand in a text, separated by spaces. */
    static String[] split(String types) {
        return types.isEmpty() ? new String[0] : types.split(" ");
    }

    // ---- reading --------------------------------------------------------------------------------------------------

    /** The values of a row, whose types are given. */
    static Object[] readRow(DataInputStream in, String[] types) throws IOException {
        Object[] values = new Object[types.length];
        for (int i = 0; i < types.length; i++) {
            values[i] = read(in, types[i]);
        }
        return values;
    }

    private static Object read(DataInputStream in, String type) throws IOException {
        if (type.indexOf('?') >= 0 && !in.readBoolean()) {
            return null;
        }
        char base = type.charAt(1);
        switch (type.charAt(0)) {
            case 's':
                return readElement(in, base);
            case 'l':
                return readElements(in, base, true);
            case 't':
                return readTensor(in, base);
            default:
                Map map = new HashMap();
                char key = type.charAt(type.length() - 1);
                for (int left = in.readInt(); left > 0; left--) {
                    Object name = readElement(in, key);
                    map.put(name, readHole(in) ? null : readElement(in, base));
                }
                return map;
        }
    }

    private static Object readElement(DataInputStream in, char base) throws IOException {
        switch (base) {
            case 'z':
                return Boolean.valueOf(in.readBoolean());
            case 'b':
                return Byte.valueOf(in.readByte());
            case 's':
                return Short.valueOf(in.readShort());
            case 'i':
                return Integer.valueOf(in.readInt());
            case 'l':
                return Long.valueOf(in.readLong());
            case 'f':
                return Float.valueOf(in.readFloat());
            case 'd':
                return Double.valueOf(in.readDouble());
            case 't':
                return readText(in);
            default:
                byte[] bytes = new byte[in.readInt()];
                in.readFully(bytes);
                return bytes;
        }
    }

    private static String readText(DataInputStream in) throws IOException {
        char[] units = new char[in.readInt()];
        for (int i = 0; i < units.length; i++) {
            units[i] = in.readChar();
        }
        return new String(units);
    }

    private static boolean isText(char base) {
        return base == 't' || base == 'x';
    }

    private static boolean readHole(DataInputStream in) throws IOException {
        return !in.readBoolean();
    }

    private static Object[] readElements(DataInputStream in, char base, boolean holes) throws IOException {
        Object[] values = new Object[in.readInt()];
        for (int i = 0; i < values.length; i++) {
            values[i] = holes && readHole(in) ? null : readElement(in, base);
        }
        return values;
    }

    private static Object readTensor(DataInputStream in, char base) throws IOException {
        boolean sparse = in.readChar() != 0;
        int[] dimensions = new int[in.readChar()];
        int size = 1;
        for (int i = 0; i < dimensions.length; i++) {
            dimensions[i] = in.readInt();
            size *= dimensions[i];
        }
        Object[] values = readElements(in, base, isText(base));
        int[] index = null;
        if (sparse) {
            index = new int[in.readInt()];
            for (int k = 0; k < index.length; k++) {
                in.readChar();
                for (int i = 0; i < dimensions.length; i++) {
                    index[k] = index[k] * dimensions[i] + in.readInt();
                }
            }
        }
        int[] declared = dimensions.length == 1 ? null : dimensions;
        if (base == 'l' || base == 't' || base == 'x') {
            return new ObjectTensor(values, index, declared, size);
        }
        Vec result = new Vec(values.length);
        result.size = size;
        result.index = index;
        result.count = values.length;
        result.dimensions = declared;
        for (int k = 0; k < values.length; k++) {
            result.value[k] = Casts.unbox(values[k]);
        }
        return result;
    }

    // ---- writing --------------------------------------------------------------------------------------------------

    private static void write(DataOutputStream out, Object value, String type) throws IOException {
        if (type.indexOf('?') >= 0) {
            out.writeBoolean(value != null);
            if (value == null) {
                return;
            }
        }
        char base = type.charAt(1);
        switch (type.charAt(0)) {
            case 's':
                writeElement(out, value, base);
                break;
            case 'l':
                writeElements(out, (Object[]) value, base, true);
                break;
            case 't':
                writeTensor(out, value, base);
                break;
            default:
                Map map = (Map) value;
                out.writeInt(map.size());
                for (Iterator entries = map.entrySet().iterator(); entries.hasNext(); ) {
                    Map.Entry entry = (Map.Entry) entries.next();
                    writeElement(out, entry.getKey(), type.charAt(type.length() - 1));
                    writeOptional(out, entry.getValue(), base);
                }
        }
    }

    private static void writeOptional(DataOutputStream out, Object value, char base) throws IOException {
        out.writeBoolean(value != null);
        if (value != null) {
            writeElement(out, value, base);
        }
    }

    private static void writeElement(DataOutputStream out, Object value, char base) throws IOException {
        switch (base) {
            case 'z':
                out.writeBoolean(((Boolean) value).booleanValue());
                break;
            case 'b':
                out.writeByte(((Byte) value).byteValue());
                break;
            case 's':
                out.writeShort(((Short) value).shortValue());
                break;
            case 'i':
                out.writeInt(((Integer) value).intValue());
                break;
            case 'l':
                out.writeLong(((Long) value).longValue());
                break;
            case 'f':
                out.writeFloat(((Float) value).floatValue());
                break;
            case 'd':
                out.writeDouble(((Double) value).doubleValue());
                break;
            case 't':
                writeText(out, (String) value);
                break;
            default:
                byte[] bytes = (byte[]) value;
                out.writeInt(bytes.length);
                out.write(bytes);
        }
    }

    private static void writeElements(DataOutputStream out, Object[] values, char base, boolean holes)
            throws IOException {
        out.writeInt(values.length);
        for (int i = 0; i < values.length; i++) {
            if (holes) {
                writeOptional(out, values[i], base);
            } else {
                writeElement(out, values[i], base);
            }
        }
    }

    private static void writeTensor(DataOutputStream out, Object value, char base) throws IOException {
        ObjectTensor tensor = value instanceof Vec ? Casts.vecToObjects((Vec) value, base, base) : (ObjectTensor) value;
        int[] dimensions = tensor.dimensions == null ? new int[] {tensor.size} : tensor.dimensions;
        out.writeChar(tensor.index == null ? 0 : 1);
        out.writeChar(dimensions.length);
        for (int i = 0; i < dimensions.length; i++) {
            out.writeInt(dimensions[i]);
        }
        writeElements(out, tensor.value, base, isText(base));
        if (tensor.index != null) {
            out.writeInt(tensor.index.length);
            for (int k = 0; k < tensor.index.length; k++) {
                out.writeChar(dimensions.length);
                int rest = tensor.size;
                for (int i = 0; i < dimensions.length; i++) {
                    int before = rest;
                    rest /= dimensions[i];
                    out.writeInt(tensor.index[k] % before / rest);
                }
            }
        }
    }

    private static void writeText(DataOutputStream out, String text) throws IOException {
        out.writeInt(text == null ? -1 : text.length());
        if (text != null) {
            out.writeChars(text);
        }
    }
}
