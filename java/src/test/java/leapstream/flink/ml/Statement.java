package leapstream.flink.ml;

import java.util.Map;
import leapstream.flink.Functions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.catalog.CatalogModel;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.catalog.ObjectIdentifier;
import org.apache.flink.table.catalog.ResolvedCatalogModel;
import org.apache.flink.table.catalog.ResolvedSchema;
import org.apache.flink.table.factories.FactoryUtil.DefaultModelProviderContext;
import org.apache.flink.table.factories.ModelProviderFactory;

/** CREATE MODEL statements as providers see them. */
final class Statement {

    private Statement() {}

    /** Columns: name, type, name, type, … */
    static ResolvedSchema columns(String... namesAndTypes) {
        Column[] columns = new Column[namesAndTypes.length / 2];
        for (int i = 0; i < columns.length; i++) {
            columns[i] = Column.physical(namesAndTypes[2 * i], Functions.type(namesAndTypes[2 * i + 1]));
        }
        return ResolvedSchema.of(columns);
    }

    static ModelProviderFactory.Context of(ResolvedSchema inputs, ResolvedSchema outputs, Map<String, String> options) {
        CatalogModel model = CatalogModel.of(
                Schema.newBuilder().fromResolvedSchema(inputs).build(),
                Schema.newBuilder().fromResolvedSchema(outputs).build(),
                options,
                null);
        return new DefaultModelProviderContext(
                ObjectIdentifier.of("c", "d", "m"),
                ResolvedCatalogModel.of(model, inputs, outputs),
                new Configuration(),
                Statement.class.getClassLoader(),
                true);
    }
}
