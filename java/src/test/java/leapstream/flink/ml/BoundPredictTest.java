package leapstream.flink.ml;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import leapstream.flink.Functions.Sum;
import leapstream.flink.ModelSignature;
import leapstream.runtime.PredictionException;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.types.Row;
import org.apache.flink.util.Collector;
import org.junit.jupiter.api.Test;

class BoundPredictTest {

    private static final RowType TABLE =
            (RowType) ModelSignature.parse("ROW<id STRING, seen DATE, a DECIMAL(9, 2), b DOUBLE>");

    private final List<Object> found = new ArrayList<>();

    /** Gives the sign alone, and an error where there is one. */
    private BoundPredict opened(String onError) throws Exception {
        BoundPredict function = new BoundPredict(new Sum(), TABLE, new int[] {2, 3}, new int[] {1}, onError);
        function.open(new FunctionContext(null, null, null) {
            @Override
            public org.apache.flink.metrics.MetricGroup getMetricGroup() {
                return new UnregisteredMetricsGroup();
            }
        });
        function.setCollector(new Collector<Object>() {
            @Override
            public void collect(Object row) {
                found.add(row);
            }

            @Override
            public void close() {}
        });
        return function;
    }

    private static GenericRowData internal(double b) {
        return GenericRowData.of(
                StringData.fromString("x"), 20000, DecimalData.fromBigDecimal(new BigDecimal("1.25"), 9, 2), b);
    }

    private static Row converted(double b) {
        return Row.of("x", LocalDate.ofEpochDay(20000), new BigDecimal("1.25"), b);
    }

    @Test
    void rowsOfTheTableAreTakenAsFlinkHasThemAndConverted() throws Exception {
        BoundPredict function = opened("row");
        function.eval(null, internal(2.0), null, null, null, null, null, null, null, null, null, null);
        function.eval(null, converted(2.0), null, null, null, null, null, null, null, null, null, null);
        GenericRowData good = GenericRowData.of(StringData.fromString("+"), StringData.fromString("1"), null);
        assertEquals(List.of(good, good), found);
    }

    @Test
    void rowThatFailsIsNamedWithItsValuesOrHasItsError() throws Exception {
        PredictionException failure = assertThrows(PredictionException.class, () -> opened("fail")
                .eval(null, converted(-2.0), null, null, null, null, null, null, null, null, null, null));
        String text = "the sum is negative (model 'adder')";
        assertEquals(text + "; the row is {id: 'x', seen: 2024-10-04, a: 1.25, b: -2.0}", failure.getMessage());
        opened("row").eval(null, converted(-2.0), null, null, null, null, null, null, null, null, null, null);
        assertEquals(List.of(GenericRowData.of(null, StringData.fromString("1"), StringData.fromString(text))), found);
    }
}
