package leapstream.flink.live;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import leapstream.flink.ModelFunction;
import leapstream.runtime.Abi;
import leapstream.runtime.ContractRows;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/** A version of a model in a store that was verified, with its classes. It is closed when nobody uses it any more. */
final class LiveVersion {

    private static final String CLASS = "leapstream.models.predict.Stored";
    private static final String JAR = "model.jar";
    private static final long MOST_JAR = 1L << 30;

    final String name;
    final String sha256;

    /** The milliseconds that it took to load and verify its classes, from the bytes of the jar on. */
    final double millis;

    private final File file;
    private final VersionLoader loader;
    private final Class type;
    private final ArrayDeque spares = new ArrayDeque();
    private int users = 1;

    /**
     * Loads a version.
     *
     * @param sha256 the checksum of its manifest; null if none is known
     * @param signature what its signature has to be; null if it may be any
     * @param instances the number of instances to open
     * @param compare compare it with the rows of its contract
     */
    LiveVersion(StoredModel model, String name, String sha256, String signature, int instances, boolean compare)
            throws IOException {
        this.name = name;
        byte[] manifest = model.read(name + "/manifest.json", StoredModel.MOST_MANIFEST);
        this.sha256 = sha256 == null ? StoredModel.digest(manifest) : sha256;
        if (!this.sha256.equals(StoredModel.digest(manifest))) {
            throw new RejectedVersionException("its manifest was altered after the alias was set");
        }
        byte[] jar = jar(model, manifest);
        long began = System.nanoTime();
        file = File.createTempFile("leapstream-" + model.name() + "-", ".jar");
        VersionLoader opened = null;
        boolean fine = false;
        try {
            OutputStream out = new FileOutputStream(file);
            try {
                out.write(jar);
            } finally {
                out.close();
            }
            opened = new VersionLoader(file, LiveVersion.class.getClassLoader());
            loader = opened;
            type = loader.loadClass(CLASS);
            for (int i = 0; i < instances; i++) {
                spares.add(opened());
            }
            ModelFunction first = (ModelFunction) spares.peek();
            String found = LiveFunction.signatureOf(first);
            if (signature != null && !signature.equals(found)) {
                throw new RejectedVersionException("its signature is " + found + ", and the job has " + signature);
            }
            String difference = compare ? ContractRows.difference(loader) : null;
            if (difference != null) {
                throw new RejectedVersionException("it differs from its contract: " + difference);
            }
            fine = true;
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new RejectedVersionException("its classes cannot be loaded: " + e, e);
        } catch (LinkageError e) {
            throw new RejectedVersionException("its classes cannot be loaded: " + e, e);
        } finally {
            if (!fine) {
                if (opened != null) {
                    opened.close();
                }
                file.delete();
            }
        }
        millis = (System.nanoTime() - began) / 1e6;
    }

    /** The bytes of the jar that a manifest describes. */
    private byte[] jar(StoredModel model, byte[] data) throws IOException {
        JsonNode manifest;
        try {
            manifest = StoredModel.json(data, "its manifest");
        } catch (IOException e) {
            throw new RejectedVersionException("its manifest is damaged: " + e.getMessage(), e);
        }
        if (StoredModel.field(manifest, "format").asInt() != 1) {
            throw new RejectedVersionException("its manifest has format " + StoredModel.field(manifest, "format")
                    + ", and this version of leapstream reads 1");
        }
        if (!model.name().equals(StoredModel.field(manifest, "name").asText())
                || !name.equals(StoredModel.field(manifest, "version").asText())) {
            throw new RejectedVersionException("its manifest is that of "
                    + StoredModel.field(manifest, "name").asText() + "@"
                    + StoredModel.field(manifest, "version").asText());
        }
        JsonNode described = StoredModel.field(StoredModel.field(manifest, "files"), JAR);
        if (!described.isObject()) {
            throw new RejectedVersionException(
                    "it has no model.jar, which leapstream publish writes where the jvm backend can run the model");
        }
        if (StoredModel.field(manifest, "abi").asInt(-1) != Abi.NUMBER) {
            throw new RejectedVersionException("its jar was compiled by leapstream "
                    + StoredModel.field(manifest, "leapstream").asText() + " for ABI "
                    + StoredModel.field(manifest, "abi")
                    + ", and the job's classes have ABI " + Abi.NUMBER);
        }
        long size = StoredModel.field(described, "size").asLong(-1);
        if (size < 0 || size > MOST_JAR) {
            throw new RejectedVersionException("its jar has " + size + " bytes");
        }
        byte[] jar = model.read(name + "/" + JAR, size);
        if (jar.length != size
                || !StoredModel.digest(jar)
                        .equals(StoredModel.field(described, "sha256").asText())) {
            throw new RejectedVersionException("the checksum of its jar is not that of its manifest");
        }
        return jar;
    }

    private ModelFunction opened() throws Exception {
        ModelFunction function =
                (ModelFunction) type.getDeclaredConstructor(new Class[0]).newInstance(new Object[0]);
        // The subtask that takes it sets the metrics.
        function.open(new UnregisteredMetricsGroup());
        try {
            function.call(new Object[function.signature().names().length]);
        } catch (RuntimeException e) {
            // A row of NULLs may fail. It is computed so that the first row of the job does not wait for classes.
        }
        return function;
    }

    /** An instance for one subtask: models keep the row that they work on in fields. */
    synchronized ModelFunction take() throws IOException {
        ModelFunction function;
        try {
            function = spares.isEmpty() ? opened() : (ModelFunction) spares.poll();
        } catch (Exception e) {
            throw new RejectedVersionException("version " + name + " cannot be opened: " + e, e);
        }
        users++;
        return function;
    }

    /** Another selection of the model has it too. */
    synchronized void retain() {
        users++;
    }

    /** A subtask, or the model, needs it no more; the last one closes it. */
    void release() throws IOException {
        synchronized (this) {
            if (--users > 0) {
                return;
            }
            spares.clear();
        }
        loader.close();
        file.delete();
    }
}
