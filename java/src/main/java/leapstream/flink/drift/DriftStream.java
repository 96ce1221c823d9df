package leapstream.flink.drift;

import java.io.Serializable;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.transformations.PartitionTransformation;

/** The drift of the rows of a stream, in tumbling windows. Each subtask counts its rows in place. */
public final class DriftStream implements Serializable {

    private static final long serialVersionUID = 1L;

    private static final String[] NAMES = {
        "window_start",
        "window_end",
        "model",
        "version",
        "side",
        "feature",
        "psi",
        "missing_rate",
        "missing_rate_in_training",
        "rows"
    };

    final String uri;
    final String version;
    final String columns;
    final long window;
    final boolean eventTime;
    final double sample;

    /**
     * @param uri the model in its store, STORE/NAME
     * @param version the version whose profile rows are compared with, unless they have one themselves
     * @param columns the names of the columns, with commas between them
     * @param seconds the length of a window
     * @param eventTime whether windows are those of the rows' time stamps
     * @param sample the share of rows that are counted
     */
    public DriftStream(String uri, String version, String columns, Integer seconds, Boolean eventTime, Double sample) {
        this.uri = uri;
        this.version = version;
        this.columns = columns;
        window = 1000L * seconds.intValue();
        this.eventTime = eventTime.booleanValue();
        this.sample = sample.doubleValue();
    }

    /** The beginning of the window of a time. */
    long start(long time) {
        return Math.floorDiv(time, window) * window;
    }

    /**
     * The drift of each window: a row for each column.
     *
     * @param rows the stream
     * @param fields the names of its rows' fields, in order
     * @param versionField the field of the version of a row; null where all rows are of one
     */
    public DataStream of(DataStream rows, String[] fields, String versionField) {
        String[] names = DriftCounts.split(columns);
        int[] positions = new int[names.length];
        for (int i = 0; i < names.length; i++) {
            positions[i] = position(fields, names[i]);
        }
        int versionPosition = versionField == null ? -1 : position(fields, versionField);
        TypeInformation parts = Types.ROW(
                new TypeInformation[] {Types.LONG, Types.STRING, PrimitiveArrayTypeInfo.LONG_PRIMITIVE_ARRAY_TYPE_INFO
                });
        TypeInformation drift = Types.ROW_NAMED(NAMES, new TypeInformation[] {
            Types.LONG,
            Types.LONG,
            Types.STRING,
            Types.STRING,
            Types.STRING,
            Types.STRING,
            Types.DOUBLE,
            Types.DOUBLE,
            Types.DOUBLE,
            Types.LONG
        });
        // Without a partitioner it is the stream itself, under a type of its own.
        Transformation shared = new PartitionTransformation(rows.getTransformation(), null);
        shared.setOutputType(new SharedRows(rows.getType()));
        return new DataStream(rows.getExecutionEnvironment(), shared)
                .transform("drift-count", parts, new DriftCounter(this, positions, versionPosition))
                // Of another parallelism, the rows would be sent to other subtasks.
                .setParallelism(rows.getParallelism())
                .keyBy(new DriftWindows.Key(), Types.STRING)
                .process(new DriftWindows(this), drift)
                .name("drift");
    }

    private static int position(String[] fields, String name) {
        for (int i = 0; i < fields.length; i++) {
            if (fields[i].equals(name)) {
                return i;
            }
        }
        throw new IllegalArgumentException("the rows have no field '" + name + "'");
    }
}
