package leapstream.runtime;

/** Escapes texts of bundles and rows for messages, as leapstream/escaping.py does. */
public final class Printable {

    private static final int MOST_CHARACTERS = 1000;

    private Printable() {}

    /** The text in one line: control characters, line breaks and characters that are not shown become escapes. */
    public static String of(String text) {
        if (text == null) {
            return null;
        }
        StringBuilder escaped = null;
        int code;
        for (int i = 0; i < text.length(); i += Character.charCount(code)) {
            code = text.codePointAt(i);
            boolean shown = isShown(code);
            if (!shown && escaped == null) {
                escaped = new StringBuilder(text.substring(0, i));
            }
            if (escaped != null) {
                if (shown) {
                    escaped.appendCodePoint(code);
                } else {
                    escape(code, escaped);
                }
            }
        }
        return escaped == null ? text : escaped.toString();
    }

    /** The text for a message, without the characters after the first thousand. */
    public static String value(String text) {
        if (text == null || text.codePointCount(0, text.length()) <= MOST_CHARACTERS) {
            return of(text);
        }
        return of(text.substring(0, text.offsetByCodePoints(0, MOST_CHARACTERS)) + "\u2026");
    }

    private static boolean isShown(int code) {
        if (code < 0x100) {
            return code >= 0x20 && code < 0x7f || code > 0x9f && code != 0xad;
        }
        if (code == 0x061c || code == 0x180e || code == 0xfeff) {
            return false;
        }
        return !(isWithin(code, 0x200b, 0x200f)
                || isWithin(code, 0x2028, 0x202e)
                || isWithin(code, 0x2060, 0x206f)
                || isWithin(code, 0xfff9, 0xfffb)
                || isWithin(code, 0xd800, 0xdfff)
                || isWithin(code, 0xe0000, 0xe0fff));
    }

    private static boolean isWithin(int code, int low, int high) {
        return code >= low && code <= high;
    }

    private static void escape(int code, StringBuilder escaped) {
        if (code == '\n' || code == '\r' || code == '\t') {
            escaped.append('\\').append(code == '\n' ? 'n' : code == '\r' ? 'r' : 't');
            return;
        }
        int digits = code < 0x100 ? 2 : code < 0x10000 ? 4 : 8;
        escaped.append('\\').append(digits == 2 ? 'x' : digits == 4 ? 'u' : 'U');
        String hex = Integer.toHexString(code);
        for (int i = hex.length(); i < digits; i++) {
            escaped.append('0');
        }
        escaped.append(hex);
    }
}
