package leapstream.flink.ml;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.factories.ModelProviderFactory;
import org.apache.flink.table.ml.PredictRuntimeProvider;
import org.junit.jupiter.api.Test;

class MLeapProviderFactoryTest {

    private static ModelProviderFactory.Context statement(String bundle) {
        return Statement.of(
                Statement.columns("a", "DOUBLE", "b", "DOUBLE"),
                Statement.columns("total", "DOUBLE"),
                Map.of("provider", "mleap", "bundle", bundle));
    }

    @Test
    void providerOfTheBundleIsFoundByItsName() {
        MLeapProviderFactory factory = new MLeapProviderFactory();
        assertEquals("mleap", factory.factoryIdentifier());
        assertTrue(factory.createModelProvider(statement("Adder")) instanceof PredictRuntimeProvider);
    }

    @Test
    void bundleThatNoJarHasIsNamed() {
        ValidationException error = assertThrows(
                ValidationException.class, () -> new MLeapProviderFactory().createModelProvider(statement("Nothing")));
        assertEquals(
                "Model c.d.m: no jar of this session has the bundle 'Nothing'; leapstream compile makes one, ADD JAR adds it",
                error.getMessage());
    }
}
