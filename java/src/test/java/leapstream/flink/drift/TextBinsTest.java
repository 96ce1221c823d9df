package leapstream.flink.drift;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.memory.MemorySegment;
import org.apache.flink.core.memory.MemorySegmentFactory;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.junit.jupiter.api.Test;

class TextBinsTest {

    private static List<String> texts() {
        List<String> texts = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        for (int size = 0; size < 40; size++) {
            texts.add(text.toString());
            texts.add(text + "\u00e4");
            texts.add(text + "\0");
            // Longer texts that differ in the middle alone.
            texts.add("begin of it " + text + "x" + text + " end of it");
            texts.add("begin of it " + text + "y" + text + " end of it");
            text.append((char) ('a' + size % 26));
        }
        return texts;
    }

    @Test
    void aTextHasItsPlaceWhereverItsBytesAre() {
        List<String> texts = texts();
        TextBins bins = new TextBins(texts.toArray(new String[0]));
        for (int i = 0; i < texts.size(); i++) {
            assertEquals(i, bins.place(BinaryStringData.fromString(texts.get(i))), texts.get(i));
            byte[] bytes = ("..." + texts.get(i) + "...").getBytes(StandardCharsets.UTF_8);
            assertEquals(i, bins.place(BinaryStringData.fromBytes(bytes, 3, bytes.length - 6)), texts.get(i));
            assertEquals(i, bins.place(inTwoParts(bytes)), texts.get(i));
            assertEquals(-1, bins.place(BinaryStringData.fromString(texts.get(i) + "Z")));
        }
        assertEquals(-1, new TextBins(new String[0]).place(BinaryStringData.fromString("")));
    }

    private static BinaryStringData inTwoParts(byte[] bytes) {
        int half = 128;
        MemorySegment one = MemorySegmentFactory.allocateUnpooledSegment(half);
        MemorySegment other = MemorySegmentFactory.allocateUnpooledSegment(half);
        int from = half - bytes.length / 2;
        for (int i = 0; i < bytes.length; i++) {
            int at = from + i;
            (at < half ? one : other).put(at % half, bytes[i]);
        }
        return BinaryStringData.fromAddress(new MemorySegment[] {one, other}, from + 3, bytes.length - 6);
    }
}
