package leapstream.flink;

import java.io.Serializable;
import java.lang.reflect.Field;
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
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeFamily;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.apache.flink.table.types.utils.DataTypeUtils;
import org.apache.flink.table.types.utils.TypeConversions;

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
    private final String splitKey;

    /**
     * @param types SQL type of each argument
     * @param packed -1: the arguments are as they are; else the only argument is an ARRAY that may also be given as that many
     *     scalars (0: as any number of them)
     * @param result SQL type of the result
     * @param python whether Python computes it, which PyFlink cannot ask for rows without columns
     */
    public ModelSignature(
            String function, String model, String[] names, String[] types, int packed, String result, boolean python) {
        this(function, model, names, types, packed, result, python, null);
    }

    private ModelSignature(
            String function,
            String model,
            String[] names,
            String[] types,
            int packed,
            String result,
            boolean python,
            String splitKey) {
        this.function = function;
        this.model = model;
        this.names = names;
        this.types = types;
        this.packed = packed;
        this.result = result;
        this.python = python;
        this.splitKey = splitKey;
    }

    /** The signature of a function that Python computes; the text of its split key, if it has one, chooses a version. */
    static ModelSignature ofPython(
            String function, String model, String[] names, String[] types, int packed, String result, String splitKey) {
        return new ModelSignature(function, model, names, types, packed, result, true, splitKey);
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

    /**
     * The arguments have the names of the bundle's inputs, unless scalars may stand for an array: Flink lets a function with
     * named arguments have one signature alone.
     */
    @SuppressWarnings("deprecation") // Flink 1.20 has no other way, and 2.3 still has this one.
    public TypeInference typeInference() {
        TypeInference.Builder builder = TypeInference.newBuilder()
                .inputTypeStrategy(this)
                .outputTypeStrategy(TypeStrategies.explicit(internal(parse(result))));
        if (packed < 0) {
            List declared = new ArrayList();
            for (int i = 0; i < types.length; i++) {
                declared.add(internal(parse(types[i])));
            }
            builder.namedArguments(Arrays.asList(names)).typedArguments(declared);
        }
        return builder.build();
    }

    @Override
    public ArgumentCount getArgumentCount() {
        // The count is checked below, where the message can name model and signature.
        return ConstantArgumentCount.any();
    }

    @Override
    public Optional inferInputTypes(CallContext call, boolean throwOnFailure) {
        List given = new ArrayList();
        CallContext written = asWritten(call);
        List argumentTypes = written.getArgumentDataTypes();
        for (int i = 0; i < argumentTypes.size(); i++) {
            given.add(((DataType) argumentTypes.get(i)).getLogicalType());
        }
        List accepted = new ArrayList();
        String mismatch = mismatch(given, accepted);
        if (mismatch == null && python && areLiterals(written, given.size())) {
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

    /** The call with the types that the query gives. Flink shows the declared types of named arguments in their place. */
    private static CallContext asWritten(CallContext call) {
        try {
            Field written = call.getClass().getDeclaredField("originalContext");
            written.setAccessible(true);
            return (CallContext) written.get(call);
        } catch (ReflectiveOperationException e) {
            return call;
        } catch (RuntimeException e) {
            // Java's modules forbid it. The declared types remain, to which Flink casts what SQL casts implicitly.
            return call;
        }
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
            if (isTime(type) || !scalar && !type.copy(true).equals(taken.copy(true))) {
                String name = given.size() == names.length ? " (" + names[i] + ")" : "";
                mismatch = "column " + (i + 1) + name + " must be "
                        + type(i, given.size()).asSummaryString() + ", not " + type.asSummaryString();
            }
        }
        return mismatch;
    }

    /** The reason for which the function cannot take values of columns of these types; null if it can. */
    public String mismatchOfValues(List given) {
        return mismatch(given, new ArrayList());
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
                LogicalType type = typeOf(given, i);
                mismatch = accept(type, parse(types[i]), "argument " + (i + 1) + " (" + names[i] + ")", accepted);
                if (mismatch == null && names[i].equals(splitKey) && type.is(LogicalTypeFamily.INTEGER_NUMERIC)) {
                    // Python gets integers as doubles where one of them is NULL, and a DECIMAL as it is.
                    accepted.set(i, internal(new DecimalType(type.isNullable(), 19, 0)));
                }
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

    /**
     * Adds the type in which the function gets the argument, or says why it cannot. Scalars stay as they are, and the function
     * converts them: MLeap's conversions are not those of SQL, and Flink's planner casts no argument that has a name.
     */
    private static String accept(LogicalType given, LogicalType wanted, String place, List accepted) {
        boolean wantsText = wanted.is(LogicalTypeFamily.CHARACTER_STRING);
        boolean wantsNumber = isNumber(wanted) || wanted.getTypeRoot() == LogicalTypeRoot.BOOLEAN;
        if (wantsText && isTime(given)) {
            accepted.add(TypeConversions.fromLogicalToDataType(given));
        } else if (wantsText && given.is(LogicalTypeFamily.CHARACTER_STRING)
                || (wantsText || wantsNumber) && (isNumber(given) || given.getTypeRoot() == LogicalTypeRoot.BOOLEAN)) {
            accepted.add(internal(given));
        } else if (Conversion.supports(given, wanted)) {
            accepted.add(internal(wanted));
        } else {
            return place + " must be " + wanted.asSummaryString() + ", not " + given.asSummaryString();
        }
        return null;
    }

    /** A date or a time of day whose text depends on no time zone. */
    private static boolean isTime(LogicalType type) {
        LogicalTypeRoot root = type.getTypeRoot();
        return root == LogicalTypeRoot.DATE
                || root == LogicalTypeRoot.TIME_WITHOUT_TIME_ZONE
                || root == LogicalTypeRoot.TIMESTAMP_WITHOUT_TIME_ZONE;
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
