"""Layouts of model data as flat arrays, shared by the executors: forests and trees of clusters."""
