package leapstream.runtime;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;

/** Characters of texts, which are code points: accents, and substrings. */
public final class Characters {

    private Characters() {}

    /** The ASCII characters of a text in compatibility decomposition. */
    public static String ascii(String text) {
        if (isAscii(text)) {
            return text;
        }
        String found = Normalizer.normalize(text, Normalizer.Form.NFKD);
        StringBuilder kept = new StringBuilder();
        for (int i = 0; i < found.length(); i++) {
            if (found.charAt(i) < 128) {
                kept.append(found.charAt(i));
            }
        }
        return kept.toString();
    }

    /**
     * A text in compatibility decomposition, without combining characters.
     *
     * @param text the text
     * @param limits the first character of each range of combining ones, and the one after its last
     */
    public static String withoutAccents(String text, int[] limits) {
        if (isAscii(text)) {
            return text;
        }
        String found = Normalizer.normalize(text, Normalizer.Form.NFKD);
        StringBuilder kept = new StringBuilder();
        for (int i = 0; i < found.length(); ) {
            int code = found.codePointAt(i);
            i += Character.charCount(code);
            int at = Arrays.binarySearch(limits, code);
            int before = at >= 0 ? at + 1 : -at - 1;
            if (before % 2 == 0) {
                kept.appendCodePoint(code);
            }
        }
        return kept.toString();
    }

    private static boolean isAscii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 128) {
                return false;
            }
        }
        return true;
    }

    /**
     * The substrings of a text, shorter ones first.
     *
     * @param text the text
     * @param least the least number of characters
     * @param greatest the greatest number of characters
     * @param words whether the substrings are those of each word, with a blank before and after it
     */
    public static Object[] grams(String text, int least, int greatest, boolean words) {
        int[] codes = withSingleBlanks(text);
        ArrayList found = new ArrayList();
        if (!words) {
            for (int n = least; n <= greatest; n++) {
                addGrams(codes, 0, codes.length, n, found);
            }
            return found.toArray();
        }
        for (int start = 0; start < codes.length; ) {
            if (isSpace(codes[start])) {
                start++;
                continue;
            }
            int end = start;
            while (end < codes.length && !isSpace(codes[end])) {
                end++;
            }
            int[] word = new int[end - start + 2];
            word[0] = ' ';
            word[word.length - 1] = ' ';
            System.arraycopy(codes, start, word, 1, end - start);
            for (int n = least; n <= greatest; n++) {
                if (n >= word.length) {
                    found.add(new String(word, 0, word.length));
                    break;
                }
                addGrams(word, 0, word.length, n, found);
            }
            start = end;
        }
        return found.toArray();
    }

    private static void addGrams(int[] codes, int start, int end, int n, ArrayList found) {
        for (int i = start; i + n <= end; i++) {
            found.add(new String(codes, i, n));
        }
    }

    /** The characters, with one blank for two and more whitespace characters. */
    private static int[] withSingleBlanks(String text) {
        int[] codes = new int[text.codePointCount(0, text.length())];
        int count = 0;
        int spaces = 0;
        for (int i = 0; i < text.length(); ) {
            int code = text.codePointAt(i);
            i += Character.charCount(code);
            spaces = isSpace(code) ? spaces + 1 : 0;
            if (spaces < 2) {
                codes[count++] = code;
            } else {
                codes[count - 1] = ' ';
            }
        }
        return Arrays.copyOf(codes, count);
    }

    /** True for the characters that are whitespace in Python. */
    private static boolean isSpace(int code) {
        return (code >= 9 && code <= 13)
                || (code >= 28 && code <= 32)
                || code == 0x85
                || code == 0xA0
                || code == 0x1680
                || (code >= 0x2000 && code <= 0x200A)
                || code == 0x2028
                || code == 0x2029
                || code == 0x202F
                || code == 0x205F
                || code == 0x3000;
    }
}
