package leapstream.flink.ml;

import java.io.Serializable;
import java.util.List;
import leapstream.flink.Conversion;
import leapstream.runtime.Printable;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.LogicalType;

/** The INPUT columns of a CREATE MODEL statement, as the arguments of a model's function. */
public final class InputColumns implements Serializable {

    private static final long serialVersionUID = 1L;

    private final String model;
    private final String[] names;
    private final LogicalType[] types;
    private final int[] places;
    private final Conversion[] conversions;

    /**
     * @param model the model and its function, for messages
     * @param names name of each column
     * @param types type of each column
     * @param places which of the columns each argument is
     */
    public InputColumns(String model, String[] names, LogicalType[] types, int[] places) {
        this(model, names, types, places, new Conversion[names.length]);
    }

    private InputColumns(String model, String[] names, LogicalType[] types, int[] places, Conversion[] conversions) {
        this.model = model;
        this.names = names;
        this.types = types;
        this.places = places;
        this.conversions = conversions;
    }

    /** The INPUT columns with the conversions from a table's columns of such types. */
    public InputColumns over(List given) {
        Conversion[] found = new Conversion[names.length];
        for (int i = 0; i < names.length; i++) {
            LogicalType type = ((DataType) given.get(i)).getLogicalType();
            if (!Conversion.supports(type, types[i])) {
                throw new ValidationException(Printable.of("Model " + model
                        + ": the column that stands for INPUT column '"
                        + names[i]
                        + "' must be " + types[i].asSummaryString() + " or a type that SQL casts to it implicitly, not "
                        + type.asSummaryString()));
            }
            found[i] = Conversion.of(type, types[i]);
        }
        return new InputColumns(model, names, types, places, found);
    }

    public int count() {
        return places.length;
    }

    /** An argument of the function. */
    public Object argument(RowData row, int i) {
        int place = places[i];
        // Flink's PredictFunction makes such a row of the arguments of its eval.
        Object value = ((GenericRowData) row).getField(place);
        return conversions[place] == null ? value : conversions[place].apply(value);
    }
}
