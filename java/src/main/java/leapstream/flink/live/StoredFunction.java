package leapstream.flink.live;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import leapstream.flink.ModelFunction;
import leapstream.flink.ModelSignature;
import leapstream.runtime.Abi;

/** A live function whose signature is that of the version that is live when the query is planned. */
public final class StoredFunction extends LiveFunction {

    private static final long serialVersionUID = 1L;

    private final StoredModel stored;
    private final String storedSignature;
    private final String splitKey;
    private final ModelSignature signature;
    private final String[] outputs;
    private final String[] outputTypes;

    /**
     * @param storedSignature the signature of all versions
     * @param signature that of the function
     * @param outputs names of its outputs, with their types
     */
    public StoredFunction(
            StoredModel stored,
            String splitKey,
            String storedSignature,
            ModelSignature signature,
            String[] outputs,
            String[] outputTypes) {
        this.stored = stored;
        this.splitKey = splitKey;
        this.storedSignature = storedSignature;
        this.signature = signature;
        this.outputs = outputs;
        this.outputTypes = outputTypes;
    }

    /** The function with all that versions like this one give. */
    private static StoredFunction of(StoredModel stored, String splitKey, ModelFunction model) {
        ModelSignature found = model.signature();
        List names = new ArrayList();
        List types = new ArrayList();
        for (int shadow = 0; shadow < 2; shadow++) {
            for (int i = 0; i < model.outputCount(); i++) {
                names.add((shadow == 0 ? "" : SHADOW) + model.outputName(i));
                types.add(model.outputType(i).asSummaryString());
            }
        }
        names.add(SHADOW + "version");
        types.add("STRING");
        names.add(SHADOW + "error");
        types.add("STRING");
        return new StoredFunction(
                stored,
                splitKey,
                signatureOf(model),
                splitKey == null ? found : found.with(splitKey),
                (String[]) names.toArray(new String[0]),
                (String[]) types.toArray(new String[0]));
    }

    /** Reads the signature of a model from its store. */
    public static StoredFunction read(StoredModel stored, String splitKey) throws IOException {
        Selection selection = stored.selection();
        stored.findShadows();
        LiveVersion version = new LiveVersion(stored, selection.versions[0], selection.sha256[0], null, 1, false);
        try {
            ModelFunction model = version.take();
            try {
                return of(stored, splitKey, model);
            } finally {
                version.release();
            }
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        } finally {
            version.release();
        }
    }

    /** The function without shadows: its outputs are those of the model alone. */
    public StoredFunction ofModelOutputs() {
        // First come the outputs of the model, then as many of its shadow, then the shadow's version and error.
        int count = (outputs.length - 2) / 2;
        return new StoredFunction(
                stored, splitKey, storedSignature, signature, (String[]) Arrays.copyOf(outputs, count), (String[])
                        Arrays.copyOf(outputTypes, count));
    }

    @Override
    protected StoredModel stored() {
        return stored;
    }

    @Override
    protected String storedSignature() {
        return storedSignature;
    }

    @Override
    protected String splitKey() {
        return splitKey;
    }

    @Override
    protected int abi() {
        return Abi.NUMBER;
    }

    @Override
    protected String leapstreamVersion() {
        return Abi.version();
    }

    @Override
    protected ModelSignature makeSignature() {
        return signature;
    }

    @Override
    protected String[] outputs() {
        return outputs;
    }

    @Override
    protected String[] outputTypes() {
        return outputTypes;
    }
}
