package leapstream.bench;

import biz.k11i.xgboost.Predictor;
import biz.k11i.xgboost.util.FVec;
import com.microsoft.ml.lightgbm.SWIGTYPE_p_double;
import com.microsoft.ml.lightgbm.SWIGTYPE_p_int;
import com.microsoft.ml.lightgbm.SWIGTYPE_p_long_long;
import com.microsoft.ml.lightgbm.SWIGTYPE_p_p_void;
import com.microsoft.ml.lightgbm.SWIGTYPE_p_void;
import com.microsoft.ml.lightgbm.lightgbmlib;
import java.io.BufferedInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.List;
import leapstream.flink.ModelFunction;
import ml.dmlc.xgboost4j.java.Booster;
import ml.dmlc.xgboost4j.java.XGBoost;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;

/**
 * Libraries of boosted trees in one JVM, by turns, row by row. Arguments: the rows, a line each, elements separated by tabs; seconds
 * of a round; rounds; then for each library its name and its model: a file, or the class of leapstream's function.
 *
 * <p>Prints for each library the sum of its predictions, and for each round its nanoseconds of CPU time a row. Each library gets rows
 * in the form that it takes, made beforehand; leapstream's function gets what Flink gives it, a boxed number for each argument.
 */
public abstract class Boosted {
    private static final int FEWEST = 1000;

    public static void main(String[] arguments) throws Exception {
        List lines = Files.readAllLines(Paths.get(arguments[0]));
        double[][] rows = new double[lines.size()][];
        for (int i = 0; i < rows.length; i++) {
            String[] texts = ((String) lines.get(i)).split("\t");
            rows[i] = new double[texts.length];
            for (int j = 0; j < texts.length; j++) {
                rows[i][j] = Double.parseDouble(texts[j]);
            }
        }
        double seconds = Double.parseDouble(arguments[1]);
        int rounds = Integer.parseInt(arguments[2]);
        Boosted[] libraries = new Boosted[(arguments.length - 3) / 2];
        for (int k = 0; k < libraries.length; k++) {
            libraries[k] = of(arguments[3 + 2 * k], arguments[4 + 2 * k], rows);
            double sum = 0;
            for (int i = 0; i < rows.length; i++) {
                sum += libraries[k].predict(i);
            }
            System.out.println("sum " + k + " " + sum);
            libraries[k].nanos(rows.length, 2 * seconds);
        }
        for (int round = 0; round < rounds; round++) {
            for (int k = 0; k < libraries.length; k++) {
                System.out.println("round " + k + " " + libraries[k].nanos(rows.length, seconds));
            }
        }
    }

    private static Boosted of(String name, String model, double[][] rows) throws Exception {
        if (name.equals("leapstream")) {
            return new Leapstream(model, rows);
        }
        if (name.equals("xgboost-predictor")) {
            return new BarePredictor(model, rows);
        }
        return name.equals("xgboost4j") ? (Boosted) new Xgboost4j(model, rows) : (Boosted) new LightGbm(model, rows);
    }

    /** The prediction of a row. */
    abstract double predict(int row) throws Exception;

    /** Nanoseconds of CPU time a row, over as many rows as fill some seconds. */
    private double nanos(int rows, double seconds) throws Exception {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long start = threads.getCurrentThreadCpuTime();
        long end = start + (long) (seconds * 1e9);
        long now = start;
        long done = 0;
        double sum = 0;
        while (now < end) {
            for (int i = 0; i < FEWEST; i++) {
                sum += predict((int) (done++ % rows));
            }
            now = threads.getCurrentThreadCpuTime();
        }
        if (Double.isNaN(sum)) {
            throw new IllegalStateException("a prediction is NaN");
        }
        return (double) (now - start) / done;
    }

