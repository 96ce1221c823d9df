package leapstream.runtime;

/** A row fails in a kernel. Kernels do not know the node they work for; the generated class adds the place. */
public class RowFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public RowFailure(String reason) {
        // Without a stack trace: a row that fails is data, and may be one of many.
        super(reason, null, false, false);
    }
}
