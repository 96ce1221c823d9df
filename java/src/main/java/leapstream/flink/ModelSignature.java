package leapstream.flink;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import leapstream.runtime.Printable;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.functions.FunctionDefinition;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.ArgumentCount;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.ConstantArgumentCount;
import org.apache.flink.table.types.inference.InputTypeStrategy;
import org.apache.flink.table.types.inference.Signature;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.inference.TypeStrategies;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.DoubleType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.apache.flink.table.types.utils.DataTypeUtils;

/** The arguments and the result of a function; checks the arguments of a call when the query is planned. */
public final class ModelSignature implements InputTypeStrategy, Serializable {

    private static final long serialVersionUID = 1L;

    private final String function;
    private final String model;
    private final String[] names;
    private final String[] types;
    private final int packed;
    private final String result;
    private final boolean python;

    /**
     * @param types SQL type of each argument
     * @param packed -1: the arguments are as they are; else the only argument is an ARRAY that may also be given as that many
     *     scalars (0: as any number of them)
     * @param result SQL type of the result
     * @param python whether Python computes it, which PyFlink cannot ask for rows without columns
     */
    public ModelSignature(
            String function, String model, String[] names, String[] types, int packed, String result, boolean python) {
        this.function = function;
        this.model = model;
        this.names = names;
        this.types = types;
        this.packed = packed;
        this.result = result;
        this.python = python;
    }

    /** The signature with one more argument, a STRING, unless it has it. */
    public ModelSignature with(String name) {
        for (int i = 0; i < names.length; i++) {
            if (names[i].equals(name)) {
                return this;
            }
        }
        String[] more = (String[]) Arrays.copyOf(names, names.length + 1);
        String[] kinds = (String[]) Arrays.copyOf(types, types.length + 1);
        more[names.length] = name;
        kinds[types.length] = "STRING";
        return new ModelSignature(function, model, more, kinds, -1, result, python);
    }

    public TypeInference typeInference() {
        return TypeInference.newBuilder()
                .inputTypeStrategy(this)
                .outputTypeStrategy(TypeStrategies.explicit(internal(parse(result))))
                .build();
    }

    @Override
    public ArgumentCount getArgumentCount() {
        // The count is checked below, where the message can name model and signature.
        return ConstantArgumentCount.any();
    }

    @Override
    public Optional inferInputTypes(CallContext call, boolean throwOnFailure) {
        List given = new ArrayList();
        for (int i = 0; i < call.getArgumentDataTypes().size(); i++) {
            given.add(((DataType) call.getArgumentDataTypes().get(i)).getLogicalType());
        }
        List accepted = new ArrayList();
        String mismatch = mismatch(given, accepted);
        if (mismatch == null && python && areLiterals(call, given.size())) {
            mismatch = "all its arguments are constants, which the python backend cannot compute with";
        }
        if (mismatch == null) {
            return Optional.of(accepted);
        }
        if (throwOnFailure) {
            throw new ValidationException(Printable.of("Function " + function + " of model '" + model + "': " + mismatch
                    + ". Expected: " + this + ". Given: " + function + describe(given)));
        }
        return Optional.empty();
    }

    public String[] names() {
        return names;
    }

    public String model() {
        return model;
    }

    /** The type of an argument; scalars that stand for an array have the type of its elements. */
    public LogicalType type(int i, int count) {
        return count == types.length
                ? parse(types[i])
                : (LogicalType) parse(types[0]).getChildren().get(0);
    }

    /** True if the function can be called with so many arguments. */
    public boolean takes(int count) {
        return count == types.length || packed == 0 || packed > 0 && count == packed;
    }

    /** The reason for which the function cannot take columns of these types without the planner's casts; null if it can. */
    public String mismatchOfColumns(List given) {
        List accepted = new ArrayList();
        String mismatch = mismatch(given, accepted);
        for (int i = 0; mismatch == null && i < given.size(); i++) {
            LogicalType type = typeOf(given, i);
            LogicalType taken = ((DataType) accepted.get(i)).getLogicalType();
            boolean scalar = isNumber(type)
                    || type.getTypeRoot() == LogicalTypeRoot.BOOLEAN
                    || type.is(LogicalTypeFamily.CHARACTER_STRING)
                    || type.is(LogicalTypeFamily.BINARY_STRING);
            if (!scalar && !type.copy(true).equals(taken.copy(true))) {
                String name = given.size() == names.length ? " (" + names[i] + ")" : "";
                mismatch = "column " + (i + 1) + name + " must be " + taken.asSummaryString() + ", not "
                        + type.asSummaryString();
            }
        }
        return mismatch;
    }

