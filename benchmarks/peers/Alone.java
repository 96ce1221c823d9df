package leapstream.bench;

import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.List;

import ml.combust.mleap.runtime.frame.ArrayRow;
import ml.combust.mleap.runtime.frame.DefaultLeapFrame;
import ml.combust.mleap.runtime.frame.Row;
import org.apache.spark.ml.linalg.Vector;

/**
 * MLeap outside of Flink. Arguments: bundle, data, prediction's column, form (frame1, row, frame, bare), seconds of warm-up, seconds of a
 * round, rounds. The data: a line of <code>name:type</code> (string, double or tensor), then a line a row, separated by tabs; a
 * tensor's elements by spaces.
 *
 * <p>Prints the milliseconds from the start of the JVM to the loaded bundle, those to the first prediction, the sum of the predictions,
 * and for each round the nanoseconds a row.
 */
public final class Alone {
    private final Form form;
    private final String kind;
    private final ArrayRow[] rows;
    private final Vector[] vectors;
    private final DefaultLeapFrame frame;

    private Alone(Form form, String kind, ArrayRow[] rows, Vector[] vectors) {
        this.form = form;
        this.kind = kind;
        this.rows = rows;
        this.vectors = vectors;
        this.frame = form.frame((Row[]) rows);
    }

    public static void main(String[] arguments) throws Exception {
        List lines = Files.readAllLines(Paths.get(arguments[1]), StandardCharsets.UTF_8);
        String[] header = ((String) lines.get(0)).split("\t");
        String[] names = new String[header.length];
        String[] types = new String[header.length];
        for (int i = 0; i < header.length; i++) {
            int colon = header[i].lastIndexOf(':');
            names[i] = header[i].substring(0, colon);
            types[i] = header[i].substring(colon + 1);
        }
        Form form = new Form(arguments[0], names, arguments[2]);
        System.out.println("loaded " + sinceStart());
        ArrayRow[] rows = new ArrayRow[lines.size() - 1];
        Vector[] vectors = new Vector[rows.length];
        for (int i = 0; i < rows.length; i++) {
            String[] texts = ((String) lines.get(i + 1)).split("\t", -1);
            rows[i] = Form.row(values(texts, types));
            vectors[i] = vector(texts, types);
        }
        form.byRow(rows[0]);
        System.out.println("first " + sinceStart());
        Alone alone = new Alone(form, arguments[3], rows, vectors);
        System.out.println("sum " + alone.pass());
        alone.run(Double.parseDouble(arguments[4]));
        int rounds = Integer.parseInt(arguments[6]);
        for (int round = 0; round < rounds; round++) {
            System.out.println("round " + alone.run(Double.parseDouble(arguments[5])));
        }
    }

    private static long sinceStart() {
        return System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime();
    }

    private static Object[] values(String[] texts, String[] types) {
        Object[] values = new Object[texts.length];
        for (int i = 0; i < texts.length; i++) {
            if (types[i].equals("double")) {
                values[i] = Double.valueOf(texts[i]);
            } else if (types[i].equals("tensor")) {
                double[] x = numbers(texts[i].split(" "));
                values[i] = Form.tensor(x[0], x[1], x[2]);
            } else {
                values[i] = texts[i];
            }
        }
        return values;
    }

    /** The features that a bare model takes, where all columns are numbers. */
    private static Vector vector(String[] texts, String[] types) {
        if (types[0].equals("string")) {
            return null;
        }
        double[] x = numbers(types[0].equals("tensor") ? texts[0].split(" ") : texts);
        return Form.vector(x[0], x[1], x[2]);
    }

    private static double[] numbers(String[] texts) {
        double[] numbers = new double[texts.length];
        for (int i = 0; i < texts.length; i++) {
            numbers[i] = Double.parseDouble(texts[i]);
        }
        return numbers;
    }

    /** Nanoseconds a row, over as many passes as fill some seconds. */
    private double run(double seconds) {
        long start = System.nanoTime();
        long end = start + (long) (seconds * 1e9);
        long now = start;
        long passes = 0;
        double sum = 0.0;
        while (now < end) {
            sum += pass();
            passes++;
            now = System.nanoTime();
        }
        if (Double.isNaN(sum)) {
            throw new IllegalStateException("a prediction is NaN");
        }
        return (double) (now - start) / passes / rows.length;
    }

    /** The sum of the predictions of all rows. */
    private double pass() {
        if (kind.equals("frame")) {
            return form.sumOfFrame(frame);
        }
        double sum = 0.0;
        if (kind.equals("row")) {
            for (int i = 0; i < rows.length; i++) {
                sum += form.byRow(rows[i]);
            }
        } else if (kind.equals("bare")) {
            for (int i = 0; i < rows.length; i++) {
                sum += form.bare(vectors[i]);
            }
        } else {
            for (int i = 0; i < rows.length; i++) {
                sum += form.byFrame(rows[i]);
            }
        }
        return sum;
    }
}
