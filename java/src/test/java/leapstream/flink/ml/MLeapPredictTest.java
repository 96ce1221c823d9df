package leapstream.flink.ml;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.config.ExecutionConfigOptions;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.TimestampKind;
import org.apache.flink.table.types.logical.TimestampType;
import org.junit.jupiter.api.Test;

class MLeapPredictTest {

    private static boolean warns(boolean miniBatches, TimestampKind kind) {
        Configuration options = new Configuration();
        options.set(ExecutionConfigOptions.TABLE_EXEC_MINIBATCH_ENABLED, miniBatches);
        RowType table = RowType.of(new DoubleType(), new TimestampType(true, kind, 3));
        return MLeapPredict.miniBatchWarning(options, table) != null;
    }

    @Test
    void miniBatchesOverATableWithoutWatermarksGiveAWarning() {
        assertEquals(true, warns(true, TimestampKind.REGULAR));
        assertEquals(false, warns(true, TimestampKind.ROWTIME));
        assertEquals(false, warns(false, TimestampKind.REGULAR));
    }
}
