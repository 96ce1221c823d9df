package leapstream.runtime;

import java.math.BigInteger;

/**
 * Numbers as text, as Double.toString and Float.toString gave them up to Java 18, whatever Java runs.
 *
 * MLeap indexes and hashes these texts. Since Java 19 toString gives the shortest digits that read back as the number; before,
 * it made digits one by one and ended as soon as the rest was less than half of the distance to the next number. The two agree
 * but for powers of two (whose next smaller number is nearer than was assumed), subnormal numbers, and whole numbers that are
 * more than the significand holds exactly. Only for these the digits are made here.
 */
public final class NumberText {

    /** From here on doubles are whole numbers, and not all of them. */
    private static final double WHOLE_DOUBLES = 9007199254740992.0;

    private static final float WHOLE_FLOATS = 16777216f;

    private static final BigInteger FIVE = BigInteger.valueOf(5);

    private NumberText() {}

    public static String of(double x) {
        double size = Math.abs(x);
        long bits = Double.doubleToLongBits(size);
        long fraction = bits & 0xFFFFFFFFFFFFFL;
        boolean alike = fraction != 0 && size >= Double.MIN_NORMAL && size < WHOLE_DOUBLES;
        if (alike || size == 0 || !(size < Double.POSITIVE_INFINITY)) {
            return Double.toString(x);
        }
        int exponent = (int) (bits >>> 52);
        return text(x < 0, exponent == 0 ? fraction : fraction | 1L << 52, Math.max(exponent, 1) - 1075);
    }

    public static String of(float x) {
        float size = Math.abs(x);
        int bits = Float.floatToIntBits(size);
        int fraction = bits & 0x7FFFFF;
        boolean alike = fraction != 0 && size >= Float.MIN_NORMAL && size < WHOLE_FLOATS;
        if (alike || size == 0 || !(size < Float.POSITIVE_INFINITY)) {
            return Float.toString(x);
        }
        int exponent = bits >>> 23;
        return text(x < 0, exponent == 0 ? fraction : fraction | 1 << 23, Math.max(exponent, 1) - 150);
    }

    /** The text of significand * 2**exponent. */
    private static String text(boolean negative, long significand, int exponent) {
        int held = 64 - Long.numberOfLeadingZeros(significand);
        int zeros = Long.numberOfTrailingZeros(significand);
        long odd = significand >>> zeros;
        int power = exponent + zeros;
        int top = exponent + held - 1;
        StringBuilder digits = new StringBuilder();
        int point;
        if (power >= 0 && top <= 62) {
            point = whole(odd << power, top - held, digits);
        } else {
            point = free(odd, power, top, held, digits);
        }
        return layout(negative, digits, point);
    }

    /** Digits of a whole number without those below the last bit of the significand; returns the place of the point. */
    private static int whole(long value, int below, StringBuilder digits) {
        int dropped = below > 1 ? (int) ((below - 1) * 0.30102999566) : 0;
        long unit = 1;
        for (int i = 0; i < dropped; i++) {
            unit *= 10;
        }
        long kept = value / unit;
        if (value % unit >= unit >> 1 && dropped > 0) {
            kept++;
        }
        digits.append(kept);
        int point = digits.length() + dropped;
        int end = digits.length();
        while (end > 1 && digits.charAt(end - 1) == '0') {
            end--;
        }
        digits.setLength(end);
        return point;
    }

    /**
     * Digits of any number, from left to right, until the rest, or what it lacks to the next digit, is less than half of the
     * distance to the next number; returns the place of the point. Where the terms seemed to fit into 64 bits they were
     * computed in so many, and what did not fit was cut.
     */
    private static int free(long odd, int power, int top, int held, StringBuilder digits) {
        int length = 64 - Long.numberOfLeadingZeros(odd);
        double scaled = odd * Math.scalb(1.0, 1 - length);
        // The tangent of the logarithm at 1.5, which is never too small; one too great is mended below.
        int place = (int) Math.floor((scaled - 1.5) * 0.289529654 + 0.176091259 + top * 0.301029995663981);
        int down = Math.max(0, place);
        int up = Math.max(0, -place);
        int half = up + top - held - (odd == 1 ? 1 : 0);
        int common = Math.min(down, half);
        int valueTwos = up + power - common;
        int unitTwos = down - common;
        half -= common;
        boolean narrow = length + valueTwos + bitsOfFives(up) < 64 && unitTwos + 1 + bitsOfFives(down + 1) < 64;
        BigInteger rest = BigInteger.valueOf(odd).multiply(FIVE.pow(up)).shiftLeft(valueTwos);
        BigInteger unit = FIVE.pow(down).shiftLeft(unitTwos);
        BigInteger near = FIVE.pow(up).shiftLeft(half);
        BigInteger ten = unit.multiply(BigInteger.TEN);
        boolean low = false;
        boolean high = false;
        boolean first = true;
        while (!low && !high) {
            BigInteger[] parts = rest.divideAndRemainder(unit);
            int digit = parts[0].intValue();
            rest = parts[1].multiply(BigInteger.TEN);
            near = held(near.multiply(BigInteger.TEN), narrow);
            int over = held(rest.add(near), narrow).compareTo(ten);
            low = near.signum() <= 0 || rest.compareTo(near) < 0;
            high = near.signum() <= 0 || (narrow ? over > 0 : over >= 0);
            if (first && digit == 0 && !high) {
                place--;
            } else {
                digits.append((char) ('0' + digit));
            }
            if (first && (place < -3 || place >= 8)) {
                // With an exponent there are two digits at least.
                low = false;
                high = false;
            }
            first = false;
        }
        int side = held(held(rest.shiftLeft(1), narrow).subtract(ten), narrow).signum();
        boolean last = ((digits.charAt(digits.length() - 1) - '0') & 1) == 1;
        if (high && (!low || side > 0 || (side == 0 && last))) {
            place += increment(digits);
        }
        return place + 1;
    }

    /** The low 64 bits of a number when narrow. */
    private static BigInteger held(BigInteger x, boolean narrow) {
        return narrow ? BigInteger.valueOf(x.longValue()) : x;
    }

    /** About the number of bits of 5**count, as Java estimated it. */
    private static int bitsOfFives(int count) {
        return count == 0 ? 0 : count < 27 ? FIVE.pow(count).bitLength() : 3 * count;
    }

    /** Adds one to the last digit; returns 1 where that makes one digit more, which is then cut off. */
    private static int increment(StringBuilder digits) {
        int i = digits.length() - 1;
        while (i >= 0 && digits.charAt(i) == '9') {
            digits.setCharAt(i--, '0');
        }
        if (i < 0) {
            digits.setCharAt(0, '1');
            return 1;
        }
        digits.setCharAt(i, (char) (digits.charAt(i) + 1));
        return 0;
    }

    /** Digits plain within [1e-3, 1e7), else with an exponent. */
    private static String layout(boolean negative, StringBuilder digits, int point) {
        StringBuilder text = new StringBuilder(negative ? "-" : "");
        int count = digits.length();
        if (point > 0 && point < 8) {
            for (int i = 0; i < point; i++) {
                text.append(i < count ? digits.charAt(i) : '0');
            }
            return text.append('.')
                    .append(count > point ? digits.substring(point) : "0")
                    .toString();
        }
        if (point <= 0 && point > -3) {
            return text.append("0.")
                    .append("00".substring(0, -point))
                    .append(digits)
                    .toString();
        }
        text.append(digits.charAt(0)).append('.').append(count > 1 ? digits.substring(1) : "0");
        return text.append('E').append(point - 1).toString();
    }
}
