package leapstream.flink.live;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import leapstream.runtime.Hashing;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/** The versions that an alias stands for: one, or several by weights, and shadows behind them. */
final class Selection {

    private static final int MOST = 16;

    /** The names of the versions, shadows last. */
    final String[] versions;

    /** The checksums of their manifests; null where none is known. */
    final String[] sha256;

    /** The number of versions that rows are split among. */
    final int split;

    /** The first bucket that a version does not have, for each of them. */
    private final int[] ends;

    private Selection(String[] versions, String[] sha256, int[] ends) {
        this.versions = versions;
        this.sha256 = sha256;
        this.ends = ends;
        split = ends.length;
    }

    static Selection of(String version) {
        return new Selection(new String[] {version}, new String[1], new int[] {1});
    }

    /** This selection with more shadows, before its own. One that is the only version that rows have is not computed twice. */
    Selection with(String[] shadows) throws IOException {
        List names = new ArrayList();
        List checksums = new ArrayList();
        for (int i = 0; i < split; i++) {
            names.add(versions[i]);
            checksums.add(sha256[i]);
        }
        for (int i = 0; i < shadows.length; i++) {
            if (split > 1 || !shadows[i].equals(versions[0])) {
                names.add(shadows[i]);
                checksums.add(null);
            }
        }
        List added = new ArrayList(names.subList(split, names.size()));
        for (int i = split; i < versions.length; i++) {
            if (!added.contains(versions[i])) {
                names.add(versions[i]);
                checksums.add(sha256[i]);
            }
        }
        if (names.size() > MOST) {
            throw new RejectedVersionException("the alias and the shadows of the job are " + names.size()
                    + " versions, and " + MOST + " are possible");
        }
        return new Selection(
                (String[]) names.toArray(new String[0]), (String[]) checksums.toArray(new String[0]), ends);
    }

    /** The versions that the file of an alias names. */
    static Selection parse(byte[] data, String alias) throws IOException {
        String what = "alias '" + alias + "'";
        JsonNode file;
        try {
            file = StoredModel.json(data, what);
        } catch (IOException e) {
            throw new RejectedVersionException(what + " is damaged: " + e.getMessage(), e);
        }
        int format = StoredModel.field(file, "format").asInt();
        if (format == 1) {
            return read(what, new JsonNode[] {file}, new JsonNode[0]);
        }
        if (format != 2) {
            throw new RejectedVersionException(what + " has format " + StoredModel.field(file, "format")
                    + ", and this version of leapstream reads 1 and 2");
        }
        return read(what, elements(StoredModel.field(file, "versions")), elements(StoredModel.field(file, "shadow")));
    }

    private static JsonNode[] elements(JsonNode list) {
        JsonNode[] found = new JsonNode[list.size()];
        for (int i = 0; i < found.length; i++) {
            found[i] = (JsonNode) list.get(i);
        }
        return found;
    }

    private static Selection read(String what, JsonNode[] split, JsonNode[] shadows) throws IOException {
        int count = split.length + shadows.length;
        if (split.length == 0 || count > MOST) {
            throw new RejectedVersionException(
                    what + " has " + count + " versions, and 1 to " + MOST + " are possible");
        }
        String[] versions = new String[count];
        String[] sha256 = new String[count];
        int[] ends = new int[split.length];
        for (int i = 0; i < count; i++) {
            JsonNode version = i < split.length ? split[i] : shadows[i - split.length];
            try {
                versions[i] =
                        StoredModel.check(StoredModel.field(version, "version").asText(null), "version");
            } catch (IllegalArgumentException e) {
                throw new RejectedVersionException(what + ": " + e.getMessage(), e);
            }
            sha256[i] = StoredModel.field(version, "sha256").asText(null);
            if (i < split.length) {
                int weight = split.length == 1
                        ? 1
                        : StoredModel.field(version, "weight").asInt();
                if (weight < 1 || weight > 1000000) {
                    throw new RejectedVersionException(what + " has a weight that is not from 1 to 1000000");
                }
                ends[i] = (i == 0 ? 0 : ends[i - 1]) + weight;
            }
        }
        return new Selection(versions, sha256, ends);
    }

    /** The place of the version of a key: its hash chooses a bucket, and each version has as many as its weight. */
    int place(String key) {
        int bucket = (Hashing.murmur(key.getBytes(StandardCharsets.UTF_8), 0) & 0x7fffffff) % ends[split - 1];
        int place = 0;
        while (bucket >= ends[place]) {
            place++;
        }
        return place;
    }

    /** True if it says the same as another. */
    boolean equals(Selection other) {
        return other != null
                && Arrays.equals(versions, other.versions)
                && Arrays.equals(sha256, other.sha256)
                && Arrays.equals(ends, other.ends);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < versions.length; i++) {
            text.append(i == 0 ? "" : i < split ? ", " : ", shadow ").append(versions[i]);
            if (i < split && split > 1) {
                text.append(" (weight ")
                        .append(ends[i] - (i == 0 ? 0 : ends[i - 1]))
                        .append(')');
            }
        }
        return text.toString();
    }
}
