package leapstream.mleap;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.List;
import ml.combust.mleap.core.types.BasicType;
import ml.combust.mleap.core.types.DataType;
import ml.combust.mleap.core.types.ScalarType;
import ml.combust.mleap.core.types.StructField;
import ml.combust.mleap.runtime.javadsl.LeapFrameBuilder;
import ml.combust.mleap.tensor.ByteString;
import ml.combust.mleap.tensor.SparseTensor;
import ml.combust.mleap.tensor.Tensor;
import scala.Option;
import scala.Some;
import scala.Tuple2;
import scala.collection.Iterator;
import scala.collection.Seq;
import scala.collection.mutable.WrappedArray;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * The encoding of types and values, the same in both directions, big endian. A text is the number of its UTF-16 code units and they.
 *
 * <p>A value is a letter and its content: <code>N</code> null; a scalar has the letter of its basic type (<code>z b s i l f d t y</code>:
 * boolean, byte, short, int, long, float, double, text, byte string); <code>L</code> a list: the number of its values, and they;
 * <code>M</code> a map: the number of its pairs, and keys and values by turns; <code>D</code> a dense and <code>P</code> a sparse tensor:
 * the letter of the basic type, the number of dimensions, they, the number of stored values, the indices of each if sparse, the values;
 * <code>O</code> an object of another class: a text.
 */
final class Codec {
    private static final LeapFrameBuilder BUILDER = new LeapFrameBuilder();

    private Codec() {}

    static String readText(DataInputStream input) throws IOException {
        char[] units = new char[input.readInt()];
        for (int i = 0; i < units.length; i++) {
            units[i] = input.readChar();
        }
        return new String(units);
    }

    static void writeText(DataOutputStream output, String text) throws IOException {
        output.writeInt(text.length());
        output.writeChars(text);
    }

    /** Fields: their number, and of each its name, letter (S scalar, L list, M map, T tensor), basic type, and a byte that is 1 if nullable. */
    static StructField[] readFields(DataInputStream input) throws IOException {
        StructField[] fields = new StructField[input.readInt()];
        for (int i = 0; i < fields.length; i++) {
            fields[i] = new StructField(readText(input), readType(input));
        }
        return fields;
    }

    private static DataType readType(DataInputStream input) throws IOException {
        char shape = (char) input.readByte();
        BasicType base = basic((char) input.readByte());
        boolean nullable = input.readByte() == 1;
        switch (shape) {
            case 'S':
                return ScalarType.apply(base, nullable);
            case 'L':
                return BUILDER.createList(base, nullable);
            case 'M':
                return BUILDER.createMap(basic((char) input.readByte()), base, nullable);
            default:
                int count = input.readInt();
                if (count < 0) {
                    return BUILDER.createTensor(base, nullable);
                }
                return BUILDER.createTensor(base, readInts(input, count), nullable);
        }
    }

    private static BasicType basic(char letter) {
        switch (letter) {
            case 'z':
                return BUILDER.createBasicBoolean();
            case 'b':
                return BUILDER.createBasicByte();
            case 's':
                return BUILDER.createBasicShort();
            case 'i':
                return BUILDER.createBasicInt();
            case 'l':
                return BUILDER.createBasicLong();
            case 'f':
                return BUILDER.createBasicFloat();
            case 'd':
                return BUILDER.createBasicDouble();
            case 't':
                return BUILDER.createBasicString();
            case 'y':
                return BUILDER.createBasicByteString();
            default:
                throw new IllegalArgumentException("no basic type has the letter " + letter);
        }
    }

