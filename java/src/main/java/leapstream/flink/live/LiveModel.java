package leapstream.flink.live;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The versions of a model in a store that are live, for all subtasks of a job in a TaskManager. A thread looks at the store, and
 * ends with the last subtask.
 *
 * A version goes live when its checksums, ABI, signature and the rows of its contract are right; otherwise those before it go on.
 */
public final class LiveModel {

    private static final Logger LOG = LoggerFactory.getLogger(LiveModel.class);
    private static final Map MODELS = new HashMap();
    private static final long SILENT_NANOS = 600L * 1000000000L;

    private final StoredModel model;
    private final String signature;
    private volatile Live live;
    private int users;
    private volatile Thread watcher;

    /** The functions of the subtasks, which have the versions that are live. */
    private final List functions = new ArrayList();

    private Selection rejected;
    private String lastLogged;
    private long loggedAt;

    private volatile long reloads;
    private volatile long reloadFailures;
    private volatile double swapMillis;

    private LiveModel(StoredModel model, String signature) {
        this.model = model;
        this.signature = signature;
    }

    /** The versions that are live between two changes. */
    static final class Live {

        final Selection selection;
        final LiveVersion[] versions;

        Live(Selection selection, LiveVersion[] versions) {
            this.selection = selection;
            this.versions = versions;
        }
    }

    /** The live model for one more subtask; the first one loads it. */
    static LiveModel acquire(StoredModel model, String signature) throws IOException {
        LiveModel found;
        String key = model.key() + " " + signature;
        synchronized (MODELS) {
            found = (LiveModel) MODELS.get(key);
            if (found == null) {
                found = new LiveModel(model, signature);
                MODELS.put(key, found);
            }
            found.users++;
        }
        try {
            found.start();
        } catch (IOException e) {
            found.release();
            throw new IOException("Model " + model + " cannot be loaded: " + e.getMessage(), e);
        }
        return found;
    }

    /** A live model of one subtask, whose versions {@link #set} names. */
    static LiveModel controlled(StoredModel model, String signature, Selection selection) throws IOException {
        LiveModel made = new LiveModel(model, signature);
        made.users = 1;
        made.set(selection);
        return made;
    }

    /** Makes other versions live, or fails and leaves those that are. */
    void set(Selection selection) throws IOException {
        Live before = live;
        LiveVersion[] versions = loaded(selection, before);
        if (before == null) {
            live = new Live(selection, versions);
        } else {
            change(new Live(selection, versions));
        }
    }

    /** Verifies a version, which stays as it is. */
    void verify(String version) throws IOException {
        loaded(version, null, 1).release();
    }

    synchronized void start() throws IOException {
        if (live != null) {
            return;
        }
        Selection selection = model.selection();
        live = new Live(selection, loaded(selection, null));
        LOG.info("Model " + model + " is version " + selection);
        if (model.moves()) {
            watcher = new Thread(
                    new Runnable() {
                        public void run() {
                            watch();
                        }
                    },
                    "leapstream-reload " + model);
            watcher.setDaemon(true);
            watcher.setContextClassLoader(LiveModel.class.getClassLoader());
            watcher.start();
        }
    }

    /** A function of a subtask has the versions that are live, from now on. */
    synchronized void join(LiveFunction function) throws IOException {
        function.enter(function.prepared(live));
        functions.add(function);
    }

    /** A function is closed. */
    synchronized void leave(LiveFunction function) {
        functions.remove(function);
    }

    /** Has all functions use other versions from their next rows on, or fails and leaves everything as it is. */
    private void change(Live next) throws IOException {
        LiveFunction.Instances[] prepared = new LiveFunction.Instances[functions.size()];
        boolean fine = false;
        try {
            for (int i = 0; i < prepared.length; i++) {
                prepared[i] = ((LiveFunction) functions.get(i)).prepared(next);
            }
            fine = true;
        } finally {
            if (!fine) {
                for (int i = 0; i < prepared.length && prepared[i] != null; i++) {
                    release(prepared[i]);
                }
                release(next.versions);
            }
        }
        LiveVersion[] before = live.versions;
        live = next;
        for (int i = 0; i < prepared.length; i++) {
            ((LiveFunction) functions.get(i)).enter(prepared[i]);
        }
        release(before);
        reloads++;
    }

    /** A function has instances that are to be released: by the thread, so that rows do not wait; without one, now. */
    void leftBehind() {
        Thread thread = watcher;
        if (thread == null) {
            tidy();
        } else {
            LockSupport.unpark(thread);
        }
    }

    synchronized void tidy() {
        for (int i = 0; i < functions.size(); i++) {
            ((LiveFunction) functions.get(i)).tidy();
        }
    }

