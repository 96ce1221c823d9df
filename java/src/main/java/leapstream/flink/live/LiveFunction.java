package leapstream.flink.live;

import java.io.IOException;
import java.math.BigDecimal;
import java.time.temporal.Temporal;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import leapstream.flink.ModelFunction;
import leapstream.flink.ModelMetrics;
import leapstream.flink.ModelSignature;
import leapstream.runtime.PredictionException;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * A function whose model comes from a store, and changes between two rows when the store has another version.
 *
 * Its outputs are those of the model, and also {@code model_version}, the version that computed the row; and, of the first
 * shadow of the alias, {@code shadow_} with the name of an output, {@code shadow_version} and {@code shadow_error}.
 */
public abstract class LiveFunction extends ModelFunction {

    /** The output with the version that computed the row. */
    public static final String MODEL_VERSION = "model_version";

    /** The beginning of the names of a shadow's outputs. */
    public static final String SHADOW = "shadow_";

    private static final long serialVersionUID = 1L;

    private static final int FROM_VERSION = -1;
    private static final int FROM_SHADOW_VERSION = -2;
    private static final int FROM_SHADOW_ERROR = -3;
    private static final int FROM_ERROR = -4;
    private static final int FROM_SHADOW = 1 << 16;

    /** The versions whose metrics stay, of those that are not live any more. */
    private static final int REMEMBERED = 4;

    private transient LiveModel source;

    // Rows read these, and nothing that other threads write, so that they never wait for a lock.
    private transient Instances entered;
    private transient Selection selection;
    private transient ModelFunction[] models;
    private transient ModelFunction model;
    private transient MetricGroup group;
    private transient String version;
    private transient String error;
    private transient int[] places;
    private transient int[] order;
    private transient Object[] given;
    private transient int key;
    private transient volatile long switchNanos;

    /** The instances from the next row on, if they are others than those of the last row. */
    private transient AtomicReference ready;

    /** Instances that no row will use. */
    private transient ConcurrentLinkedQueue left;

    // Whoever has the lock of the live model reads and writes these.
    private transient Instances latest;
    private transient Map measured;

    // The first shadow's results for the last row.
    private transient ModelFunction shadow;
    private transient String shadowVersion;
    private transient Object shadowFound;
    private transient String shadowError;

    /** The instances of a subtask for the versions that are live between two changes. */
    static final class Instances {

        final LiveModel.Live live;
        final ModelFunction[] models;

        Instances(LiveModel.Live live, ModelFunction[] models) {
            this.live = live;
            this.models = models;
        }

        /** The instance of a version; null if there is none. */
        ModelFunction of(LiveVersion version) {
            for (int i = 0; i < models.length; i++) {
                if (live.versions[i] == version) {
                    return models[i];
                }
            }
            return null;
        }
    }

    /** The model of the store. */
    protected abstract StoredModel stored();

    /** The signature that all versions have, as {@link #signatureOf} writes it. */
    protected abstract String storedSignature();

    /** The argument by which rows are split among the versions of an alias; null without one. */
    protected abstract String splitKey();

    /** The output with the error of a row that fails; null without one. */
    protected String errorOutput() {
        return null;
    }

    /** The inputs and outputs of a stored model, with their types. */
    static String signatureOf(ModelFunction function) {
        ModelSignature signature = function.signature();
        StringBuilder text = new StringBuilder("(");
        String[] names = signature.names();
        for (int i = 0; i < names.length; i++) {
            text.append(i == 0 ? "" : ", ")
                    .append(names[i])
                    .append(' ')
                    .append(signature.type(i, names.length).asSummaryString());
        }
        text.append(") -> (");
        for (int i = 0; i < function.outputCount(); i++) {
            text.append(i == 0 ? "" : ", ")
                    .append(function.outputName(i))
                    .append(' ')
                    .append(function.outputType(i).asSummaryString());
        }
        return text.append(')').toString();
    }

    /** False: another version gives other results, so that a row that is retracted need not be the one that was added. */
    @Override
    public final boolean isDeterministic() {
        return false;
    }

    @Override
    protected String version() {
        return version;
    }

    @Override
    public String modelVersion() {
        return version;
    }

    @Override
    protected void load() {
        throw new IllegalStateException("a live model has no data of its own");
    }

    @Override
    public void open(MetricGroup parent) throws IOException {
        signature();
        open(parent, LiveModel.acquire(stored(), storedSignature()));
    }

