package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;
import java.util.regex.Pattern;

/** Regular expressions, of which the first that matches decides. */
public final class Patterns {

    private final Pattern[] patterns;

    public Patterns(DataInputStream data) throws IOException {
        patterns = new Pattern[data.readInt()];
        for (int i = 0; i < patterns.length; i++) {
            patterns[i] = Text.pattern(data);
        }
    }

    /** The number of the first pattern that matches within a text, or -1. */
    public int first(String text) {
        for (int i = 0; i < patterns.length; i++) {
            try {
                if (patterns[i].matcher(new TimedText(text)).find()) {
                    return i;
                }
            } catch (StackOverflowError e) {
                throw Failures.tooDeep(patterns[i].toString());
            } catch (TimedText.TimeUpException e) {
                throw Failures.tooSlow(patterns[i].toString());
            }
        }
        return -1;
    }
}
