"""The MLeap Bundle format and leap frames: reading and writing, with no knowledge of what an op computes."""
