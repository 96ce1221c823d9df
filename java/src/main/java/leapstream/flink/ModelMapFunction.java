package leapstream.flink;

import leapstream.runtime.PredictionException;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.types.Row;

/**
 * Maps a row to the same row with a model's outputs after its fields; they are null where the model drops the row.
 *
 * Fields are taken by name where the row has names and the model's inputs are among them, else all of them by position. Flink
 * cannot see the type of the result: {@code rows.map(function).returns(function.returns(rows.getType()))}.
 */
public class ModelMapFunction extends RichMapFunction {

    private static final long serialVersionUID = 1L;

    private final RowScoring scoring;

    protected ModelMapFunction(ModelFunction function) {
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

    /** The type of the result for rows of a type. */
    public TypeInformation returns(TypeInformation rows) {
        return scoring.scored(rows);
    }

    @Override
    public Object map(Object value) {
        Row row = (Row) value;
        try {
            return scoring.score(row);
        } catch (PredictionException failure) {
            throw failure.withValues(RowScoring.describe(row));
        }
    }
}
