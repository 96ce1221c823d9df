package leapstream.flink;

import static leapstream.flink.Functions.call;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalType;
import org.junit.jupiter.api.Test;

class ModelSignatureTest {

    private static ModelSignature signature(int packed, boolean python, String... types) {
        String[] names = Arrays.copyOf(new String[] {"a", "b", "c", "d"}, types.length);
        return new ModelSignature("Predict", "loans", names, types, packed, "DOUBLE", python);
    }

    /** The types in which the function gets arguments of such types. */
    private static List<String> accepted(ModelSignature signature, String... given) {
        List<String> types = new ArrayList<>();
        for (Object type :
                (List<?>) signature.inferInputTypes(call(false, given), true).get()) {
            types.add(((DataType) type).getLogicalType().asSummaryString());
        }
        return types;
    }

    private static void assertRejected(String text, ModelSignature signature, String... given) {
        String message = assertThrows(
                        ValidationException.class, () -> signature.inferInputTypes(call(false, given), true))
                .getMessage();
        assertEquals("Function Predict of model 'loans': " + text, message);
        assertFalse(signature.inferInputTypes(call(false, given), false).isPresent());
    }

    @Test
    void scalarsComeAsTheyAre() {
        assertEquals(
                List.of("INT", "VARCHAR(3)", "BOOLEAN", "DECIMAL(20, 0)"),
                accepted(
                        signature(-1, false, "DOUBLE", "STRING", "STRING", "BIGINT"),
                        "INT",
                        "VARCHAR(3)",
                        "BOOLEAN",
                        "DECIMAL(20, 0)"));
    }

    @Test
    void arraysComeInTheTypeOfTheModel() {
        assertEquals(List.of("ARRAY<DOUBLE>"), accepted(signature(-1, false, "ARRAY<DOUBLE>"), "ARRAY<INT>"));
    }

    @Test
    void datesAndTimesAreTexts() {
        List<String> types = List.of("DATE", "TIME(0)", "TIMESTAMP(3)");
        assertEquals(types, accepted(signature(-1, false, "STRING", "STRING", "STRING"), types.toArray(new String[0])));
        assertRejected(
                "argument 1 (a) must be STRING, not TIMESTAMP_LTZ(3). Expected: Predict(a STRING)."
                        + " Given: Predict(TIMESTAMP_LTZ(3))",
                signature(-1, false, "STRING"),
                "TIMESTAMP_LTZ(3)");
        assertEquals(
                "column 1 (a) must be STRING, not DATE",
                signature(-1, false, "STRING").mismatchOfColumns(types("DATE")));
    }

    @Test
    void argumentsHaveTheNamesOfTheInputs() {
        List<String> names = new ArrayList<>();
        signature(-1, false, "DOUBLE", "STRING")
                .typeInference()
                .getStaticArguments()
                .get()
                .forEach(argument -> names.add(argument.getName()));
        assertEquals(List.of("a", "b"), names);
    }

    @Test
    void scalarsThatStandForAnArrayHaveNoNames() {
        assertFalse(signature(3, false, "ARRAY<DOUBLE>")
                .typeInference()
                .getStaticArguments()
                .isPresent());
    }

    @Test
    void intervalsAndDatesAreNoNumbers() {
        for (String type : List.of("INTERVAL SECOND(3)", "INTERVAL YEAR(2)", "DATE", "TIMESTAMP(3)", "BYTES")) {
            assertRejected(
                    "argument 1 (a) must be BIGINT, not " + type + ". Expected: Predict(a BIGINT). Given: Predict("
                            + type + ")",
                    signature(-1, false, "BIGINT"),
                    type);
        }
    }

    @Test
    void wrongArgumentsAreRejectedWithTheSignature() {
        ModelSignature signature = signature(-1, false, "DOUBLE", "STRING");
        assertRejected(
                "it takes 2 arguments; 1 is given. Expected: Predict(a DOUBLE, b STRING). Given: Predict(DOUBLE)",
                signature,
                "DOUBLE");
        assertRejected(
                "argument 1 (a) must be DOUBLE, not STRING. Expected: Predict(a DOUBLE, b STRING)."
                        + " Given: Predict(STRING, STRING)",
                signature,
                "STRING",
                "STRING");
    }

    @Test
    void vectorOfAFixedSizeMayBeGivenAsNumbers() {
        ModelSignature signature = signature(3, false, "ARRAY<DOUBLE>");
        assertEquals(List.of("ARRAY<DOUBLE>"), accepted(signature, "ARRAY<DOUBLE>"));
        assertEquals(List.of("INT", "FLOAT", "DOUBLE"), accepted(signature, "INT", "FLOAT", "DOUBLE"));
        assertRejected(
                "it takes 3 numbers, or one array of them; 2 are given."
                        + " Expected: Predict(a ARRAY<DOUBLE>) or Predict(DOUBLE, … 3 times). Given: Predict(INT, INT)",
                signature,
                "INT",
                "INT");
    }

    @Test
    void vectorOfAnySizeMayBeGivenAsAnyNumbers() {
        ModelSignature signature = signature(0, false, "ARRAY<DOUBLE>");
        assertEquals(List.of("INT"), accepted(signature, "INT"));
        assertEquals(List.of("INT", "INT"), accepted(signature, "INT", "INT"));
    }

    @Test
    void pythonTakesNoCallOfConstantsAlone() {
        ModelSignature signature = signature(-1, true, "DOUBLE");
        assertEquals(List.of("DOUBLE"), accepted(signature, "DOUBLE"));
        ValidationException error =
                assertThrows(ValidationException.class, () -> signature.inferInputTypes(call(true, "DOUBLE"), true));
        assertEquals(
                "Function Predict of model 'loans': all its arguments are constants, which the python backend cannot"
                        + " compute with. Expected: Predict(a DOUBLE). Given: Predict(DOUBLE)",
                error.getMessage());
    }

    @Test
    void columnsHaveToFitWithoutThePlannersCasts() {
        ModelSignature signature = signature(-1, false, "DOUBLE", "ARRAY<DOUBLE>");
        assertNull(signature.mismatchOfColumns(types("INT", "ARRAY<DOUBLE>")));
        assertEquals(
                "column 2 (b) must be ARRAY<DOUBLE>, not ARRAY<FLOAT>",
                signature.mismatchOfColumns(types("INT", "ARRAY<FLOAT>")));
        assertEquals("it takes 2 arguments; 1 is given", signature.mismatchOfColumns(types("INT")));
    }

    private static List<LogicalType> types(String... types) {
        List<LogicalType> parsed = new ArrayList<>();
        for (String type : types) {
            parsed.add(ModelSignature.parse(type));
        }
        return parsed;
    }
}
