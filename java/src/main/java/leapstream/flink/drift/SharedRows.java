package leapstream.flink.drift;

import java.io.IOException;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/**
 * The type of rows for an operator that neither changes nor keeps them. Flink copies each row for each operator of a chain; of
 * this type it hands over the row itself.
 */
final class SharedRows extends TypeInformation {

    private static final long serialVersionUID = 1L;

    private final TypeInformation type;

    /** @param type the type that the rows have */
    SharedRows(TypeInformation type) {
        this.type = type;
    }

    @Override
    public boolean isBasicType() {
        return type.isBasicType();
    }

    @Override
    public boolean isTupleType() {
        return type.isTupleType();
    }

    @Override
    public int getArity() {
        return type.getArity();
    }

    @Override
    public int getTotalFields() {
        return type.getTotalFields();
    }

    @Override
    public Class getTypeClass() {
        return type.getTypeClass();
    }

    @Override
    public boolean isKeyType() {
        return type.isKeyType();
    }

    /** Flink 1.20 asks for the serializer in this way. */
    public TypeSerializer createSerializer(ExecutionConfig config) {
        return createSerializer(config.getSerializerConfig());
    }

    @Override
    public TypeSerializer createSerializer(SerializerConfig config) {
        return new Serializer(type.createSerializer(config));
    }

    @Override
    public String toString() {
        return "SharedRows(" + type + ")";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SharedRows && type.equals(((SharedRows) other).type);
    }

    @Override
    public int hashCode() {
        return type.hashCode();
    }

    @Override
    public boolean canEqual(Object other) {
        return other instanceof SharedRows;
    }

    /** The serializer of the rows, but its copy of a row is the row. */
    static final class Serializer extends TypeSerializer {

        private static final long serialVersionUID = 1L;

        private final TypeSerializer rows;

        Serializer(TypeSerializer rows) {
            this.rows = rows;
        }

        @Override
        public boolean isImmutableType() {
            return rows.isImmutableType();
        }

        @Override
        public TypeSerializer duplicate() {
            return new Serializer(rows.duplicate());
        }

        @Override
        public Object createInstance() {
            return rows.createInstance();
        }

        @Override
        public Object copy(Object row) {
            return row;
        }

        @Override
        public Object copy(Object row, Object reused) {
            return row;
        }

        @Override
        public int getLength() {
            return rows.getLength();
        }

        @Override
        public void serialize(Object row, DataOutputView target) throws IOException {
            rows.serialize(row, target);
        }

        @Override
        public Object deserialize(DataInputView source) throws IOException {
            return rows.deserialize(source);
        }

        @Override
        public Object deserialize(Object reused, DataInputView source) throws IOException {
            return rows.deserialize(reused, source);
        }

        @Override
        public void copy(DataInputView source, DataOutputView target) throws IOException {
            rows.copy(source, target);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Serializer && rows.equals(((Serializer) other).rows);
        }

        @Override
        public int hashCode() {
            return rows.hashCode();
        }

        @Override
        public TypeSerializerSnapshot snapshotConfiguration() {
            return rows.snapshotConfiguration();
        }
    }
}
