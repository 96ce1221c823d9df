package leapstream.flink.drift;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * The places of texts, which are found by their bytes in Flink's memory. The size, the first eight bytes and the last eight tell
 * texts of up to 16 bytes apart; those of longer ones are compared.
 */
final class TextBins {

    private static final int WORD = 8;
    private static final long FACTOR = 0x9E3779B97F4A7C15L;

    private final byte[][] texts;
    private final long[] firsts;
    private final long[] lasts;
    private final int[] places;
    private final int shift;

    /** @param values the texts, each of which has the place that it has among them */
    TextBins(String[] values) {
        int bits = 1;
        while (1 << bits < 4 * values.length) {
            bits++;
        }
        shift = Long.SIZE - bits;
        texts = new byte[1 << bits][];
        firsts = new long[texts.length];
        lasts = new long[texts.length];
        places = new int[texts.length];
        for (int i = 0; i < values.length; i++) {
            byte[] bytes = values[i].getBytes(StandardCharsets.UTF_8);
            MemorySegment memory = MemorySegmentFactory.wrap(bytes);
            long first = first(memory, 0, bytes.length);
            long last = last(memory, 0, bytes.length, first);
            int at = slot(first, last, bytes.length);
            while (texts[at] != null) {
                at = at + 1 & texts.length - 1;
            }
            texts[at] = bytes;
            firsts[at] = first;
            lasts[at] = last;
            places[at] = i;
        }
    }

    private static long first(MemorySegment memory, int from, int size) {
        if (size >= WORD) {
            return memory.getLong(from);
        }
        long word = 0;
        for (int i = 0; i < size; i++) {
            word = word << WORD | memory.get(from + i) & 0xFF;
        }
        return word;
    }

    private static long last(MemorySegment memory, int from, int size, long first) {
        return size > WORD ? memory.getLong(from + size - WORD) : first;
    }

    private int slot(long first, long last, int size) {
        return (int) (((first * FACTOR ^ last) + size) * FACTOR >>> shift);
    }

    /** The place of a text; -1 if it has none. */
    int place(BinaryStringData text) {
        text.ensureMaterialized();
        MemorySegment[] segments = text.getSegments();
        int size = text.getSizeInBytes();
        MemorySegment memory = segments[0];
        int from = text.getOffset();
        if (segments.length > 1) {
            memory = MemorySegmentFactory.wrap(text.toBytes());
            from = 0;
        }
        long first = first(memory, from, size);
        long last = last(memory, from, size, first);
        for (int at = slot(first, last, size); texts[at] != null; at = at + 1 & texts.length - 1) {
            byte[] known = texts[at];
            if (firsts[at] == first && lasts[at] == last && known.length == size && equal(known, memory, from)) {
                return places[at];
            }
        }
        return -1;
    }

    private static boolean equal(byte[] known, MemorySegment memory, int from) {
        if (known.length <= 2 * WORD) {
            return true;
        }
        byte[] bytes = new byte[known.length];
        memory.get(from, bytes);
        return Arrays.equals(known, bytes);
    }
}