    /** The reason for which the function cannot take arguments of these types; null if it can. */
    private String mismatch(List given, List accepted) {
        String mismatch = null;
        if (isPacked(given)) {
            LogicalType element = (LogicalType) ((ArrayType) parse(types[0])).getElementType();
            if (packed > 0 && given.size() != packed) {
                mismatch = "it takes " + packed + " numbers, or one array of them; " + given.size() + " are given";
            }
            for (int i = 0; mismatch == null && i < given.size(); i++) {
                mismatch = accept(typeOf(given, i), element.copy(true), "argument " + (i + 1), accepted);
            }
        } else if (given.size() != types.length) {
            mismatch = "it takes " + types.length + (types.length == 1 ? " argument; " : " arguments; ") + given.size()
                    + (given.size() == 1 ? " is given" : " are given");
        } else {
            for (int i = 0; mismatch == null && i < types.length; i++) {
                mismatch = accept(
                        typeOf(given, i), parse(types[i]), "argument " + (i + 1) + " (" + names[i] + ")", accepted);
            }
        }
        return mismatch;
    }

    @Override
    public List getExpectedSignatures(FunctionDefinition definition) {
        List arguments = new ArrayList();
        for (int i = 0; i < types.length; i++) {
            arguments.add(Signature.Argument.of(names[i], types[i]));
        }
        return Collections.singletonList(Signature.of(arguments));
    }

    private static boolean areLiterals(CallContext call, int count) {
        for (int i = 0; i < count; i++) {
            if (!call.isArgumentLiteral(i) && !call.isArgumentNull(i)) {
                return false;
            }
        }
        return true;
    }

    private boolean isPacked(List given) {
        if (packed < 0 || given.isEmpty()) {
            return false;
        }
        LogicalTypeRoot root = typeOf(given, 0).getTypeRoot();
        return given.size() > 1 || root != LogicalTypeRoot.ARRAY && root != LogicalTypeRoot.NULL;
    }

    /** Adds the type in which the function gets the argument, or says why it cannot. */
    private String accept(LogicalType given, LogicalType wanted, String place, List accepted) {
        if (Conversion.supports(given, wanted)) {
            accepted.add(internal(wanted));
            return null;
        }
        if (isNumber(given) || given.getTypeRoot() == LogicalTypeRoot.BOOLEAN) {
            // MLeap converts these among each other and to strings; the function does it, as SQL has other rules.
            if (isNumber(wanted)
                    || wanted.getTypeRoot() == LogicalTypeRoot.BOOLEAN
                    || wanted.is(LogicalTypeFamily.CHARACTER_STRING)) {
                // A double holds fewer integers than DECIMAL and BIGINT; pandas has no DECIMAL.
                boolean asDouble = given.getTypeRoot() == LogicalTypeRoot.DECIMAL
                        && (python || !wanted.is(LogicalTypeFamily.INTEGER_NUMERIC));
                accepted.add(internal(asDouble ? new DoubleType() : given));
                return null;
            }
        }
        return place + " must be " + wanted.asSummaryString() + ", not " + given.asSummaryString();
    }

    private static boolean isNumber(LogicalType type) {
        return type.is(LogicalTypeFamily.NUMERIC);
    }

    private static LogicalType typeOf(List given, int i) {
        return (LogicalType) given.get(i);
    }

    private static DataType internal(LogicalType type) {
        return DataTypeUtils.toInternalDataType(type);
    }

    public static LogicalType parse(String type) {
        return LogicalTypeParser.parse(type, ModelSignature.class.getClassLoader());
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(function).append('(');
        for (int i = 0; i < types.length; i++) {
            text.append(i == 0 ? "" : ", ").append(names[i]).append(' ').append(types[i]);
        }
        text.append(')');
        if (packed >= 0) {
            String element = ((ArrayType) parse(types[0])).getElementType().asSummaryString();
            text.append(" or ").append(function).append('(').append(element).append(", …");
            text.append(packed > 0 ? " " + packed + " times)" : ")");
        }
        return text.toString();
    }

    private static String describe(List given) {
        StringBuilder text = new StringBuilder("(");
        for (int i = 0; i < given.size(); i++) {
            text.append(i == 0 ? "" : ", ").append(typeOf(given, i).asSummaryString());
        }
        return text.append(')').toString();
    }
}
