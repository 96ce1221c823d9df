package leapstream.runtime;

import java.io.DataInputStream;
import java.io.IOException;

/** Infers the topics of documents. */
public final class Topics {

    private static final int ROUNDS = 10000;

    private final double[] weights;
    private final double[] alpha;
    private final double[] start;
    private final double[] theta;
    private final double[] mixed;
    private final int topics;

    /** Weights of topics by term; what is added to each topic; where inference starts from. */
    public Topics(DataInputStream in) throws IOException {
        weights = Data.readDoubles(in);
        alpha = Data.readDoubles(in);
        start = Data.readDoubles(in);
        topics = alpha.length;
        theta = new double[topics];
        mixed = new double[topics];
    }

    /** The topics of a document with the term counts x. */
    public Vec mixture(Vec x, Vec out) {
        double[] gamma = out.dense(topics);
        if (isEmpty(x)) {
            java.util.Arrays.fill(gamma, 0, topics, 0.0);
            return out;
        }
        requireTerms(x);
        System.arraycopy(start, 0, gamma, 0, topics);
        expectation(gamma);
        double change = 1;
        for (int round = 0; change > 1e-3; round++) {
            if (round == ROUNDS) {
                throw Failures.endlessInference();
            }
            change = improve(x, gamma);
            expectation(gamma);
        }
        double total = 0;
        for (int t = 0; t < topics; t++) {
            total += Math.abs(gamma[t]);
        }
        if (total != 0) {
            for (int t = 0; t < topics; t++) {
                gamma[t] /= total;
            }
        }
        return out;
    }

    private static boolean isEmpty(Vec x) {
        int count = x.stored();
        for (int k = 0; k < count; k++) {
            if (x.value[k] != 0) {
                return false;
            }
        }
        return true;
    }

    private void requireTerms(Vec x) {
        int terms = weights.length / topics;
        boolean beyond = x.index == null && x.size > terms;
        for (int k = 0; x.index != null && k < x.count; k++) {
            beyond |= x.index[k] >= terms;
        }
        if (beyond) {
            throw Failures.unknownTerms(terms);
        }
    }

    /** One round; by how much gamma's elements change on average. */
    private double improve(Vec x, double[] gamma) {
        java.util.Arrays.fill(mixed, 0.0);
        int count = x.stored();
        for (int k = 0; k < count; k++) {
            if (x.value[k] == 0) {
                continue;
            }
            int at = topics * (x.index == null ? k : x.index[k]);
            double phi = 0;
            for (int t = 0; t < topics; t++) {
                phi += weights[at + t] * theta[t];
            }
            double share = x.value[k] / (phi + 1e-100);
            for (int t = 0; t < topics; t++) {
                mixed[t] += weights[at + t] * share;
            }
        }
        double change = 0;
        for (int t = 0; t < topics; t++) {
            double value = theta[t] * mixed[t] + alpha[t];
            change += Math.abs(value - gamma[t]);
            gamma[t] = value;
        }
        return change / topics;
    }

    /** theta = the exponential of the expected logarithm of a Dirichlet distribution with parameters gamma. */
    private void expectation(double[] gamma) {
        double total = 0;
        for (int t = 0; t < topics; t++) {
            total += gamma[t];
        }
        double whole = digamma(total);
        for (int t = 0; t < topics; t++) {
            theta[t] = Math.exp(digamma(gamma[t]) - whole);
        }
    }

    /** The digamma function, by the asymptotic series from 49 on. */
    static double digamma(double x) {
        if (x != x || Double.isInfinite(x)) {
            return x;
        }
        if (x < -10000) {
            return Double.NaN;
        }
        double total = 0;
        while (x < 49) {
            total += 1.0 / x;
            x += 1.0;
        }
        double inverse = 1.0 / (x * x);
        double series = inverse * (1.0 / 12.0 - inverse * (1.0 / 120.0 - inverse / 252.0));
        return Math.log(x) - 0.5 / x - series - total;
    }
}
