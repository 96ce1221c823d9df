package leapstream.flink.ml;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Collections;
import leapstream.flink.Functions.Sum;
import leapstream.runtime.PredictionException;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.FunctionContext;
import org.junit.jupiter.api.Test;

class ModelPredictFunctionTest {

    /** Columns come as b, a; results are sign, total. */
    private static ModelPredictFunction opened(boolean nullOnError) throws Exception {
        ModelPredictFunction function =
                new ModelPredictFunction(new Sum(), new int[] {1, 0}, new int[] {1, 0}, nullOnError);
        function.open(new FunctionContext(null, null, null) {
            @Override
            public org.apache.flink.metrics.MetricGroup getMetricGroup() {
                return new UnregisteredMetricsGroup();
            }
        });
        return function;
    }

    @Test
    void outputsComeInTheOrderOfTheStatement() throws Exception {
        assertEquals(
                Collections.singletonList(GenericRowData.of(StringData.fromString("+"), 3.0)),
                opened(false).predict(GenericRowData.of(2.0, 1.0)));
    }

    @Test
    void droppedRowGivesNone() throws Exception {
        assertEquals(Collections.emptyList(), opened(false).predict(GenericRowData.of(0.0, 0.0)));
    }

    @Test
    void rowThatFailsFailsTheJobOrGivesNulls() throws Exception {
        ModelPredictFunction strict = opened(false);
        assertThrows(PredictionException.class, () -> strict.predict(GenericRowData.of(-2.0, 1.0)));
        assertEquals(
                Collections.singletonList(new GenericRowData(2)), opened(true).predict(GenericRowData.of(-2.0, 1.0)));
    }
}
