"""The readers that scripts/fuzz_files.py fuzzes, with counters in their code: what its processes share."""

import io
from contextlib import redirect_stderr

import atheris

# numba compiles these modules, and cannot compile code that counts what it reaches.
_COMPILED = [
    "leapstream.executors.bits",
    "leapstream.executors.rowwise.treekernels",
    *(
        f"leapstream.executors.vectorized.{name}"
        for name in ("kernels", "shapkernels", "clusterkernels", "textkernels")
    ),
]

_COUNTED = ["leapstream", "zipfile", "pyhocon", "json", "skops"]

# It names each module on standard error.
with redirect_stderr(io.StringIO()), atheris.instrument_imports(include=_COUNTED, exclude=_COMPILED):
    import fuzz_targets as fuzz_targets
