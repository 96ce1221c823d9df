package leapstream.flink.drift;

/** Chooses a share of rows by a xorshift generator, which gives the same choices each time that it begins. */
final class Sample {

    private static final double ALL = 9007199254740992.0;

    private final long most;
    private long state;

    /**
     * @param share the share of rows, from 0 to 1
     * @param seed the seed; that of each subtask is another
     */
    Sample(double share, int seed) {
        most = (long) (share * ALL);
        // Nearby seeds have states that are far from each other, and none is 0.
        state = (seed + 1) * 0x9E3779B97F4A7C15L | 1;
    }

    /** True if the next row is among those that are chosen. */
    boolean next() {
        state ^= state << 13;
        state ^= state >>> 7;
        state ^= state << 17;
        return state >>> 11 < most;
    }
}
