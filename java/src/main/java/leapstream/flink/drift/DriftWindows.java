package leapstream.flink.drift;

import java.io.IOException;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.PrimitiveArrayTypeInfo;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;

/**
 * Adds up the counts of a window from all subtasks, and gives a row for each column when it has ended. A window has one answer:
 * what comes after it, from a subtask that was idle and is behind the others, counts as late.
 */
final class DriftWindows extends KeyedProcessFunction {

    private static final long serialVersionUID = 1L;

    private static final ValueStateDescriptor COUNTS =
            new ValueStateDescriptor("leapstream-drift", PrimitiveArrayTypeInfo.LONG_PRIMITIVE_ARRAY_TYPE_INFO);

    private final DriftStream settings;
    private transient KnownBins known;
    private transient ValueState counts;
    private transient Counter late;

    DriftWindows(DriftStream settings) {
        this.settings = settings;
    }

    @Override
    public void open(OpenContext context) throws Exception {
        known = new KnownBins(getRuntimeContext().getMetricGroup());
        counts = getRuntimeContext().getState(COUNTS);
        late = DriftCounter.late(getRuntimeContext().getMetricGroup());
    }

    @Override
    public void processElement(Object value, KeyedProcessFunction.Context context, Collector out) throws Exception {
        Row part = (Row) value;
        long last = ((Long) part.getField(0)).longValue() + settings.window - 1;
        long[] more = (long[]) part.getField(2);
        if (last <= context.timerService().currentWatermark()) {
            late.inc(bins((String) part.getField(1)).rowsOf(more));
            return;
        }
        long[] sum = (long[]) counts.value();
        if (sum == null) {
            sum = (long[]) more.clone();
            context.timerService().registerEventTimeTimer(last);
        } else {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += more[i];
            }
        }
        counts.update(sum);
    }

    @Override
    public void onTimer(long time, KeyedProcessFunction.OnTimerContext context, Collector out) throws Exception {
        String key = (String) context.getCurrentKey();
        String version = key.substring(key.indexOf(' ') + 1);
        Row[] rows = bins(version).rows((long[]) counts.value());
        for (int i = 0; i < rows.length; i++) {
            Row row = new Row(2 + rows[i].getArity());
            row.setField(0, Long.valueOf(time + 1 - settings.window));
            row.setField(1, Long.valueOf(time + 1));
            for (int j = 0; j < rows[i].getArity(); j++) {
                row.setField(2 + j, rows[i].getField(j));
            }
            out.collect(row);
        }
        counts.clear();
    }

    private VersionBins bins(String version) throws IOException {
        return known.bins(settings.uri, version, settings.columns);
    }

    /** The window of a part's counts, and its version. */
    static final class Key implements KeySelector {

        private static final long serialVersionUID = 1L;

        @Override
        public Object getKey(Object part) {
            return ((Row) part).getField(0) + " " + ((Row) part).getField(1);
        }
    }
}
