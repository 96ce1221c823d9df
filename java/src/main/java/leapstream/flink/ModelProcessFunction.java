package leapstream.flink;

import leapstream.runtime.PredictionException;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * Gives what a {@link ModelMapFunction} gives, and sets rows that fail, or do not fit the model, aside in a side output, with the
 * error in a field {@code error} after their fields.
 *
 * {@code rows.process(function).returns(function.returns(rows.getType())).getSideOutput(function.failed(rows.getType()))}.
 */
public class ModelProcessFunction extends ProcessFunction {

    private static final long serialVersionUID = 1L;
    private static final String SIDE = "leapstream-failed";
    private static final String ERROR = "error";

    // Flink compares tags by their names, and serializes by the type that the reader of the side output gives.
    private static final OutputTag TAG = new OutputTag(SIDE, TypeInformation.of(Row.class));

    private final RowScoring scoring;

    protected ModelProcessFunction(ModelFunction function) {
        this.scoring = new RowScoring(function);
    }

    @Override
    public void open(OpenContext context) throws Exception {
        scoring.open(getRuntimeContext().getMetricGroup());
    }

    @Override
    public void close() throws Exception {
        scoring.close();
    }

    /** The type of the results for rows of a type. */
    public TypeInformation returns(TypeInformation rows) {
        return scoring.scored(rows);
    }

    /** The side output of the rows of a type that fail. */
    public OutputTag failed(TypeInformation rows) {
        return new OutputTag(SIDE, scoring.failed(rows, ERROR));
    }

    @Override
    public void processElement(Object value, ProcessFunction.Context context, Collector out) {
        Row row = (Row) value;
        Row scored = null;
        Row failed = null;
        try {
            scored = scoring.score(row);
        } catch (PredictionException failure) {
            failed = scoring.failed(row, failure, ERROR);
        } catch (IllegalArgumentException misfit) {
            failed = RowScoring.withError(row, misfit.getMessage(), ERROR);
        }
        if (failed == null) {
            out.collect(scored);
        } else {
            context.output(TAG, failed);
        }
    }
}
