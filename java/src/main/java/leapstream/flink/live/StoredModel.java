package leapstream.flink.live;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.lang.reflect.InvocationTargetException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;

/** A model of a store as a job names it: by an alias, which moves, or by a version. Read through Flink's file systems. */
public final class StoredModel implements Serializable {

    private static final long serialVersionUID = 1L;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}");

    static final int MOST_MANIFEST = 8 << 20;

    private static final int MOST_ATTEMPTS = 3;
    private static final long PATIENCE_NANOS = 5000000000L;

    private final String uri;
    private final String alias;
    private final String version;
    private final long interval;
    private final String[] shadows;

    /**
     * @param uri STORE/NAME
     * @param alias the alias to follow; null for a version that is pinned
     * @param version the version; null for an alias
     * @param interval the milliseconds between two looks at the alias
     */
    public StoredModel(String uri, String alias, String version, long interval) {
        this(uri, alias, version, interval, new String[0]);
    }

    private StoredModel(String uri, String alias, String version, long interval, String[] shadows) {
        this.uri = uri.endsWith("/") ? uri.substring(0, uri.length() - 1) : uri;
        this.alias = alias;
        this.version = version;
        this.interval = interval;
        this.shadows = shadows;
        for (int i = 0; i < shadows.length; i++) {
            check(shadows[i], "version of a shadow");
        }
        check(name(), "name of a model");
        check(version == null ? alias : version, version == null ? "alias" : "version");
        if (interval <= 0) {
            throw new IllegalArgumentException("the reload interval has to be positive, not " + interval + " ms");
        }
    }

    /** This model with versions that a job computes beside it, before the shadows of the alias. */
    public StoredModel with(String[] shadows) {
        return new StoredModel(uri, alias, version, interval, shadows);
    }

    /** The name, if it can be one of a file. */
    static String check(String name, String what) {
        if (name == null || !NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("'" + name + "' cannot be the " + what + " in a store");
        }
        return name;
    }

    /** The model's name in the store. */
    public String name() {
        return uri.substring(uri.lastIndexOf('/') + 1);
    }

    /** True if it has an alias, which may move. */
    public boolean moves() {
        return version == null;
    }

    public long interval() {
        return interval;
    }

    /** The key of the live model, which functions of equal keys share. */
    String key() {
        return uri + "@" + (version == null ? alias + " every " + interval : version) + " "
                + Arrays.asList((Object[]) shadows);
    }

    /** The versions that the job is to have now. */
    Selection selection() throws IOException {
        Selection found = version != null ? Selection.of(version) : Selection.parse(aliasFile(), alias);
        return found.with(shadows);
    }

    /**
     * The file of the alias, which is read again at once if that fails: Hadoop's file system for S3 fails for a file that is
     * replaced between the two requests of a reading.
     */
    private byte[] aliasFile() throws IOException {
        long began = System.nanoTime();
        int attempt = 1;
        while (true) {
            try {
                return read(alias + ".json", 1 << 16);
            } catch (IOException e) {
                // A store that is away has been tried for long by its client.
                if (attempt++ == MOST_ATTEMPTS || System.nanoTime() - began > PATIENCE_NANOS) {
                    throw e;
                }
            }
        }
    }

    /** Fails if the store lacks a shadow of the job's own. */
    void findShadows() throws IOException {
        for (int i = 0; i < shadows.length; i++) {
            read(shadows[i] + "/manifest.json", MOST_MANIFEST);
        }
    }

    /**
     * A file of a version, with the checksum that the version's manifest has for it.
     *
     * @return null if the version has no such file
     */
    public byte[] file(String version, String path, long most) throws IOException {
        check(version, "version");
        JsonNode manifest =
                json(read(version + "/manifest.json", MOST_MANIFEST), "the manifest of " + uri + "@" + version);
        JsonNode described = field(field(manifest, "files"), path);
        if (!described.isObject()) {
            return null;
        }
        byte[] data = read(version + "/" + path, most);
        if (!digest(data).equals(field(described, "sha256").asText())) {
            throw new RejectedVersionException(
                    "the checksum of " + path + " of " + uri + "@" + version + " is not that of its manifest");
        }
        return data;
    }

    static String digest(byte[] data) {
        byte[] digest;
        try {
            digest = MessageDigest.getInstance("SHA-256").digest(data);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < digest.length; i++) {
            text.append(Character.forDigit(digest[i] >> 4 & 15, 16)).append(Character.forDigit(digest[i] & 15, 16));
        }
        return text.toString();
    }

    /** A JSON object. */
    public static JsonNode json(byte[] data, String what) throws IOException {
        JsonNode found = new ObjectMapper().readTree(data);
        if (found == null || !found.isObject()) {
            throw new RejectedVersionException(what + " is not a JSON object");
        }
        return found;
    }

    /** A field of a JSON object; a node that is missing where it has none. */
    public static JsonNode field(JsonNode object, String name) {
        return (JsonNode) object.path(name);
    }

    /** A file of the model, of at most so many bytes. */
    byte[] read(String path, long most) throws IOException {
        Path file = new Path(uri + "/" + path);
        InputStream in = open(file);
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            byte[] buffer = new byte[1 << 16];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                out.write(buffer, 0, count);
                if (out.size() > most) {
                    throw new RejectedVersionException(file + " has more than " + most + " bytes");
                }
            }
            return out.toByteArray();
        } finally {
            in.close();
        }
    }

    /** Opens a file. Janino would call the method of an interface that Flink 1.20 lacks. */
    private static InputStream open(Path file) throws IOException {
        try {
            return (InputStream) FileSystem.class
                    .getMethod("open", new Class[] {Path.class})
                    .invoke(file.getFileSystem(), new Object[] {file});
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof IOException) {
                throw (IOException) e.getCause();
            }
            throw new IOException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String toString() {
        return uri + "@" + (version == null ? alias : version);
    }
}
