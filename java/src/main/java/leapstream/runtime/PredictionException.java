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
        super(describe(reason, model, node, op, column));
        this.reason = reason;
        this.model = model;
        this.node = node;
        this.op = op;
        this.column = column;
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
