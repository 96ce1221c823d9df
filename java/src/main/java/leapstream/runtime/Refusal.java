package leapstream.runtime;

/** Thrown by kernels, which do not know the node they work for; the generated class adds the place. */
public class Refusal extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public Refusal(String reason) {
        // Without a stack trace: a row that fails is data, and may be one of many.
        super(reason, null, false, false);
    }
}
