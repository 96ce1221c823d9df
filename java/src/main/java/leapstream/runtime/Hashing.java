package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;

/** Hashes strings into sparse vectors: 32-bit Murmur3 of their UTF-8 with the seed of Spark or of scikit-learn. */
public final class Hashing {

    private static final int SEED = 42;
    private static final int PRIME = 2038074743;

    private final int size;
    private final boolean legacyTail;
    private final Counts counts = new Counts();
    private final byte[][] prefixes;
    private final int[] numbers;
    private byte[] bytes = new byte[64];

    /** For vectors of a size; the legacy tail mixes in the bytes behind the last full word one by one, signed. */
    public Hashing(int size, boolean legacyTail) {
        this.size = size;
        this.legacyTail = legacyTail;
        prefixes = null;
        numbers = null;
    }

    /** For columns whose names the data holds. */
    public Hashing(int size, DataInputStream data) throws IOException {
        this.size = size;
        legacyTail = false;
        prefixes = new byte[data.readInt()][];
        numbers = new int[prefixes.length];
        for (int i = 0; i < prefixes.length; i++) {
            String name = Data.readText(data);
            numbers[i] = index(name);
            int length = encode(name + "=", 0);
            prefixes[i] = new byte[length];
            System.arraycopy(bytes, 0, prefixes[i], 0, length);
        }
    }

    /** The number of occurrences of each hash of the tokens, or 1 if binary. */
    public Vec counts(Object[] tokens, boolean binary, Vec out) {
        counts.clear();
        for (int i = 0; i < tokens.length; i++) {
            counts.add(tokens[i] == null ? Math.floorMod(SEED, size) : index((String) tokens[i]));
        }
        return counts.counts(size, 0.0, binary, out);
    }

    /** The number of occurrences of each token's hash of seed 0, whose sign may count, or 1 if binary. */
    public Vec signed(Object[] tokens, boolean signs, boolean binary, Vec out) {
        counts.clear();
        for (int i = 0; i < tokens.length; i++) {
            if (tokens[i] == null) {
                continue;
            }
            int length = encode((String) tokens[i], 0);
            int hash = hash(bytes, length, 0, false);
            int at = (int) (Math.abs((long) hash) % size);
            if (binary) {
                counts.add(at);
            } else {
                counts.add(at, signs && hash < 0 ? -1.0 : 1.0);
            }
        }
        return binary ? counts.counts(size, 0.0, true, out) : counts.sums(size, out);
    }

    /** Forgets what was added. */
    public void clear() {
        counts.clear();
    }

    /** Adds a number of a column. */
    public void number(int column, double x) {
        counts.add(numbers[column], x);
    }

    /** Adds a category of a column. */
    public void category(int column, String value) {
        byte[] prefix = prefixes[column];
        reserve(prefix.length);
        System.arraycopy(prefix, 0, bytes, 0, prefix.length);
        counts.add(Math.floorMod(hash(encode(value, prefix.length)), size), 1.0);
    }

    /** The vector of what was added. */
    public Vec sums(Vec out) {
        return counts.sums(size, out);
    }

    private int index(String text) {
        return Math.floorMod(hash(encode(text, 0)), size);
    }

    private void reserve(int length) {
        if (bytes.length < length) {
            bytes = java.util.Arrays.copyOf(bytes, Math.max(length, 2 * bytes.length));
        }
    }

    /** Writes a string's UTF-8 behind some bytes; half of a surrogate pair becomes a question mark. Gives the whole length. */
    private int encode(String text, int at) {
        int length = text.length();
        reserve(at + 3 * length);
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (c < 0x80) {
                bytes[at++] = (byte) c;
            } else if (c < 0x800) {
                bytes[at++] = (byte) (0xC0 | c >> 6);
                bytes[at++] = (byte) (0x80 | c & 0x3F);
            } else if (!Character.isSurrogate(c)) {
                bytes[at++] = (byte) (0xE0 | c >> 12);
                bytes[at++] = (byte) (0x80 | c >> 6 & 0x3F);
                bytes[at++] = (byte) (0x80 | c & 0x3F);
            } else if (Character.isHighSurrogate(c) && i + 1 < length && Character.isLowSurrogate(text.charAt(i + 1))) {
                int code = Character.toCodePoint(c, text.charAt(++i));
                bytes[at++] = (byte) (0xF0 | code >> 18);
                bytes[at++] = (byte) (0x80 | code >> 12 & 0x3F);
                bytes[at++] = (byte) (0x80 | code >> 6 & 0x3F);
                bytes[at++] = (byte) (0x80 | code & 0x3F);
            } else {
                bytes[at++] = (byte) '?';
            }
        }
        return at;
    }

    private static int scrambled(int word) {
        return Integer.rotateLeft(word * 0xCC9E2D51, 15) * 0x1B873593;
    }

    private static int mixed(int state, int word) {
        return Integer.rotateLeft(state ^ scrambled(word), 13) * 5 + 0xE6546B64;
    }

    /** The 32-bit Murmur3 of bytes. */
    public static int murmur(byte[] bytes, int seed) {
        return hash(bytes, bytes.length, seed, false);
    }

    private int hash(int length) {
        return hash(bytes, length, SEED, legacyTail);
    }

    private static int hash(byte[] bytes, int length, int seed, boolean legacyTail) {
        int state = seed;
        int at = 0;
        for (; at + 4 <= length; at += 4) {
            int word = bytes[at] & 0xFF | (bytes[at + 1] & 0xFF) << 8;
            state = mixed(state, word | (bytes[at + 2] & 0xFF) << 16 | bytes[at + 3] << 24);
        }
        if (legacyTail) {
            for (; at < length; at++) {
                state = mixed(state, bytes[at]);
            }
        } else {
            int word = 0;
            for (int i = length - 1; i >= at; i--) {
                word = word << 8 | bytes[i] & 0xFF;
            }
            state ^= scrambled(word);
        }
        state ^= length;
        state = (state ^ state >>> 16) * 0x85EBCA6B;
        state = (state ^ state >>> 13) * 0xC2B2AE35;
        return state ^ state >>> 16;
    }

    /** The least hash, for each pair of coefficients, of the indices of elements that are not 0. */
    public static Vec minHash(Vec x, int[] a, int[] b, Vec out) {
        double[] result = out.dense(a.length);
        int nonzeros = 0;
        for (int k = 0; k < x.stored(); k++) {
            if (x.value[k] != 0) {
                int index = x.index == null ? k : x.index[k];
                for (int h = 0; h < a.length; h++) {
                    int hash = ((1 + index) * a[h] + b[h]) % PRIME;
                    if (nonzeros == 0 || hash < result[h]) {
                        result[h] = hash;
                    }
                }
                nonzeros++;
            }
        }
        if (nonzeros == 0) {
            throw Failures.allZeros();
        }
        return out;
    }
}
