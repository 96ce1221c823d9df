package leapstream.flink.ml;

import java.util.Collections;
import java.util.Set;
import leapstream.runtime.Printable;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.factories.ModelProviderFactory;
import org.apache.flink.table.ml.ModelProvider;

/**
 * Finds the bundle of CREATE MODEL ... WITH ('provider' = 'mleap', 'bundle' = 'NAME'), or 'store' = 'STORE/NAME'.
 *
 * It knows the bundle's own factory by Flink's interface alone: where two jars of models are in class loaders one above the
 * other, this class may be the one of the upper jar, and the bundle in the lower.
 */
public final class MLeapProviderFactory implements ModelProviderFactory {

    private static final String PACKAGE = "leapstream.models.provider.";

    public String factoryIdentifier() {
        return "mleap";
    }

    public Set requiredOptions() {
        return Collections.emptySet();
    }

    public Set optionalOptions() {
        Set all = StoreProviderFactory.own();
        all.add(BundleProviderFactory.BUNDLE);
        all.addAll(BundleProviderFactory.optional());
        return all;
    }

    public ModelProvider createModelProvider(ModelProviderFactory.Context context) {
        FactoryUtil.ModelProviderFactoryHelper helper = FactoryUtil.createModelProviderFactoryHelper(this, context);
        helper.validate();
        boolean stored =
                helper.getOptions().getOptional(StoreProviderFactory.STORE).isPresent();
        boolean compiled =
                helper.getOptions().getOptional(BundleProviderFactory.BUNDLE).isPresent();
        if (stored == compiled) {
            throw new ValidationException(
                    "Model " + context.getObjectIdentifier().asSummaryString()
                            + ": give 'bundle', the name of a bundle in a jar of this session, or 'store', "
                            + "STORE/NAME of a model in a store");
        }
        if (stored) {
            return StoreProviderFactory.of(context, helper.getOptions()).createModelProvider(context);
        }
        String bundle = (String) helper.getOptions().get(BundleProviderFactory.BUNDLE);
        ModelProviderFactory factory;
        try {
            factory = (ModelProviderFactory) Class.forName(PACKAGE + bundle, true, context.getClassLoader())
                    .getDeclaredConstructor(new Class[0])
                    .newInstance(new Object[0]);
        } catch (Exception e) {
            throw new ValidationException(
                    "Model " + context.getObjectIdentifier().asSummaryString()
                            + ": no jar of this session has the bundle '" + Printable.of(bundle)
                            + "'; leapstream compile makes one, ADD JAR adds it",
                    e);
        }
        return factory.createModelProvider(context);
    }
}
