package leapstream.flink.live;

import java.io.IOException;

/** A version of a store cannot be used, whatever the state of the network. */
public final class RejectedVersionException extends IOException {

    private static final long serialVersionUID = 1L;

    public RejectedVersionException(String message) {
        super(message);
    }

    public RejectedVersionException(String message, Throwable cause) {
        super(message, cause);
    }
}
