"""Reads and writes MLeap Bundles and leap frames. Nothing in this package depends on the ops."""
