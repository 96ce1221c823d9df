package leapstream.flink.ml;

import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import leapstream.flink.live.StoredFunction;
import leapstream.flink.live.StoredModel;
import leapstream.runtime.Printable;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.factories.ModelProviderFactory;

/** Makes CREATE MODEL a model of a store, which changes while jobs run. */
public final class StoreProviderFactory extends BundleProviderFactory {

    public static final ConfigOption STORE =
            ConfigOptions.key("store").stringType().noDefaultValue();
    public static final ConfigOption ALIAS =
            ConfigOptions.key("alias").stringType().noDefaultValue();
    public static final ConfigOption VERSION =
            ConfigOptions.key("version").stringType().noDefaultValue();
    public static final ConfigOption RELOAD_INTERVAL =
            ConfigOptions.key("reload-interval").durationType().defaultValue(Duration.ofSeconds(60));
    public static final ConfigOption SPLIT_KEY =
            ConfigOptions.key("split-key").stringType().noDefaultValue();
    public static final ConfigOption SHADOW =
            ConfigOptions.key("shadow").stringType().asList().noDefaultValue();

    private static final String DEFAULT_ALIAS = "live";

    private StoreProviderFactory(StoredFunction function) {
        super(function);
    }

    /** The factory for the model that the options of a statement name. */
    static StoreProviderFactory of(ModelProviderFactory.Context context, ReadableConfig options) {
        String model = "Model " + context.getObjectIdentifier().asSummaryString() + ": ";
        String alias = (String) options.get(ALIAS);
        String version = (String) options.get(VERSION);
        if (alias != null && version != null) {
            throw new ValidationException(Printable.of(model + "give 'alias' or 'version', not both"));
        }
        try {
            StoredModel stored = new StoredModel(
                    (String) options.get(STORE),
                    version == null && alias == null ? DEFAULT_ALIAS : alias,
                    version,
                    ((Duration) options.get(RELOAD_INTERVAL)).toMillis());
            List shadows = (List) options.get(SHADOW);
            if (shadows != null) {
                stored = stored.with((String[]) shadows.toArray(new String[0]));
            }
            return new StoreProviderFactory(StoredFunction.read(stored, (String) options.get(SPLIT_KEY)));
        } catch (IllegalArgumentException e) {
            throw new ValidationException(Printable.of(model + e.getMessage()), e);
        } catch (IOException e) {
            throw new ValidationException(
                    Printable.of(model + "the store cannot be read, or has no such version: " + e.getMessage()), e);
        }
    }

    /** The options that say where a model is. */
    static Set own() {
        return new HashSet(Arrays.asList(new Object[] {STORE, ALIAS, VERSION, RELOAD_INTERVAL, SPLIT_KEY, SHADOW}));
    }

    @Override
    public Set requiredOptions() {
        return Collections.singleton(STORE);
    }

    @Override
    public Set optionalOptions() {
        Set all = own();
        all.addAll(optional());
        return all;
    }
}
