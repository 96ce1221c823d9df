package leapstream.flink.drift;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.io.IOException;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;

class SharedRowsTest {

    private static final TypeInformation<Row> ROWS = Types.ROW(Types.STRING, Types.DOUBLE);
    private static final Row ROW = Row.of("CA", 1.5);

    @SuppressWarnings("unchecked")
    private static TypeSerializer<Object> serializer() {
        return new SharedRows(ROWS).createSerializer(new SerializerConfigImpl());
    }

    @Test
    void theCopyOfARowIsTheRow() {
        assertSame(ROW, serializer().copy(ROW));
        assertSame(ROW, serializer().copy(ROW, new Row(2)));
        assertSame(ROW, serializer().duplicate().copy(ROW));
    }

    @Test
    void betweenTasksRowsAreThoseOfTheirOwnType() throws IOException {
        DataOutputSerializer written = new DataOutputSerializer(64);
        ROWS.createSerializer(new SerializerConfigImpl()).serialize(ROW, written);
        assertEquals(ROW, serializer().deserialize(new DataInputDeserializer(written.getCopyOfBuffer())));
    }
}
