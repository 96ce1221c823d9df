package leapstream.flink.ml;

import java.io.IOException;
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
import org.apache.flink.util.TimeUtils;

/** Makes CREATE MODEL a model of a store, which changes while jobs run. */
public final class StoreProviderFactory extends BundleProviderFactory {

    public static final ConfigOption STORE =
            ConfigOptions.key("store").stringType().noDefaultValue();
    public static final ConfigOption ALIAS =
            ConfigOptions.key("alias").stringType().noDefaultValue();
    public static final ConfigOption VERSION =
            ConfigOptions.key("version").stringType().noDefaultValue();
    public static final ConfigOption RELOAD_INTERVAL =
            ConfigOptions.key("reload-interval").stringType().noDefaultValue();
    public static final ConfigOption SPLIT_KEY =
            ConfigOptions.key("split-key").stringType().noDefaultValue();
    public static final ConfigOption SHADOW =
            ConfigOptions.key("shadow").stringType().asList().noDefaultValue();

    private static final String DEFAULT_ALIAS = "live";
    private static final String DEFAULT_INTERVAL = "60 s";

    private StoreProviderFactory(StoredFunction function) {
        super(function);
    }

    /** The factory for the model that the options of a statement name. */
    static StoreProviderFactory of(ModelProviderFactory.Context context, ReadableConfig options) {
        return new StoreProviderFactory(function(
                "Model " + context.getObjectIdentifier().asSummaryString() + ": ",
                (String) options.get(STORE),
                (String) options.get(ALIAS),
                (String) options.get(VERSION),
                (String) options.get(RELOAD_INTERVAL),
                (String) options.get(SPLIT_KEY),
                (List) options.get(SHADOW)));
    }

    /**
     * The function over a model of a store, which is read for its signature; everything but the store may be null.
     *
     * @param where the beginning of error messages
     */
    static StoredFunction function(
            String where, String store, String alias, String version, String interval, String splitKey, List shadows) {
        if (alias != null && version != null) {
            throw new ValidationException(Printable.of(where + "give 'alias' or 'version', not both"));
        }
        try {
            StoredModel stored = new StoredModel(
                    store,
                    version == null && alias == null ? DEFAULT_ALIAS : alias,
                    version,
                    TimeUtils.parseDuration(interval == null ? DEFAULT_INTERVAL : interval)
                            .toMillis());
            if (shadows != null) {
                stored = stored.with((String[]) shadows.toArray(new String[0]));
            }
            return StoredFunction.read(stored, splitKey);
        } catch (IllegalArgumentException e) {
            throw new ValidationException(Printable.of(where + e.getMessage()), e);
        } catch (IOException e) {
            throw new ValidationException(
                    Printable.of(where + "the store cannot be read, or has no such version: " + e.getMessage()), e);
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
