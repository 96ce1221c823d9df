package leapstream.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class PrintableTest {

    @Test
    void charactersThatAreNotShownBecomeEscapes() {
        assertEquals("a\\nb\\r\\t\\x00\\x1b[31m", Printable.of("a\nb\r\t\0\33[31m"));
        assertEquals("\\x7f\\x9b\\xad\\u202e\\u2028\\ufeff", Printable.of("\u007f\u009b\u00ad\u202e\u2028\ufeff"));
        assertEquals("\\ud835", Printable.of("\ud835"));
        assertEquals("\\U000e0041", Printable.of("\udb40\udc41"));
    }

    @Test
    void otherTextsStayAsTheyAre() {
        String text = "it's \"é\" \\s+ 漢字 \ud835\udcb3";
        assertSame(text, Printable.of(text));
        assertSame(text, Printable.value(text));
        assertNull(Printable.of(null));
    }

    @Test
    void valuesAreCutAfterAThousandCharacters() {
        assertEquals("x".repeat(1000) + "…", Printable.value("x".repeat(1001)));
        assertEquals("x".repeat(1000), Printable.value("x".repeat(1000)));
    }
}
