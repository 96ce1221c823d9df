package leapstream.flink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import leapstream.flink.Functions.Sum;
import org.apache.flink.api.common.functions.util.ListCollector;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.typeutils.RowTypeInfo;
import org.apache.flink.streaming.api.TimerService;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.types.Row;
import org.apache.flink.util.OutputTag;
import org.junit.jupiter.api.Test;

class ModelProcessFunctionTest {

    private static final class SumProcess extends ModelProcessFunction {

        private static final long serialVersionUID = 1L;

        SumProcess() throws Exception {
            super(Sum.opened());
        }
    }

    private final List<Object> scored = new ArrayList<>();
    private final List<Object> failed = new ArrayList<>();

    private void process(Row row) throws Exception {
        ModelProcessFunction function = new SumProcess();
        ProcessFunction.Context context = ((ProcessFunction) function).new Context() {
            @Override
            public Long timestamp() {
                return null;
            }

            @Override
            public TimerService timerService() {
                throw new UnsupportedOperationException();
            }

            @Override
            public void output(OutputTag tag, Object value) {
                assertEquals(function.failed(Types.ROW_NAMED(new String[] {"a"}, Types.INT)), tag);
                failed.add(value);
            }
        };
        function.processElement(row, context, new ListCollector<>(scored));
    }

    @Test
    void goodAndDroppedRowsGoOn() throws Exception {
        process(Row.of(1, 2));
        process(Row.of(1, -1));
        assertEquals(List.of(Row.of(1, 2, 3.0, "+"), Row.of(1, -1, null, null)), scored);
        assertEquals(Collections.emptyList(), failed);
    }

    @Test
    void rowsThatFailOrDoNotFitAreSetAsideWithTheirErrors() throws Exception {
        process(Row.of(1, -2));
        process(Row.of(1));
        assertEquals(Collections.emptyList(), scored);
        assertEquals(Row.of(1, -2, "the sum is negative (model 'adder')"), failed.get(0));
        assertEquals(
                "the row has 1 fields. Model 'adder' is Sum(a DOUBLE, b DOUBLE) -> (total DOUBLE, sign STRING)",
                ((Row) failed.get(1)).getField(1));
    }

    @Test
    void typeOfTheSideOutputHasTheErrorAfterTheFields() throws Exception {
        OutputTag side = new SumProcess().failed(Types.ROW_NAMED(new String[] {"a", "b"}, Types.INT, Types.DOUBLE));
        RowTypeInfo type = (RowTypeInfo) side.getTypeInfo();
        assertArrayEquals(new String[] {"a", "b", "error"}, type.getFieldNames());
        assertEquals(Types.STRING, type.getTypeAt(2));
    }
}