    private static List<Integer> readInts(DataInputStream input, int count) throws IOException {
        List<Integer> numbers = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            numbers.add(input.readInt());
        }
        return numbers;
    }

    static Object readValue(DataInputStream input) throws IOException {
        char letter = (char) input.readByte();
        switch (letter) {
            case 'N':
                return null;
            case 'L':
                List<Object> values = new ArrayList<>();
                for (int left = input.readInt(); left > 0; left--) {
                    values.add(readValue(input));
                }
                return seq(values);
            case 'M':
                scala.collection.immutable.Map map = scala.collection.immutable.Map$.MODULE$.empty();
                for (int left = input.readInt(); left > 0; left--) {
                    Object key = readValue(input);
                    map = map.$plus(new Tuple2<>(key, readValue(input)));
                }
                return map;
            case 'D':
                return readTensor(input, false);
            case 'P':
                return readTensor(input, true);
            default:
                return readScalar(input, letter);
        }
    }

    private static Object readScalar(DataInputStream input, char letter) throws IOException {
        switch (letter) {
            case 'N':
                return null;
            case 'z':
                return input.readBoolean();
            case 'b':
                return input.readByte();
            case 's':
                return input.readShort();
            case 'i':
                return input.readInt();
            case 'l':
                return input.readLong();
            case 'f':
                return input.readFloat();
            case 'd':
                return input.readDouble();
            case 't':
                return readText(input);
            case 'y':
                byte[] bytes = new byte[input.readInt()];
                input.readFully(bytes);
                return ByteString.apply(bytes);
            default:
                throw new IOException("no value has the letter " + letter);
        }
    }

    private static Tensor readTensor(DataInputStream input, boolean sparse) throws IOException {
        char base = (char) input.readByte();
        Seq dimensions = seq(readInts(input, input.readInt()));
        int stored = input.readInt();
        Option indices = Option.empty();
        if (sparse) {
            List<Object> positions = new ArrayList<>(stored);
            for (int i = 0; i < stored; i++) {
                positions.add(seq(readInts(input, dimensions.size())));
            }
            indices = new Some<>(seq(positions));
        }
        Class kind = elements(base);
        Object values = Array.newInstance(kind, stored);
        for (int i = 0; i < stored; i++) {
            // Elements of texts have letters of their own, as they may be null.
            char letter = kind.isPrimitive() ? base : (char) input.readByte();
            Array.set(values, i, readScalar(input, letter));
        }
        return Tensor.create(values, dimensions, indices, (ClassTag) ClassTag$.MODULE$.apply(kind));
    }

    private static Class elements(char base) {
        switch (base) {
            case 'z':
                return boolean.class;
            case 'b':
                return byte.class;
            case 's':
                return short.class;
            case 'i':
                return int.class;
            case 'l':
                return long.class;
            case 'f':
                return float.class;
            case 'd':
                return double.class;
            case 't':
                return String.class;
            default:
                return ByteString.class;
        }
    }

    private static Seq seq(List values) {
        return WrappedArray.make(values.toArray());
    }

    static void writeValue(DataOutputStream output, Object value) throws IOException {
        if (value instanceof Option) {
            Option option = (Option) value;
            writeValue(output, option.isEmpty() ? null : option.get());
        } else if (value instanceof Seq) {
            Seq values = (Seq) value;
            output.writeByte('L');
            output.writeInt(values.size());
            for (Iterator each = values.iterator(); each.hasNext(); ) {
                writeValue(output, each.next());
            }
        } else if (value instanceof scala.collection.Map) {
            scala.collection.Map map = (scala.collection.Map) value;
            output.writeByte('M');
            output.writeInt(map.size());
            for (Iterator each = map.iterator(); each.hasNext(); ) {
                Tuple2 pair = (Tuple2) each.next();
                writeValue(output, pair._1());
                writeValue(output, pair._2());
            }
        } else if (value instanceof Tensor) {
            writeTensor(output, (Tensor) value);
        } else {
            char letter = letter(value);
            output.writeByte(letter);
            writeScalar(output, letter, value);
        }
    }

    private static void writeTensor(DataOutputStream output, Tensor tensor) throws IOException {
        Object values = tensor.rawValues();
        Class kind = values.getClass().getComponentType();
        char base = baseOf(kind);
        output.writeByte(tensor.isSparse() ? 'P' : 'D');
        output.writeByte(base);
        writeInts(output, tensor.dimensions(), true);
        int stored = Array.getLength(values);
        output.writeInt(stored);
        if (tensor.isSparse()) {
            for (Iterator each = ((SparseTensor) tensor).indices().iterator(); each.hasNext(); ) {
                writeInts(output, (Seq) each.next(), false);
            }
        }
        for (int i = 0; i < stored; i++) {
            Object element = Array.get(values, i);
            if (kind.isPrimitive()) {
                writeScalar(output, base, element);
            } else {
                writeValue(output, element);
            }
        }
    }

    private static void writeInts(DataOutputStream output, Seq numbers, boolean count) throws IOException {
        if (count) {
            output.writeInt(numbers.size());
        }
        for (Iterator each = numbers.iterator(); each.hasNext(); ) {
            output.writeInt((Integer) each.next());
        }
    }

    private static char baseOf(Class kind) {
        for (char base : "zbsilfdty".toCharArray()) {
            if (elements(base) == kind) {
                return base;
            }
        }
        throw new IllegalArgumentException("a tensor of " + kind);
    }

    private static char letter(Object value) {
        if (value == null) {
            return 'N';
        } else if (value instanceof Boolean) {
            return 'z';
        } else if (value instanceof Byte) {
            return 'b';
        } else if (value instanceof Short) {
            return 's';
        } else if (value instanceof Integer) {
            return 'i';
        } else if (value instanceof Long) {
            return 'l';
        } else if (value instanceof Float) {
            return 'f';
        } else if (value instanceof Double) {
            return 'd';
        } else if (value instanceof String) {
            return 't';
        } else if (value instanceof ByteString) {
            return 'y';
        }
        return 'O';
    }

    private static void writeScalar(DataOutputStream output, char letter, Object value) throws IOException {
        switch (letter) {
            case 'N':
                break;
            case 'z':
                output.writeBoolean((Boolean) value);
                break;
            case 'b':
                output.writeByte((Byte) value);
                break;
            case 's':
                output.writeShort((Short) value);
                break;
            case 'i':
                output.writeInt((Integer) value);
                break;
            case 'l':
                output.writeLong((Long) value);
                break;
            case 'f':
                output.writeInt(Float.floatToRawIntBits((Float) value));
                break;
            case 'd':
                output.writeLong(Double.doubleToRawLongBits((Double) value));
                break;
            case 'y':
                byte[] bytes = ((ByteString) value).bytes();
                output.writeInt(bytes.length);
                output.write(bytes);
                break;
            default:
                writeText(output, String.valueOf(value));
        }
    }
}
