"""The vectorized executor: a plan over a batch of rows, with NumPy, Arrow and numba."""
