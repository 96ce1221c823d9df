package leapstream.runtime;

/**
 * A text that a regular expression may read for a second, and 10 µs more for each character; then reading it throws a {@link
 * TimeUpException}. A pattern that goes back over and over would otherwise stop a job.
 */
final class TimedText implements CharSequence {

    /** A text was read for too long. */
    static final class TimeUpException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        TimeUpException() {
            super(null, null, false, false);
        }
    }

    /** The clock is asked once for so many characters. */
    private static final int CHARACTERS = 1 << 16;

    private final String text;
    private int read;
    private long end;

    TimedText(String text) {
        this.text = text;
    }

    @Override
    public char charAt(int index) {
        if (++read == CHARACTERS) {
            checkTime();
        }
        return text.charAt(index);
    }

    private void checkTime() {
        read = 0;
        long now = System.nanoTime();
        if (end == 0) {
            end = now + 1000000000L + 10000L * text.length();
        } else if (now - end > 0) {
            throw new TimeUpException();
        }
    }

    @Override
    public int length() {
        return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int stop) {
        return text.substring(start, stop);
    }

    @Override
    public String toString() {
        return text;
    }
}
