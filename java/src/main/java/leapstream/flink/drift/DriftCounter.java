package leapstream.flink.drift;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.types.Row;

/**
 * Counts the rows of a subtask in the bins of their windows, in place. It gives the counts of a window when it ends, before each
 * checkpoint, so that it has no state of its own, and when no more rows come. In processing time it also says when a window has
 * ended, by watermarks.
 */
final class DriftCounter extends AbstractStreamOperator
        implements OneInputStreamOperator, ProcessingTimeService.ProcessingTimeCallback {

    private static final long serialVersionUID = 1L;

    private final DriftStream settings;
    private final int[] positions;
    private final int versionPosition;

    private transient KnownBins known;
    private transient Sample sample;
    private transient List parts;
    private transient Part last;
    private transient long watermark;
    private transient long window;
    private transient Counter late;

    /**
     * @param settings what is counted
     * @param positions the fields of the columns in a row
     * @param versionPosition the field of the version, or -1
     */
    DriftCounter(DriftStream settings, int[] positions, int versionPosition) {
        this.settings = settings;
        this.positions = positions;
        this.versionPosition = versionPosition;
    }

    @Override
    public void open() throws Exception {
        super.open();
        known = new KnownBins(null);
        sample = new Sample(settings.sample, getRuntimeContext().getTaskInfo().getIndexOfThisSubtask());
        parts = new ArrayList();
        last = null;
        watermark = Long.MIN_VALUE;
        late = late(getMetricGroup());
        if (!settings.eventTime) {
            awaitEnd(getProcessingTimeService().getCurrentProcessingTime());
        }
    }

    /** The counter of the rows that come after their window. */
    static Counter late(MetricGroup group) {
        return group.addGroup("leapstream").counter("lateDriftRows");
    }

    @Override
    public void processElement(StreamRecord record) throws Exception {
        if (!sample.next()) {
            return;
        }
        Row row = (Row) record.getValue();
        Object version = versionPosition < 0 ? settings.version : row.getField(versionPosition);
        if (version == null) {
            return;
        }
        long time = settings.eventTime ? time(record) : window;
        Part part = last;
        if (part == null || time < part.start || time >= part.end || !version.equals(part.version)) {
            part = part(time, version.toString());
            if (part == null) {
                return;
            }
            last = part;
        }
        part.bins.count(row, positions, part.counts);
    }

    private static long time(StreamRecord record) {
        if (!record.hasTimestamp()) {
            throw new IllegalStateException("drift_stream: a row has no time stamp; assign time stamps and watermarks,"
                    + " or count by the time at which rows are processed");
        }
        return record.getTimestamp();
    }

    /** The part for rows of a time and version; null for a row whose window is over. */
    private Part part(long time, String version) throws IOException {
        long start = settings.start(time);
        if (start + settings.window - 1 <= watermark) {
            late.inc();
            return null;
        }
        for (int i = 0; i < parts.size(); i++) {
            Part part = (Part) parts.get(i);
            if (part.start == start && part.version.equals(version)) {
                return part;
            }
        }
        Part part =
                new Part(start, start + settings.window, version, known.bins(settings.uri, version, settings.columns));
        parts.add(part);
        return part;
    }

    /** Gives the counts of the windows that end before a time or at it. */
    private void emit(long until) {
        List open = new ArrayList();
        for (int i = 0; i < parts.size(); i++) {
            Part part = (Part) parts.get(i);
            if (part.end - 1 <= until) {
                output.collect(
                        new StreamRecord(Row.of(new Object[] {Long.valueOf(part.start), part.version, part.counts})));
            } else {
                open.add(part);
            }
        }
        parts = open;
        last = null;
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        if (settings.eventTime || mark.getTimestamp() == Long.MAX_VALUE) {
            watermark = mark.getTimestamp();
            emit(watermark);
            super.processWatermark(mark);
        }
    }

    @Override
    public void processWatermarkStatus(WatermarkStatus status) throws Exception {
        // Windows of processing time end without rows, too.
        if (settings.eventTime) {
            if (status.isIdle()) {
                // Others may end the window meanwhile.
                emit(Long.MAX_VALUE);
            }
            super.processWatermarkStatus(status);
        }
    }

    @Override
    public void onProcessingTime(long time) throws Exception {
        emit(time - 1);
        output.emitWatermark(new Watermark(time - 1));
        awaitEnd(Math.max(time, getProcessingTimeService().getCurrentProcessingTime()));
    }

    private void awaitEnd(long now) {
        window = settings.start(now);
        getProcessingTimeService().registerTimer(window + settings.window, this);
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpoint) throws Exception {
        emit(Long.MAX_VALUE);
    }

    @Override
    public void finish() throws Exception {
        emit(Long.MAX_VALUE);
        super.finish();
    }

    /** The counts of a window for a version. */
    private static final class Part {

        final long start;
        final long end;
        final String version;
        final VersionBins bins;
        final long[] counts;

        Part(long start, long end, String version, VersionBins bins) {
            this.start = start;
            this.end = end;
            this.version = version;
            this.bins = bins;
            counts = new long[bins.size()];
        }
    }
}
