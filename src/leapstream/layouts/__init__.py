"""Layouts of model data as flat arrays, which all executors share: forests, and trees of clusters."""
