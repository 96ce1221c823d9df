package leapstream.runtime;

import static leapstream.runtime.Given.assertFails;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.HashSet;
import java.util.regex.Pattern;
import leapstream.runtime.Given.ModelData;
import org.junit.jupiter.api.Test;

class TextTest {

    private static final Pattern BLANK = Pattern.compile("\\s");

    private static Object[] list(Object... values) {
        return values;
    }

    @Test
    void lowerCaseIsThatOfNoLanguage() {
        assertEquals("title i\u0307", Text.lower("TITLE \u0130"));
    }

    @Test
    void gapsLieBetweenMatchesWithoutTrailingEmptyOnes() {
        assertArrayEquals(list("a", "", "b"), Text.gaps("a  b ", BLANK));
        assertArrayEquals(list(""), Text.gaps("", BLANK));
    }

    @Test
    void matchesAreTheTokens() {
        assertArrayEquals(list("12", "3"), Text.matches("a12b3", Pattern.compile("\\d+")));
        assertArrayEquals(list(), Text.matches("ab", Pattern.compile("\\d+")));
    }

    @Test
    void expressionThatNeedsTooDeepAStackFails() {
        Pattern deep = Pattern.compile("(a|b)*");
        String text = new String(new char[1000000]).replace('\0', 'a');
        assertFails(
                "the regular expression '(a|b)*' needs too deep a stack for this text", () -> Text.matches(text, deep));
        assertFails(
                "the regular expression '(a|b)*' needs too deep a stack for this text", () -> Text.gaps(text, deep));
    }

    @Test
    void tokensOfALengthAreCountedInCharsOfUtf16() {
        assertArrayEquals(list("ab", "\uD83D\uDE00"), Text.atLeast(list("a", "ab", "\uD83D\uDE00", ""), 2, false));
        assertArrayEquals(list("ab", "é"), Text.atLeast(list("ab", "a1", "é", "\uD83D\uDE00"), 1, true));
        assertFails("a token is missing", () -> Text.atLeast(list("a", null), 1, false));
    }

    @Test
    void stopWordsAreLeftOut() throws IOException {
        HashSet words = Text.words(new ModelData().texts("The", "a").open(), false);
        assertArrayEquals(list("x", null), Text.without(list("THE", "x", null, "A"), words, false));
        HashSet exact = Text.words(new ModelData().texts("The").open(), true);
        assertArrayEquals(list("the"), Text.without(list("the", "The"), exact, true));
    }

    @Test
    void ngramsAreJoinedByBlanks() {
        assertArrayEquals(list("a b", "b c"), Text.ngrams(list("a", "b", "c"), 2));
        assertArrayEquals(list("a"), Text.ngrams(list("a"), 1));
        assertArrayEquals(list(), Text.ngrams(list("a"), 2));
        assertFails("n-grams of 0 tokens", () -> Text.ngrams(list("a"), 0));
    }
}
