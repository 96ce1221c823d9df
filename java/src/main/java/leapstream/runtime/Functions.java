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
}
