package leapstream.runtime;

/** Functions of numbers that Java's library lacks. */
public final class Functions {

    private static final double SQRT_PI_RECIPROCAL = 0.5641895835477563;

    // Rational Chebyshev approximations of W. J. Cody (1969) for |x| < 0.46875, up to 4, and above.
    private static final double[] ERF_P = {
        3.16112374387056560e00,
        1.13864154151050156e02,
        3.77485237685302021e02,
        3.20937758913846947e03,
        1.85777706184603153e-1
    };
    private static final double[] ERF_Q = {
        2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03
    };
    private static final double[] MIDDLE_P = {
        5.64188496988670089e-1, 8.88314979438837594e00, 6.61191906371416295e01, 2.98635138197400131e02,
        8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03, 1.23033935479799725e03,
        2.15311535474403846e-8
    };
    private static final double[] MIDDLE_Q = {
        1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02, 1.62138957456669019e03,
        3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03, 1.23033935480374942e03
    };
    private static final double[] TAIL_P = {
        3.05326634961232344e-1,
        3.60344899949804439e-1,
        1.25781726111229246e-1,
        1.60837851487422766e-2,
        6.58749161529837803e-4,
        1.63153871373020978e-2
    };
    private static final double[] TAIL_Q = {
        2.56852019228982242e00,
        1.87295284992346725e00,
        5.27905102951428412e-1,
        6.05183413124413191e-2,
        2.33520497626869185e-3
    };

    private Functions() {}

    /** x held within the bounds; NaN stays. */
    public static double clip(double x, double low, double high) {
        return x < low ? low : x > high ? high : x;
    }

    /** The error function. */
    public static double erf(double x) {
        double y = Math.abs(x);
        if (!(y <= 0.46875)) {
            double result = 1.0 - erfc(y);
            return x < 0 ? -result : result;
        }
        double square = x * x;
        double p = ERF_P[4] * square;
        double q = square;
        for (int i = 0; i < 3; i++) {
            p = (p + ERF_P[i]) * square;
            q = (q + ERF_Q[i]) * square;
        }
        return x * (p + ERF_P[3]) / (q + ERF_Q[3]);
    }

    /** The complementary error function, for y above 0.46875; NaN gives NaN. */
    private static double erfc(double y) {
        double result;
        if (y <= 4) {
            double p = MIDDLE_P[8] * y;
            double q = y;
            for (int i = 0; i < 7; i++) {
                p = (p + MIDDLE_P[i]) * y;
                q = (q + MIDDLE_Q[i]) * y;
            }
            result = (p + MIDDLE_P[7]) / (q + MIDDLE_Q[7]);
        } else if (y > 27.3) {
            return 0;
        } else {
            double square = 1.0 / (y * y);
            double p = TAIL_P[5] * square;
            double q = square;
            for (int i = 0; i < 4; i++) {
                p = (p + TAIL_P[i]) * square;
                q = (q + TAIL_Q[i]) * square;
            }
            result = (SQRT_PI_RECIPROCAL - square * (p + TAIL_P[4]) / (q + TAIL_Q[4])) / y;
        }
        // exp(-y * y), with y * y split so that its rounding does not count.
        double head = Math.floor(y * 16) / 16;
        return Math.exp(-head * head) * Math.exp(-(y - head) * (y + head)) * result;
    }

    // ---- quantiles of the normal distribution, by M. J. Wichura's algorithm AS 241
    // ----------------------------------------

    private static final double[] MIDDLE_ABOVE = {
        2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987,
        13731.69376550946, 1971.5909503065513, 133.14166789178438, 3.3871328727963665
    };
    private static final double[] MIDDLE_BELOW = {
        5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597,
        5394.196021424751, 687.1870074920579, 42.31333070160091, 1.0
    };
    private static final double[] SIDES_ABOVE = {
        0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684,
        3.6478483247632045, 5.769497221460691, 4.630337846156546, 1.4234371107496835
    };
    private static final double[] SIDES_BELOW = {
        1.0507500716444169e-09, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008,
        0.6897673349851, 1.6763848301838038, 2.053191626637759, 1.0
    };
    private static final double[] TAILS_ABOVE = {
        2.0103343992922881e-07, 2.7115555687434876e-05, 0.0012426609473880784, 0.026532189526576124,
        0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103
    };
    private static final double[] TAILS_BELOW = {
        2.0442631033899397e-15, 1.421511758316446e-07, 1.8463183175100548e-05, 0.0007868691311456133,
        0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1.0
    };

    /** The number below which a standard normal variable is with a probability; NaN for no probability. */
    public static double normalQuantile(double p) {
        if (!(p > 0.0 && p < 1.0)) {
            return p == 0.0 ? Double.NEGATIVE_INFINITY : p == 1.0 ? Double.POSITIVE_INFINITY : Double.NaN;
        }
        double q = p - 0.5;
        if (Math.abs(q) <= 0.425) {
            return q * ratio(MIDDLE_ABOVE, MIDDLE_BELOW, 0.180625 - q * q);
        }
        double r = Math.sqrt(-Math.log(q < 0.0 ? p : 1.0 - p));
        double x = r <= 5.0 ? ratio(SIDES_ABOVE, SIDES_BELOW, r - 1.6) : ratio(TAILS_ABOVE, TAILS_BELOW, r - 5.0);
        return q < 0.0 ? -x : x;
    }

    private static double ratio(double[] above, double[] below, double r) {
        double numerator = above[0];
        double denominator = below[0];
        for (int i = 1; i < above.length; i++) {
            numerator = numerator * r + above[i];
            denominator = denominator * r + below[i];
        }
        return numerator / denominator;
    }
}
