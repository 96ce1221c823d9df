package leapstream.flink.live;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import leapstream.flink.RowScoring;
import leapstream.runtime.PredictionException;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.BroadcastState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ReadOnlyBroadcastState;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.streaming.api.functions.co.BroadcastProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Scores rows with the versions that commands of a control stream name. The choice is broadcast state, so that a job that is
 * restored has the versions of its checkpoint.
 *
 * A command is a JSON object: {@code {"command": "alias", "version": "8"}}; {@code "weights"} with {@code "versions": {"7": 90,
 * "8": 10}}; both perhaps with {@code "shadow": ["9"]}; {@code "publish"} with a {@code "version"}, which is verified and not
 * made live; or {@code "rollback"}. One that is malformed, or names a version that cannot be used, is logged and counted, and
 * changes nothing.
 */
public final class ControlledFunction extends BroadcastProcessFunction {

    /** The state: the choice that is live, and the earlier ones, the last one first, in lines. */
    public static final MapStateDescriptor STATE =
            new MapStateDescriptor("leapstream-versions", Types.STRING, Types.STRING);

    private static final long serialVersionUID = 1L;

    private static final Logger LOG = LoggerFactory.getLogger(ControlledFunction.class);
    private static final String LIVE = "live";
    private static final String EARLIER = "earlier";
    private static final String START = "-";
    private static final int REMEMBERED = 100;
    private static final String ERROR = "error";

    private final StoredFunction function;
    private final RowScoring rows;
    private final String first;
    private final boolean keepsFailures;

    private transient LiveModel model;
    private transient String current;
    private transient Counter refused;

    /**
     * @param function the function over the model of a store
     * @param first the version before the first command
     * @param keepsFailures whether rows have a last field {@code error}, and one that fails has its error there
     */
    public ControlledFunction(StoredFunction function, String first, Boolean keepsFailures) {
        this.function = function;
        this.first = first;
        this.keepsFailures = keepsFailures.booleanValue();
        rows = new RowScoring(function);
    }

    /** The type of the results for rows of a type. */
    public TypeInformation returns(TypeInformation given) {
        TypeInformation scored = rows.scored(given);
        return keepsFailures ? rows.failed(scored, ERROR) : scored;
    }

    /** The descriptors of the state, as DataStream.broadcast takes them. */
    public MapStateDescriptor[] states() {
        return new MapStateDescriptor[] {STATE};
    }

    @Override
    public void open(OpenContext context) throws Exception {
        refused = getRuntimeContext().getMetricGroup().addGroup("leapstream").counter("refusedCommands");
    }

    @Override
    public void close() throws Exception {
        function.close();
    }

    @Override
    public void processElement(Object row, BroadcastProcessFunction.ReadOnlyContext context, Collector out)
            throws Exception {
        ReadOnlyBroadcastState state = context.getBroadcastState(STATE);
        follow((String) state.get(LIVE));
        Row result;
        try {
            result = keepsFailures ? rows.score((Row) row, ERROR) : rows.score((Row) row);
        } catch (PredictionException failure) {
            if (!keepsFailures) {
                throw failure.withValues(RowScoring.describe((Row) row));
            }
            result = rows.unscored((Row) row, failure, ERROR);
        }
        out.collect(result);
    }

    @Override
    public void processBroadcastElement(Object element, BroadcastProcessFunction.Context context, Collector out)
            throws Exception {
        String command = String.valueOf(element instanceof Row ? ((Row) element).getField(0) : element);
        BroadcastState state = context.getBroadcastState(STATE);
        String live = (String) state.get(LIVE);
        List earlier = lines((String) state.get(EARLIER));
        follow(live);
        try {
            JsonNode parsed = parsed(command);
            String kind = text(parsed, "command");
            String next;
            if (kind.equals("rollback")) {
                if (earlier.isEmpty()) {
                    throw new RejectedVersionException("there is no earlier version");
                }
                next = (String) earlier.remove(0);
            } else if (kind.equals("publish")) {
                model.verify(text(parsed, "version"));
                return;
            } else if (kind.equals("alias") || kind.equals("weights")) {
                next = chosen(parsed, kind);
                earlier.add(0, live == null ? START : live);
            } else {
                throw new RejectedVersionException("the command '" + kind + "' is not known");
            }
            // A store that cannot be reached fails the job, so that all subtasks do the same with a command.
            follow(next.equals(START) ? null : next);
            put(state, LIVE, next.equals(START) ? "" : next);
            put(state, EARLIER, joined(earlier));
        } catch (RejectedVersionException e) {
            refuse(command, e.getMessage());
        } catch (FileNotFoundException e) {
            // A job that failed here would fail again each time that the command comes back.
            refuse(command, "the store has no such version: " + e.getMessage());
        }
    }

    private void refuse(String command, String reason) {
        refused.inc();
        LOG.warn("Model " + function.stored() + ": the command " + command + " changes nothing: " + reason);
    }

    private static JsonNode parsed(String command) throws IOException {
        try {
            return StoredModel.json(command.getBytes(StandardCharsets.UTF_8), "the command");
        } catch (IOException e) {
            throw new RejectedVersionException("it is not JSON: " + e.getMessage(), e);
        }
    }

    private static String text(JsonNode parsed, String name) throws IOException {
        String found = StoredModel.field(parsed, name).asText("");
        if (found.isEmpty()) {
            throw new RejectedVersionException("it has no '" + name + "'");
        }
        return found;
    }

    /** The choice of a command in the form of an alias with weights. */
    private static String chosen(JsonNode parsed, String kind) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode chosen = mapper.createObjectNode();
        chosen.put("format", 2);
        ArrayNode versions = chosen.putArray("versions");
        if (kind.equals("alias")) {
            versions.addObject().put("version", text(parsed, "version")).put("weight", 1);
        } else {
            JsonNode weights = StoredModel.field(parsed, "versions");
            for (Iterator names = weights.fieldNames(); names.hasNext(); ) {
                String name = (String) names.next();
                versions.addObject()
                        .put("version", name)
                        .put("weight", StoredModel.field(weights, name).asInt());
            }
        }
        ArrayNode shadow = chosen.putArray("shadow");
        JsonNode shadows = StoredModel.field(parsed, "shadow");
        for (int i = 0; i < shadows.size(); i++) {
            shadow.addObject().put("version", ((JsonNode) shadows.get(i)).asText());
        }
        return mapper.writeValueAsString(chosen);
    }

    /** Has the versions of a choice from the next row on; those of the start where it is null. */
    private void follow(String choice) throws IOException {
        if (model != null && (choice == null ? current == null : choice.equals(current))) {
            return;
        }
        Selection selection = choice == null
                ? Selection.of(first)
                : Selection.parse(choice.getBytes(StandardCharsets.UTF_8), "the command");
        if (model == null) {
            model = LiveModel.controlled(function.stored(), function.storedSignature(), selection);
            function.open(getRuntimeContext().getMetricGroup(), model);
            function.leaveRowsToCaller();
        } else {
            model.set(selection);
        }
        current = choice;
    }

    private static void put(BroadcastState state, String key, String value) throws Exception {
        if (value.isEmpty()) {
            state.remove(key);
        } else {
            state.put(key, value);
        }
    }

    private static List lines(String text) {
        List found = new ArrayList();
        if (text != null) {
            String[] lines = text.split("\n", -1);
            for (int i = 0; i < lines.length; i++) {
                found.add(lines[i]);
            }
        }
        return found;
    }

    private static String joined(List lines) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < lines.size() && i < REMEMBERED; i++) {
            text.append(i == 0 ? "" : "\n").append(lines.get(i));
        }
        return text.toString();
    }
}
