package leapstream.flink.drift;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryStringData;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.FunctionDefinition;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.ArgumentCount;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.ConstantArgumentCount;
import org.apache.flink.table.types.inference.InputTypeStrategy;
import org.apache.flink.table.types.inference.Signature;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.inference.TypeStrategies;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.apache.flink.table.types.utils.TypeConversions;

/**
 * The SQL function DRIFT(STORE/NAME, version, 'column, column', column, column): an aggregate of a window, which counts the
 * columns in the bins of the version's profile. Its result is an array with a row for each column. Rows without a version are
 * not counted.
 */
public final class Drift extends AggregateFunction implements InputTypeStrategy {

    private static final long serialVersionUID = 1L;

    private static final int FIRST = 3;
    private static final String USE =
            "DRIFT takes STORE/NAME, a version, the names of columns with commas between them, all of them "
                    + "texts, and then the columns";
    private static final String RESULT =
            "ARRAY<ROW<`model` STRING, `version` STRING, `side` STRING, `feature` STRING, `psi` DOUBLE, "
                    + "`missing_rate` DOUBLE, `missing_rate_in_training` DOUBLE, `rows` BIGINT>>";

    private transient KnownBins known;
    // The part of a window that the last row was counted in.
    private transient DriftCounts last;
    private transient StringData version;
    private transient VersionBins bins;

    @Override
    public void open(FunctionContext context) {
        known = new KnownBins(context.getMetricGroup());
    }

    @Override
    public Object createAccumulator() {
        return new DriftCounts();
    }

    /** Counts a row; texts come as Flink's tables have them. */
    public void accumulate(DriftCounts counts, Object... arguments) throws IOException {
        if (arguments[1] == null) {
            return;
        }
        if (counts != last || counts.counts == null || !arguments[1].equals(version)) {
            begin(counts, arguments);
        }
        bins.count(arguments, FIRST, counts.counts);
    }

    private void begin(DriftCounts counts, Object[] arguments) throws IOException {
        String text = arguments[1].toString();
        if (counts.counts == null) {
            counts.model = arguments[0].toString();
            counts.version = text;
            counts.columns = arguments[2].toString();
            if (DriftCounts.split(counts.columns).length != arguments.length - FIRST) {
                throw new IOException("DRIFT: " + mismatch(counts.columns, arguments.length));
            }
            counts.counts = new long[bins(counts).size()];
        } else if (!counts.version.equals(text)) {
            throw new IOException("a window of DRIFT has rows of the versions " + counts.version + " and " + text
                    + "; add the version to GROUP BY");
        }
        last = counts;
        // Flink may use the memory of an argument again.
        version = BinaryStringData.fromString(text);
        bins = bins(counts);
    }

    /** Adds up the parts of a window. */
    public void merge(DriftCounts counts, Iterable others) {
        Iterator each = others.iterator();
        while (each.hasNext()) {
            counts.add((DriftCounts) each.next());
        }
    }

    /** Forgets what was counted. */
    public void resetAccumulator(DriftCounts counts) {
        counts.counts = null;
    }

    @Override
    public Object getValue(Object counts) {
        DriftCounts found = (DriftCounts) counts;
        if (found.counts == null) {
            return null;
        }
        try {
            return bins(found).rows(found.counts);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private VersionBins bins(DriftCounts counts) throws IOException {
        return known.bins(counts.model, counts.version, counts.columns);
    }

    // ---- types ------------------------------------------------------------------------------------------------------

    @Override
    public TypeInference getTypeInference(DataTypeFactory factory) {
        LogicalType result = LogicalTypeParser.parse(RESULT, Drift.class.getClassLoader());
        return TypeInference.newBuilder()
                .inputTypeStrategy(this)
                .accumulatorTypeStrategy(TypeStrategies.explicit(factory.createDataType(DriftCounts.class)))
                .outputTypeStrategy(TypeStrategies.explicit(TypeConversions.fromLogicalToDataType(result)))
                .build();
    }

    @Override
    public ArgumentCount getArgumentCount() {
        return ConstantArgumentCount.from(FIRST + 1);
    }

    @Override
    public Optional inferInputTypes(CallContext call, boolean throwOnFailure) {
        List given = call.getArgumentDataTypes();
        List accepted = new ArrayList();
        String reason = null;
        for (int i = 0; i < given.size(); i++) {
            DataType type = (DataType) ((DataType) given.get(i)).nullable();
            if (type.getLogicalType().is(LogicalTypeFamily.CHARACTER_STRING)) {
                type = (DataType) type.bridgedTo(StringData.class);
            } else if (i < FIRST) {
                reason = "argument " + (i + 1) + " is " + type;
            }
            accepted.add(type);
        }
        String names = reason == null ? names(call) : null;
        if (names != null && DriftCounts.split(names).length != given.size() - FIRST) {
            reason = mismatch(names, given.size());
        }
        if (reason == null) {
            return Optional.of(accepted);
        }
        if (throwOnFailure) {
            throw new ValidationException(USE + "; " + reason);
        }
        return Optional.empty();
    }

    /** The names of the columns, if they are a literal and the planner tells. */
    private static String names(CallContext call) {
        try {
            return (String) call.getArgumentValue(FIRST - 1, String.class).orElse(null);
        } catch (UnsupportedOperationException e) {
            return null;
        }
    }

    private static String mismatch(String names, int arguments) {
        return DriftCounts.split(names).length + " names are for " + (arguments - FIRST) + " columns";
    }

    @Override
    public List getExpectedSignatures(FunctionDefinition definition) {
        List found = new ArrayList();
        found.add(Signature.of(new Signature.Argument[] {Signature.Argument.of("STRING, STRING, STRING, ANY...")}));
        return found;
    }
}