    /** Opens the function over a live model, which it releases at its end. */
    final void open(MetricGroup parent, LiveModel opened) throws IOException {
        source = opened;
        group = parent;
        ready = new AtomicReference();
        left = new ConcurrentLinkedQueue();
        measured = new LinkedHashMap(16, 0.75f, true);
        MetricGroup own = parent.addGroup("leapstream").addGroup("store", stored().name());
        own.gauge("reloads", new Reading(this, 0));
        own.gauge("reloadFailures", new Reading(this, 1));
        own.gauge("swapMillis", new Reading(this, 2));
        own.gauge("switchMicros", new Reading(this, 3));
        own.gauge("versions", new Reading(this, 4));
        source.join(this);
        change();
        String[] names = outputs();
        places = new int[names.length];
        for (int i = 0; i < places.length; i++) {
            places[i] = place(names[i]);
        }
        String[] arguments = signature().names();
        String[] inputs = model.signature().names();
        order = new int[inputs.length];
        boolean same = arguments.length == inputs.length;
        for (int i = 0; i < inputs.length; i++) {
            order[i] = indexOf(arguments, inputs[i]);
            same = same && order[i] == i;
        }
        key = splitKey() == null ? -1 : indexOf(arguments, splitKey());
        given = same ? null : new Object[inputs.length];
    }

    private static int indexOf(String[] names, String name) {
        for (int i = 0; i < names.length; i++) {
            if (names[i].equals(name)) {
                return i;
            }
        }
        throw new IllegalStateException("there is no argument " + name);
    }

    /** The place of an output of the stored model, or the number of another output. */
    private int place(String name) {
        if (name.equals(errorOutput())) {
            return FROM_ERROR;
        }
        int place = model.outputNamed(name);
        if (place >= 0) {
            return place;
        }
        if (name.equals(MODEL_VERSION)) {
            return FROM_VERSION;
        }
        if (name.equals(SHADOW + "version")) {
            return FROM_SHADOW_VERSION;
        }
        if (name.equals(SHADOW + "error")) {
            return FROM_SHADOW_ERROR;
        }
        place = name.startsWith(SHADOW) ? model.outputNamed(name.substring(SHADOW.length())) : -1;
        if (place < 0) {
            throw new IllegalStateException("Model " + stored() + " has no output " + name);
        }
        return FROM_SHADOW + place;
    }

    @Override
    public void close() {
        if (source == null) {
            return;
        }
        source.leave(this);
        for (Iterator each = measured.values().iterator(); each.hasNext(); ) {
            ((ModelMetrics) each.next()).warnOfRest();
        }
        Instances unused = (Instances) ready.getAndSet(null);
        if (unused != null) {
            left.add(unused);
        }
        if (entered != null) {
            left.add(entered);
        }
        releaseLeft();
        entered = null;
        latest = null;
        models = null;
        model = null;
        source.release();
        source = null;
    }

    @Override
    public String kept(PredictionException failure) {
        return model.kept(failure);
    }

    @Override
    public void leaveRowsToCaller() {
        synchronized (source) {
            super.leaveRowsToCaller();
            for (int i = 0; i < models.length; i++) {
                models[i].leaveRowsToCaller();
            }
            for (int i = 0; i < latest.models.length; i++) {
                latest.models[i].leaveRowsToCaller();
            }
        }
    }

    @Override
    public Object call(Object[] arguments) {
        if (ready.get() == null) {
            return scored(arguments);
        }
        long began = System.nanoTime();
        change();
        try {
            return scored(arguments);
        } finally {
            switchNanos = System.nanoTime() - began;
        }
    }

    private Object scored(Object[] arguments) {
        error = null;
        int place = 0;
        if (selection.split > 1) {
            place = key < 0 || arguments[key] == null ? 0 : selection.place(keyText(arguments[key]));
        }
        model = models[place];
        version = selection.versions[place];
        Object[] inner = arguments;
        if (given != null) {
            for (int i = 0; i < order.length; i++) {
                given[i] = arguments[order[i]];
            }
            inner = given;
        }
        if (models.length > selection.split) {
            callShadows(inner);
        }
        Object found = model.call(inner);
        dropped = model.dropped();
        if (places.length == 1) {
            return output(found, 0, places[0]);
        }
        GenericRowData row = new GenericRowData(places.length);
        for (int i = 0; i < places.length; i++) {
            row.setField(i, output(found, i, places[i]));
        }
        return row;
    }

    /** The version and the outputs of the shadow. */
    @Override
    public Object resultOfFailed() {
        return missing(null);
    }

    /** The result of a row without a prediction: the version, NULLs, and the error where it is an output. */
    protected final Object missing(String text) {
        error = text;
        if (places.length == 1) {
            return null;
        }
        GenericRowData row = new GenericRowData(places.length);
        for (int i = 0; i < places.length; i++) {
            if (places[i] < 0 || places[i] >= FROM_SHADOW) {
                row.setField(i, output(null, i, places[i]));
            }
        }
        return row;
    }

