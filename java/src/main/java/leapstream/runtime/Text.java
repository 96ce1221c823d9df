package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Operations on texts and on lists of strings; a missing string is null. */
public final class Text {

    private Text() {}

    public static Pattern pattern(DataInputStream data) throws IOException {
        return Pattern.compile(Data.readText(data));
    }

    /** Words to leave out, in lower case unless their case counts. */
    public static HashSet words(DataInputStream data, boolean caseSensitive) throws IOException {
        HashSet words = new HashSet();
        for (int left = data.readInt(); left > 0; left--) {
            String word = Data.readText(data);
            words.add(caseSensitive ? word : lower(word));
        }
        return words;
    }

    public static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    /** The parts of a text between the matches. */
    public static Object[] gaps(String text, Pattern pattern) {
        try {
            return pattern.split(new TimedText(text));
        } catch (StackOverflowError e) {
            throw Failures.tooDeep(pattern.toString());
        } catch (TimedText.TimeUpException e) {
            throw Failures.tooSlow(pattern.toString());
        }
    }

    public static Object[] matches(String text, Pattern pattern) {
        try {
            ArrayList found = new ArrayList();
            Matcher matcher = pattern.matcher(new TimedText(text));
            while (matcher.find()) {
                found.add(matcher.group());
            }
            return found.toArray();
        } catch (StackOverflowError e) {
            throw Failures.tooDeep(pattern.toString());
        } catch (TimedText.TimeUpException e) {
            throw Failures.tooSlow(pattern.toString());
        }
    }

    private static Object[] cut(Object[] tokens, int count) {
        if (count == tokens.length) {
            return tokens;
        }
        Object[] result = new Object[count];
        System.arraycopy(tokens, 0, result, 0, count);
        return result;
    }

    /** Tokens of at least some length, of letters alone if asked for. */
    public static Object[] atLeast(Object[] tokens, long minLength, boolean letters) {
        Object[] kept = new Object[tokens.length];
        int count = 0;
        for (int i = 0; i < tokens.length; i++) {
            String token = (String) tokens[i];
            if (token == null) {
                throw Failures.missingToken();
            }
            if (token.length() >= minLength && (!letters || isLetters(token))) {
                kept[count++] = token;
            }
        }
        return cut(kept, count);
    }

    private static boolean isLetters(String token) {
        for (int i = 0; i < token.length(); i++) {
            if (!Character.isLetter(token.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    /** Tokens that are not among some words. */
    public static Object[] without(Object[] tokens, HashSet words, boolean caseSensitive) {
        Object[] kept = new Object[tokens.length];
        int count = 0;
        for (int i = 0; i < tokens.length; i++) {
            String token = (String) tokens[i];
            if (token == null || !words.contains(caseSensitive ? token : lower(token))) {
                kept[count++] = token;
            }
        }
        return cut(kept, count);
    }

    /** Each n tokens that follow each other, joined by blanks. */
    public static Object[] ngrams(Object[] tokens, long n) {
        if (n < 1) {
            throw Failures.noNgrams(n);
        }
        if (n > tokens.length) {
            return new Object[0];
        }
        Object[] result = new Object[tokens.length - (int) n + 1];
        for (int first = 0; first < result.length; first++) {
            StringBuilder gram = new StringBuilder();
            for (int i = 0; i < n; i++) {
                gram.append(i == 0 ? "" : " ").append((String) tokens[first + i]);
            }
            result[first] = gram.toString();
        }
        return result;
    }
}
