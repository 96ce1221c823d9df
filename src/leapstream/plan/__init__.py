"""Plans: typed graphs of primitives that ops lower to and executors run, and rewrites of plans."""