    private static float[][] singles(double[][] rows) {
        float[][] singles = new float[rows.length][rows[0].length];
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < rows[i].length; j++) {
                singles[i][j] = (float) rows[i][j];
            }
        }
        return singles;
    }

    private static final class Leapstream extends Boosted {
        private final ModelFunction function;
        private final Object[][] given;

        Leapstream(String className, double[][] rows) throws Exception {
            function = (ModelFunction) Class.forName(className).getDeclaredConstructor(new Class[0]).newInstance(new Object[0]);
            function.open(new UnregisteredMetricsGroup());
            given = new Object[rows.length][rows[0].length];
            for (int i = 0; i < rows.length; i++) {
                for (int j = 0; j < rows[i].length; j++) {
                    given[i][j] = Double.valueOf(rows[i][j]);
                }
            }
        }

        double predict(int row) {
            return ((Double) function.call(given[row])).doubleValue();
        }
    }

    private static final class BarePredictor extends Boosted {
        private final Predictor predictor;
        private final FVec[] given;

        BarePredictor(String file, double[][] rows) throws Exception {
            InputStream in = new BufferedInputStream(new FileInputStream(new File(file)));
            predictor = new Predictor(in);
            in.close();
            float[][] singles = singles(rows);
            given = new FVec[rows.length];
            for (int i = 0; i < rows.length; i++) {
                given[i] = FVec.Transformer.fromArray(singles[i], false);
            }
        }

        double predict(int row) {
            return predictor.predictSingle(given[row]);
        }
    }

    private static final class Xgboost4j extends Boosted {
        private final Booster booster;
        private final float[][] given;

        Xgboost4j(String file, double[][] rows) throws Exception {
            booster = XGBoost.loadModel(file);
            booster.setParam("nthread", Integer.valueOf(1));
            given = singles(rows);
        }

        double predict(int row) throws Exception {
            return booster.inplace_predict(given[row], 1, given[row].length, Float.NaN)[0][0];
        }
    }

    private static final class LightGbm extends Boosted {
        // The library's own constants need its C++ code where this class is compiled.
        private static final int PREDICT_NORMAL = 0;
        private static final int FLOAT64 = 1;

        private final SWIGTYPE_p_void booster;
        private final SWIGTYPE_p_void configuration;
        private final SWIGTYPE_p_long_long length;
        private final SWIGTYPE_p_double found;
        private final double[][] given;

        LightGbm(String file, double[][] rows) throws Exception {
            String folder = "/com/microsoft/ml/lightgbm/linux/x86_64/";
            load(folder + "lib_lightgbm.so");
            load(folder + "lib_lightgbm_swig.so");
            length = lightgbmlib.new_int64_tp();
            found = lightgbmlib.new_doubleArray(1);
            SWIGTYPE_p_p_void handle = lightgbmlib.voidpp_handle();
            SWIGTYPE_p_int iterations = lightgbmlib.new_intp();
            check(lightgbmlib.LGBM_BoosterCreateFromModelfile(file, iterations, handle));
            booster = lightgbmlib.voidpp_value(handle);
            SWIGTYPE_p_p_void fast = lightgbmlib.voidpp_handle();
            check(lightgbmlib.LGBM_BoosterPredictForMatSingleRowFastInit(booster, PREDICT_NORMAL, 0, -1, FLOAT64,
                rows[0].length, "num_threads=1", fast));
            configuration = lightgbmlib.voidpp_value(fast);
            given = rows;
        }

        private static void load(String resource) throws Exception {
            File copy = File.createTempFile("leapstream-bench", ".so");
            copy.deleteOnExit();
            InputStream in = LightGbm.class.getResourceAsStream(resource);
            Files.copy(in, copy.toPath(), new java.nio.file.CopyOption[] {java.nio.file.StandardCopyOption.REPLACE_EXISTING});
            in.close();
            System.load(copy.getPath());
        }

        private static void check(int status) {
            if (status != 0) {
                throw new IllegalStateException(lightgbmlib.LGBM_GetLastError());
            }
        }

        double predict(int row) {
            check(lightgbmlib.LGBM_BoosterPredictForMatSingleRowFastCriticalSWIG(given[row], configuration, length, found));
            return lightgbmlib.doubleArray_getitem(found, 0);
        }
    }
}
