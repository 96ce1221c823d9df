"""The executors: each runs the plans of models over rows. :mod:`leapstream.executors.contract` defines an executor."""
