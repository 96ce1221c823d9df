package leapstream.flink.ml;

import static leapstream.flink.Functions.type;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigDecimal;
import java.util.Collections;
import java.util.List;
import leapstream.flink.Functions.Sum;
import leapstream.flink.ModelSignature;
import leapstream.runtime.PredictionException;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalType;
import org.junit.jupiter.api.Test;

class ModelPredictFunctionTest {

    /** INPUT columns b and a of such types. */
    private static InputColumns columns(String... types) {
        LogicalType[] parsed = {ModelSignature.parse(types[0]), ModelSignature.parse(types[1])};
        return new InputColumns("c.d.m", new String[] {"b", "a"}, parsed, new int[] {1, 0});
    }

    /** Columns come as b, a; results are sign, total. */
    private static ModelPredictFunction opened(boolean keepsFailures) throws Exception {
        return opened(keepsFailures, 1, 0);
    }

    private static ModelPredictFunction opened(boolean keepsFailures, int... outputs) throws Exception {
        ModelPredictFunction function =
                new ModelPredictFunction(new Sum(), columns("DOUBLE", "DOUBLE"), outputs, keepsFailures);
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
    void columnsOfOtherTypesAreCastToThoseOfTheStatement() {
        InputColumns given = columns("FLOAT", "DOUBLE").over(List.of(type("INT"), type("DECIMAL(9, 2)")));
        GenericRowData row = GenericRowData.of(16777217, DecimalData.fromBigDecimal(new BigDecimal("1.25"), 9, 2));
        assertEquals(1.25, given.argument(row, 0));
        assertEquals(16777216f, given.argument(row, 1));
    }

    @Test
    void columnOfATypeThatIsNotCastIsNamed() {
        InputColumns columns = columns("BIGINT", "DOUBLE");
        List<DataType> given = List.of(type("INTERVAL SECOND"), type("INT"));
        assertEquals(
                "Model c.d.m: the column that stands for INPUT column 'b' must be BIGINT or a type that SQL casts to it"
                        + " implicitly, not INTERVAL SECOND(6)",
                assertThrows(ValidationException.class, () -> columns.over(given))
                        .getMessage());
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

    @Test
    void rowThatFailsIsKeptWithItsErrorAndTheVersion() throws Exception {
        ModelPredictFunction function = opened(true, ModelPredictFunction.ERROR, 0, ModelPredictFunction.VERSION);
        StringData version = StringData.fromString("1");
        assertEquals(
                Collections.singletonList(
                        GenericRowData.of(StringData.fromString("the sum is negative (model 'adder')"), null, version)),
                function.predict(GenericRowData.of(-2.0, 1.0)));
        assertEquals(
                Collections.singletonList(GenericRowData.of(null, 3.0, version)),
                function.predict(GenericRowData.of(2.0, 1.0)));
        assertEquals(Collections.emptyList(), function.predict(GenericRowData.of(0.0, 0.0)));
    }
}
