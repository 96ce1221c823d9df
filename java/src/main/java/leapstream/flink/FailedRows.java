package leapstream.flink;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.table.connector.Projection;
import org.apache.flink.table.runtime.typeutils.ExternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/**
 * Parts rows whose last field is an error: those without one go on without the field, the others to a side output, with their
 * first fields and the error.
 */
public final class FailedRows extends ProcessFunction {

    private static final long serialVersionUID = 1L;

    private final String[] names;
    private final int common;
    private final ExternalTypeInfo kept;
    private final OutputTag failed;

    /**
     * @param row the type of the rows
     * @param common the number of fields that go into both results
     */
    public FailedRows(DataType row, Integer common) {
        this.names = (String[]) DataType.getFieldNames(row).toArray(new String[0]);
        this.common = common.intValue();
        int last = names.length - 1;
        int[] keptFields = new int[last];
        for (int i = 0; i < last; i++) {
            keptFields[i] = i;
        }
        int[] failedFields = new int[this.common + 1];
        for (int i = 0; i < this.common; i++) {
            failedFields[i] = i;
        }
        failedFields[this.common] = last;
        this.kept = ExternalTypeInfo.of(Projection.of(keptFields).project(row));
        this.failed = new OutputTag(
                "leapstream-failed",
                ExternalTypeInfo.of(Projection.of(failedFields).project(row)));
    }

    public TypeInformation kept() {
        return kept;
    }

    public OutputTag failed() {
        return failed;
    }

    @Override
    public void processElement(Object value, ProcessFunction.Context context, Collector out) {
        Row row = (Row) value;
        int last = names.length - 1;
        Object error = field(row, last);
        int count = error == null ? last : common;
        Row result = Row.withPositions(row.getKind(), error == null ? last : common + 1);
        for (int i = 0; i < count; i++) {
            result.setField(i, field(row, i));
        }
        if (error == null) {
            out.collect(result);
        } else {
            result.setField(common, error);
            context.output(failed, result);
        }
    }

    private Object field(Row row, int i) {
        // A row with names alone has no positions.
        return row.getFieldNames(false) == null ? row.getField(i) : row.getField(names[i]);
    }
}
