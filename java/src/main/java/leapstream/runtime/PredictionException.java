package leapstream.runtime;

/** A row fails in a model. */
public class PredictionException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public final String reason;
    public final String model;
    public final String node;
    public final String op;
    public final String column;

    public PredictionException(String reason) {
        this(reason, null, null, null, null);
    }

    public PredictionException(String reason, String model, String node, String op, String column) {
        this(reason, model, node, op, column, "");
    }

    private PredictionException(String reason, String model, String node, String op, String column, String values) {
        // Without a stack trace: a row that fails is data, and may be one of many.
        super(describe(reason, model, node, op, column) + values, null, false, false);
        this.reason = reason;
        this.model = model;
        this.node = node;
        this.op = op;
        this.column = column;
    }

    /** This exception with the text of the row's values in its message. */
    public PredictionException withValues(String values) {
        return new PredictionException(reason, model, node, op, column, "; the row is " + values);
    }

    /** The message without the row's values. */
    public String text() {
        return describe(reason, model, node, op, column);
    }

    private static String describe(String reason, String model, String node, String op, String column) {
        StringBuilder where = new StringBuilder();
        add(where, "model", model);
        add(where, "node", node);
        add(where, "op", op);
        add(where, "column", column);
        return where.length() == 0 ? reason : reason + " (" + where + ")";
    }

    private static void add(StringBuilder where, String part, String name) {
        if (name != null) {
            where.append(where.length() == 0 ? "" : ", ")
                    .append(part)
                    .append(" '")
                    .append(Printable.value(name))
                    .append('\'');
        }
    }
}
