package leapstream.flink.ml;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import leapstream.models.provider.Adder;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.ml.PredictRuntimeProvider;
import org.junit.jupiter.api.Test;

class BundleProviderFactoryTest {

    private static final String SIGNATURE = "Model 'adder' is Sum(a DOUBLE, b DOUBLE) -> (total DOUBLE, sign STRING)";
    private static final ResolvedSchema INPUTS = Statement.columns("a", "DOUBLE", "b", "DOUBLE");
    private static final ResolvedSchema OUTPUTS = Statement.columns("total", "DOUBLE");

    private static PredictRuntimeProvider provider(ResolvedSchema inputs, ResolvedSchema outputs, String onError) {
        return (PredictRuntimeProvider) new Adder()
                .createModelProvider(Statement.of(
                        inputs, outputs, Map.of("provider", "mleap", "bundle", "Adder", "on-error", onError)));
    }

    private static void assertRejected(String text, ResolvedSchema inputs, ResolvedSchema outputs, String onError) {
        assertEquals(
                "Model c.d.m: " + text,
                assertThrows(ValidationException.class, () -> provider(inputs, outputs, onError))
                        .getMessage());
    }

    @Test
    void columnsStandForInputsByNameOrByPosition() {
        for (ResolvedSchema inputs : new ResolvedSchema[] {
            INPUTS, Statement.columns("b", "INT", "a", "DOUBLE"), Statement.columns("x", "DOUBLE", "y", "BOOLEAN")
        }) {
            assertNotNull(provider(inputs, OUTPUTS, "null").createPredictFunction(null));
        }
    }

    @Test
    void columnsThatAreTooManyOrOfAnotherTypeAreRejected() {
        assertRejected(
                "INPUT has 3 columns, the bundle 2. " + SIGNATURE,
                Statement.columns("a", "DOUBLE", "b", "DOUBLE", "c", "INT"),
                OUTPUTS,
                "fail");
        assertRejected(
                "INPUT: it takes 2 arguments; 1 is given. " + SIGNATURE,
                Statement.columns("a", "DOUBLE"),
                OUTPUTS,
                "fail");
        assertRejected(
                "INPUT: argument 2 (b) must be DOUBLE, not DATE. " + SIGNATURE,
                Statement.columns("a", "DOUBLE", "b", "DATE"),
                OUTPUTS,
                "fail");
    }

    @Test
    void outputsAreThoseOfTheBundleInTheirTypes() {
        assertRejected(
                "OUTPUT: the bundle has no column 'price'. " + SIGNATURE,
                INPUTS,
                Statement.columns("price", "DOUBLE"),
                "fail");
        assertRejected(
                "OUTPUT: column 'total' must be DOUBLE, not FLOAT. " + SIGNATURE,
                INPUTS,
                Statement.columns("total", "FLOAT"),
                "fail");
        assertNotNull(provider(INPUTS, Statement.columns("x", "DOUBLE", "y", "STRING"), "fail"));
    }

    @Test
    void statementWithoutColumnsIsRejected() {
        assertRejected(
                "it needs INPUT and OUTPUT columns; leapstream ddl prints the statement. " + SIGNATURE,
                Statement.columns(),
                OUTPUTS,
                "fail");
    }

    @Test
    void onErrorIsFailOrNull() {
        assertRejected("'on-error' is 'fail' or 'null', not 'raise'", INPUTS, OUTPUTS, "raise");
    }
}
