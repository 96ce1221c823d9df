package leapstream.mleap;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import ml.combust.mleap.core.types.StructField;
import ml.combust.mleap.core.types.StructType;
import ml.combust.mleap.runtime.MleapContext;
import ml.combust.mleap.runtime.frame.DefaultLeapFrame;
import ml.combust.mleap.runtime.frame.Row;
import ml.combust.mleap.runtime.frame.RowTransformer;
import ml.combust.mleap.runtime.frame.Transformer;
import ml.combust.mleap.runtime.javadsl.BundleBuilder;
import ml.combust.mleap.runtime.javadsl.ContextBuilder;
import ml.combust.mleap.runtime.javadsl.LeapFrameBuilder;
import scala.collection.Seq;

/**
 * MLeap's runtime as a process: it reads requests from standard input, and writes an answer to each to standard output.
 *
 * <p>A request is the path of a bundle, a byte that is 1 for MLeap's row transformer instead of its frames, the fields of a frame and its
 * rows. The answer is the byte 0 and a text if MLeap does not load the bundle; otherwise the byte 1, and for each row a byte: 0 and a text
 * (the row fails), 1 (the row is dropped), 2 and the names and values of the columns that the bundle adds. {@link Codec} has the encoding
 * of fields and values. Each row is a frame of its own.
 */
public final class Runner {
    private static final LeapFrameBuilder BUILDER = new LeapFrameBuilder();

    private final MleapContext context = new ContextBuilder().createMleapContext();

    private Runner() {}

    public static void main(String[] arguments) throws IOException {
        DataInputStream input = new DataInputStream(new BufferedInputStream(System.in));
        DataOutputStream output =
                new DataOutputStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16));
        // A library that prints does not damage an answer.
        System.setOut(System.err);
        Runner runner = new Runner();
        while (true) {
            String bundle;
            try {
                bundle = Codec.readText(input);
            } catch (EOFException end) {
                return;
            }
            boolean byRow = input.readBoolean();
            StructField[] fields = Codec.readFields(input);
            Object[][] rows = new Object[input.readInt()][fields.length];
            for (Object[] row : rows) {
                for (int i = 0; i < row.length; i++) {
                    row[i] = Codec.readValue(input);
                }
            }
            runner.answer(bundle, fields, rows, byRow, output);
            output.flush();
        }
    }

    private void answer(String bundle, StructField[] fields, Object[][] rows, boolean byRow, DataOutputStream output)
            throws IOException {
        Transformer transformer;
        StructType schema;
        try {
            transformer = (Transformer)
                    new BundleBuilder().load(new File(bundle), context).root();
            schema = BUILDER.createSchema(List.of(fields));
        } catch (Throwable failure) {
            output.writeByte(0);
            Codec.writeText(output, text(failure));
            return;
        }
        output.writeByte(1);
        for (Object[] row : rows) {
            // Nothing of a row is written before all of it is encoded.
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            try {
                writeRow(transformer, schema, row, byRow, new DataOutputStream(answer));
            } catch (Throwable failure) {
                answer.reset();
                DataOutputStream failed = new DataOutputStream(answer);
                failed.writeByte(0);
                Codec.writeText(failed, text(failure));
            }
            answer.writeTo(output);
        }
    }

    private static void writeRow(
            Transformer transformer, StructType schema, Object[] values, boolean byRow, DataOutputStream output)
            throws IOException {
        Row given = BUILDER.createRowFromIterable(Arrays.asList(values));
        StructType added;
        Row row;
        if (byRow) {
            RowTransformer way = (RowTransformer)
                    transformer.transform(RowTransformer.apply(schema)).get();
            added = way.outputSchema();
            row = way.transform(given);
        } else {
            DefaultLeapFrame frame = BUILDER.createFrame(schema, List.of(given));
            DefaultLeapFrame found =
                    (DefaultLeapFrame) transformer.transform(frame).get();
            added = found.schema();
            row = found.dataset().isEmpty() ? null : (Row) found.dataset().head();
        }
        if (row == null) {
            output.writeByte(1);
            return;
        }
        output.writeByte(2);
        List<StructField> fields = new ArrayList<>();
        Seq all = added.fields();
        for (int i = values.length; i < all.size(); i++) {
            fields.add((StructField) all.apply(i));
        }
        output.writeInt(fields.size());
        for (int i = 0; i < fields.size(); i++) {
            Codec.writeText(output, fields.get(i).name());
            Codec.writeValue(output, row.getRaw(values.length + i));
        }
    }

    /** The class and the message of the innermost exception. */
    private static String text(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        return cause.toString();
    }
}