    /** A subtask needs it no more; the last one ends the thread and closes the versions. */
    void release() {
        synchronized (MODELS) {
            if (--users > 0) {
                return;
            }
            String key = model.key() + " " + signature;
            if (MODELS.get(key) == this) {
                MODELS.remove(key);
            }
        }
        synchronized (this) {
            Thread ended = watcher;
            watcher = null;
            if (ended != null) {
                ended.interrupt();
            }
            if (live != null) {
                release(live.versions);
                live = null;
            }
        }
    }

    // ---- the thread -------------------------------------------------------------------------------------------------

    private void watch() {
        Thread current = Thread.currentThread();
        long interval = TimeUnit.MILLISECONDS.toNanos(model.interval());
        long began = System.nanoTime();
        while (watcher == current) {
            try {
                long rest = interval - (System.nanoTime() - began);
                if (rest > 0) {
                    LockSupport.parkNanos(this, rest);
                    // An interrupt that stayed would end each wait at once.
                    Thread.interrupted();
                    tidy();
                } else {
                    look(current);
                    began = System.nanoTime();
                }
            } catch (Throwable e) {
                began = System.nanoTime();
                if (watcher == current) {
                    failed(e);
                }
            }
        }
    }

    private void look(Thread current) throws IOException {
        Live before = live;
        Selection selection = model.selection();
        if (before == null || selection.equals(before.selection) || selection.equals(rejected)) {
            return;
        }
        try {
            LiveVersion[] versions = loaded(selection, before);
            synchronized (this) {
                if (watcher != current) {
                    release(versions);
                    return;
                }
                change(new Live(selection, versions));
            }
        } catch (RejectedVersionException e) {
            // It stays as it is until the alias changes.
            rejected = selection;
            throw e;
        }
        rejected = null;
        LOG.info("Model " + model + " is version " + selection + " from now on, and was " + before.selection
                + "; its classes were loaded and verified in " + swapMillis + " ms");
    }

    /** The versions of a selection, opened; those that are live already are taken over. */
    private LiveVersion[] loaded(Selection selection, Live before) throws IOException {
        LiveVersion[] found = new LiveVersion[selection.versions.length];
        int instances;
        synchronized (MODELS) {
            instances = users;
        }
        boolean fine = false;
        double millis = 0;
        try {
            for (int i = 0; i < found.length; i++) {
                found[i] = before == null ? null : kept(before, selection.versions[i], selection.sha256[i]);
                if (found[i] == null) {
                    found[i] = loaded(selection.versions[i], selection.sha256[i], instances);
                    millis += found[i].millis;
                }
            }
            fine = true;
        } finally {
            if (!fine) {
                release(found);
            }
        }
        swapMillis = millis;
        return found;
    }

    private LiveVersion loaded(String version, String sha256, int instances) throws IOException {
        try {
            return new LiveVersion(model, version, sha256, signature, instances, true);
        } catch (RejectedVersionException e) {
            throw new RejectedVersionException("version " + version + ": " + e.getMessage(), e);
        }
    }

    /** A version that is live already, and is the wanted one; a command names versions without checksums. */
    private static LiveVersion kept(Live before, String version, String sha256) {
        for (int i = 0; i < before.versions.length; i++) {
            LiveVersion kept = before.versions[i];
            if (kept.name.equals(version) && (sha256 == null || kept.sha256.equals(sha256))) {
                kept.retain();
                return kept;
            }
        }
        return null;
    }

    private static void release(LiveVersion[] versions) {
        for (int i = 0; i < versions.length; i++) {
            if (versions[i] != null) {
                release(versions[i]);
            }
        }
    }

    static void release(LiveFunction.Instances instances) {
        release(instances.live.versions);
    }

    static void release(LiveVersion version) {
        try {
            version.release();
        } catch (IOException e) {
            LOG.warn("The jar of version " + version.name + " cannot be closed", e);
        }
    }

    private void failed(Throwable failure) {
        reloadFailures++;
        String text = String.valueOf(failure.getMessage());
        long now = System.nanoTime();
        if (!text.equals(lastLogged) || now - loggedAt > SILENT_NANOS) {
            lastLogged = text;
            loggedAt = now;
            Live current = live;
            Object version = current == null ? null : current.selection;
            LOG.warn(
                    "Model " + model + " stays version " + version + ", since the store has nothing better: " + text,
                    failure);
        }
    }

    // ---- metrics ----------------------------------------------------------------------------------------------------

    /** The number of changes since the first versions were loaded. */
    public long reloads() {
        return reloads;
    }

    /** The number of looks at the store that failed, or found a version that cannot be used. */
    public long reloadFailures() {
        return reloadFailures;
    }

    /** The milliseconds that the last change took to load and verify classes. */
    public double swapMillis() {
        return swapMillis;
    }

    /** The versions that are live, in words. */
    public String versions() {
        Live current = live;
        return current == null ? "" : current.selection.toString();
    }

    /** The number of models that are live in this class loader, for tests. */
    static int count() {
        synchronized (MODELS) {
            return MODELS.size();
        }
    }
}
