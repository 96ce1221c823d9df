package leapstream.models.provider;

import leapstream.flink.Functions.Sum;
import leapstream.flink.ml.BundleProviderFactory;

/** The factory of a jar for its bundle Adder, in the package in which the provider looks for it. */
public final class Adder extends BundleProviderFactory {

    public Adder() {
        super(new Sum());
    }
}
