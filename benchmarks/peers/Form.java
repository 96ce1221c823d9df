package leapstream.bench;

import java.io.File;

import ml.combust.mleap.core.regression.LinearRegressionModel;
import ml.combust.mleap.core.regression.RandomForestRegressionModel;
import ml.combust.mleap.core.types.StructField;
import ml.combust.mleap.core.types.StructType;
import ml.combust.mleap.runtime.MleapContext;
import ml.combust.mleap.runtime.frame.ArrayRow;
import ml.combust.mleap.runtime.frame.DefaultLeapFrame;
import ml.combust.mleap.runtime.frame.Row;
import ml.combust.mleap.runtime.frame.RowTransformer;
import ml.combust.mleap.runtime.frame.Transformer;
import ml.combust.mleap.runtime.javadsl.BundleBuilder;
import ml.combust.mleap.runtime.javadsl.ContextBuilder;
import ml.combust.mleap.runtime.transformer.Pipeline;
import ml.combust.mleap.tensor.DenseTensor;
import org.apache.spark.ml.linalg.DenseVector;
import org.apache.spark.ml.linalg.Vector;
import scala.collection.Seq;
import scala.collection.mutable.WrappedArray;

/** A bundle in MLeap's own runtime, and the forms in which rows can be given to it. Nothing is done per row that could be done once. */
public final class Form {
    private static final Seq ONE_DIMENSION_OF_3 = WrappedArray.make(new Object[] {Integer.valueOf(3)});

    private final Transformer transformer;
    private final StructType schema;
    private final RowTransformer prepared;
    private final int output;
    private LinearRegressionModel linear;
    private RandomForestRegressionModel forest;

    /**
     * Loads a bundle.
     *
     * @param inputs the columns of the rows to come, in their order
     * @param prediction the column wanted
     */
    public Form(String bundle, String[] inputs, String prediction) {
        MleapContext context = new ContextBuilder().createMleapContext();
        transformer = (Transformer) new BundleBuilder().load(new File(bundle), context).root();
        Object[] fields = new Object[inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            fields[i] = transformer.inputSchema().getField(inputs[i]).get();
        }
        schema = (StructType) StructType.apply((Seq) WrappedArray.make(fields)).get();
        prepared = (RowTransformer) transformer.transform(RowTransformer.apply(schema)).get();
        output = ((Integer) prepared.outputSchema().indexOf(prediction).get()).intValue();
        Transformer last = transformer;
        if (last instanceof Pipeline) {
            last = (Transformer) ((Pipeline) last).transformers().last();
        }
        if (last.model() instanceof LinearRegressionModel) {
            linear = (LinearRegressionModel) last.model();
        } else if (last.model() instanceof RandomForestRegressionModel) {
            forest = (RandomForestRegressionModel) last.model();
        }
    }

    /** A row of values, boxed as MLeap wants them. */
    public static ArrayRow row(Object[] values) {
        return new ArrayRow((WrappedArray) WrappedArray.make(values));
    }

    /** A tensor of three elements. */
    public static DenseTensor tensor(double a, double b, double c) {
        return new DenseTensor(new double[] {a, b, c}, ONE_DIMENSION_OF_3, scala.reflect.ClassTag$.MODULE$.Double());
    }

    /** A leap frame of the given rows. */
    public DefaultLeapFrame frame(Object[] rows) {
        return new DefaultLeapFrame(schema, (Seq) WrappedArray.make(rows));
    }

    /** A whole leap frame with the columns that the model adds. */
    public DefaultLeapFrame transformed(DefaultLeapFrame frame) {
        return (DefaultLeapFrame) transformer.transform(frame).get();
    }

    /** A whole leap frame at once: the sum of the predictions. */
    public double sumOfFrame(DefaultLeapFrame frame) {
        Seq rows = transformed(frame).dataset();
        double sum = 0.0;
        int size = rows.size();
        for (int i = 0; i < size; i++) {
            sum += ((Row) rows.apply(i)).getDouble(output);
        }
        return sum;
    }

    /** A leap frame of one row. */
    public double byFrame(ArrayRow row) {
        return sumOfFrame(frame(new Row[] {row}));
    }

    /** The row transformer that was made when the bundle was loaded. */
    public double byRow(ArrayRow row) {
        return prepared.transform(row).getDouble(output);
    }

    /** The last model alone, over assembled features; not for pipelines that do more than assemble. */
    public double bare(Vector features) {
        return linear != null ? linear.apply(features) : forest.apply(features);
    }

    /** Assembled features. */
    public static Vector vector(double a, double b, double c) {
        return new DenseVector(new double[] {a, b, c});
    }
}