    private Object output(Object found, int i, int place) {
        switch (place) {
            case FROM_VERSION:
                return BinaryStringData.fromString(version);
            case FROM_SHADOW_VERSION:
                return BinaryStringData.fromString(shadowVersion);
            case FROM_ERROR:
                return BinaryStringData.fromString(error);
            case FROM_SHADOW_ERROR:
                return BinaryStringData.fromString(shadowError);
            default:
                if (place < FROM_SHADOW) {
                    return dropped ? null : model.output(found, place);
                }
                return shadowFound == null ? null : shadow.output(shadowFound, place - FROM_SHADOW);
        }
    }

    /** Computes the row with the shadows too. Their failures concern nobody but those who read their columns and metrics. */
    private void callShadows(Object[] arguments) {
        for (int i = models.length - 1; i >= selection.split; i--) {
            shadow = models[i];
            shadowVersion = selection.versions[i];
            shadowError = null;
            shadowFound = null;
            try {
                Object found = shadow.call(arguments);
                shadowFound = shadow.dropped() ? null : found;
            } catch (PredictionException failure) {
                shadowError = failure.text();
            } catch (RuntimeException failure) {
                shadowError = failure.toString();
            }
        }
    }

    private static String keyText(Object key) {
        if (key instanceof BigDecimal) {
            return ((BigDecimal) key).toPlainString();
        }
        boolean converted = key instanceof Double || key instanceof Float || key instanceof Temporal;
        return converted ? toText(key) : key.toString();
    }

    // ---- versions ---------------------------------------------------------------------------------------------------

    /** Has rows use the instances that are ready. Everything else is done by the thread that looks at the store. */
    private void change() {
        Instances before = entered;
        entered = (Instances) ready.getAndSet(null);
        selection = entered.live.selection;
        models = entered.models;
        model = models[0];
        version = selection.versions[0];
        shadow = null;
        shadowVersion = null;
        shadowFound = null;
        shadowError = null;
        if (before != null) {
            left.add(before);
            source.leftBehind();
        }
    }

    /** Instances of other versions, with their metrics. */
    final Instances prepared(LiveModel.Live next) throws IOException {
        ModelFunction[] found = new ModelFunction[next.versions.length];
        int count = 0;
        try {
            while (count < found.length) {
                found[count] = taken(next.versions[count]);
                count++;
            }
        } finally {
            for (int i = 0; count < found.length && i < count; i++) {
                LiveModel.release(next.versions[i]);
            }
        }
        return new Instances(next, found);
    }

    private ModelFunction taken(LiveVersion wanted) throws IOException {
        ModelFunction function = latest == null ? null : latest.of(wanted);
        if (function != null) {
            wanted.retain();
            return function;
        }
        function = wanted.take();
        ModelMetrics metrics = (ModelMetrics) measured.get(wanted.name);
        if (metrics == null) {
            metrics = new ModelMetrics(group, stored().name(), wanted.name, (long) (wanted.millis * 1e6));
            measured.put(wanted.name, metrics);
        }
        function.measure(metrics);
        if (leavesRows()) {
            function.leaveRowsToCaller();
        }
        return function;
    }

    /** Has the next row use instances. */
    final void enter(Instances next) {
        latest = next;
        Instances unused = (Instances) ready.getAndSet(next);
        if (unused != null) {
            left.add(unused);
        }
        tidy();
    }

    /** Releases versions that no row will use, and their metrics. */
    final void tidy() {
        releaseLeft();
        forget();
    }

    private void releaseLeft() {
        for (Instances old = (Instances) left.poll(); old != null; old = (Instances) left.poll()) {
            LiveModel.release(old);
        }
    }

    /** Removes the metrics of versions that were live long ago. */
    private void forget() {
        LiveVersion[] versions = latest.live.versions;
        int old = measured.size() - versions.length - REMEMBERED;
        for (Iterator each = measured.entrySet().iterator(); old > 0 && each.hasNext(); ) {
            Map.Entry entry = (Map.Entry) each.next();
            boolean used = false;
            for (int i = 0; i < versions.length; i++) {
                used = used || versions[i].name.equals(entry.getKey());
            }
            if (!used) {
                ((ModelMetrics) entry.getValue()).close();
                each.remove();
                old--;
            }
        }
    }

    /** A number of the live model, or of this subtask's part of it. */
    private static final class Reading implements Gauge {

        private final LiveFunction function;
        private final int what;

        Reading(LiveFunction function, int what) {
            this.function = function;
            this.what = what;
        }

        public Object getValue() {
            LiveModel source = function.source;
            if (source == null) {
                return null;
            }
            switch (what) {
                case 0:
                    return Long.valueOf(source.reloads());
                case 1:
                    return Long.valueOf(source.reloadFailures());
                case 2:
                    return Double.valueOf(source.swapMillis());
                case 3:
                    return Long.valueOf(function.switchNanos / 1000);
                default:
                    return source.versions();
            }
        }
    }
}
