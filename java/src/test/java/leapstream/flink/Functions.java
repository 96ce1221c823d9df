package leapstream.flink;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import leapstream.runtime.Abi;
import leapstream.runtime.PredictionException;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.apache.flink.table.types.utils.TypeConversions;

/** Functions and calls that tests of functions need. */
public final class Functions {

    private Functions() {}

    /** Gives the sum of a and b, and a text; drops rows whose sum is 0, fails where it is negative. */
    public static final class Sum extends ModelFunction {

        private static final long serialVersionUID = 1L;

        public boolean loaded;

        private final int abi;

        public Sum() {
            this(Abi.NUMBER);
        }

        public Sum(int abi) {
            this.abi = abi;
        }

        @Override
        protected int abi() {
            return abi;
        }

        @Override
        protected String leapstreamVersion() {
            return "0.0.1";
        }

        @Override
        protected ModelSignature makeSignature() {
            String[] names = {"a", "b"};
            String[] types = {"DOUBLE", "DOUBLE"};
            return new ModelSignature("Sum", "adder", names, types, -1, "ROW<total DOUBLE, sign STRING>", false);
        }

        @Override
        protected String version() {
            return "1";
        }

        @Override
        protected String[] outputs() {
            return new String[] {"total", "sign"};
        }

        @Override
        protected String[] outputTypes() {
            return new String[] {"DOUBLE", "STRING"};
        }

        @Override
        protected void load() throws IOException {
            loaded = true;
        }

        @Override
        public Object call(Object[] arguments) {
            double total = toDouble(arguments[0]) + toDouble(arguments[1]);
            if (total < 0) {
                throw new PredictionException("the sum is negative", "adder", null, null, null);
            }
            dropped = total == 0;
            return dropped ? new GenericRowData(2) : GenericRowData.of(total, StringData.fromString("+"));
        }

        public static Sum opened() throws Exception {
            Sum sum = new Sum();
            sum.open(new UnregisteredMetricsGroup());
            return sum;
        }
    }

    public static DataType type(String text) {
        return TypeConversions.fromLogicalToDataType(LogicalTypeParser.parse(text, Functions.class.getClassLoader()));
    }

    /** A call with arguments of such types, of which all are literals or none. */
    public static CallContext call(boolean literals, String... types) {
        List<DataType> given =
                Arrays.asList(Arrays.stream(types).map(Functions::type).toArray(DataType[]::new));
        return (CallContext) Proxy.newProxyInstance(
                Functions.class.getClassLoader(), new Class<?>[] {CallContext.class}, (proxy, method, arguments) -> {
                    switch (method.getName()) {
                        case "getArgumentDataTypes":
                            return given;
                        case "isArgumentLiteral":
                            return literals;
                        case "isArgumentNull":
                            return false;
                        default:
                            throw new UnsupportedOperationException(method.getName());
                    }
                });
    }
}
