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
    void onErrorIsFailNullOrRow() {
        assertRejected("'on-error' is 'fail', 'null' or 'row', not 'raise'", INPUTS, OUTPUTS, "raise");
    }

    @Test
    void errorAndVersionMayBeAmongTheOutputs() {
        for (ResolvedSchema outputs : new ResolvedSchema[] {
            Statement.columns("error", "STRING", "total", "DOUBLE", "model_version", "STRING"),
            Statement.columns("x", "DOUBLE", "error", "STRING", "y", "STRING"),
        }) {
            assertNotNull(provider(INPUTS, outputs, "row"));
            assertNotNull(provider(INPUTS, outputs, "fail"));
        }
    }

    @Test
    void errorsNeedTheirColumnAndAreNotThereForNothing() {
        assertRejected(
                "'on-error' = 'row' needs an OUTPUT column 'error' STRING that is no output of the bundle. "
                        + SIGNATURE,
                INPUTS,
                OUTPUTS,
                "row");
        assertRejected(
                "'on-error' = 'null' leaves OUTPUT column 'error' empty; 'row' fills it. " + SIGNATURE,
                INPUTS,
                Statement.columns("total", "DOUBLE", "error", "STRING"),
                "null");
        assertRejected(
                "OUTPUT: column 'error' must be STRING, not INT. " + SIGNATURE,
                INPUTS,
                Statement.columns("total", "DOUBLE", "error", "INT"),
                "row");
    }

    @Test
    void columnOfTheBundleWinsOverTheErrorOfItsName() {
        Map<String, String> options = Map.of(
                "provider",
                "mleap",
                "bundle",
                "Adder",
                "on-error",
                "row",
                "error-column",
                "sign",
                "version-column",
                "v");
        ResolvedSchema outputs = Statement.columns("total", "DOUBLE", "sign", "STRING", "v", "STRING");
        assertEquals(
                "Model c.d.m: 'on-error' = 'row' needs an OUTPUT column 'sign' STRING that is no output of the bundle. "
                        + SIGNATURE,
                assertThrows(ValidationException.class, () -> new Adder()
                                .createModelProvider(Statement.of(INPUTS, outputs, options)))
                        .getMessage());
    }
}
