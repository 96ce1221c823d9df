"""Memory of arrays that is used again."""

from __future__ import annotations

import platform
import resource

import numpy as np
import pytest

from leapstream.memory import keep_freed_memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc decides by what was freed")
def test_the_memory_of_freed_arrays_is_used_again() -> None:
    keep_freed_memory()

    def page_faults() -> int:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        np.empty(1 << 20).fill(0.0)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    page_faults()
    pages = (8 << 20) // resource.getpagesize()
    assert min(page_faults() for _ in range(20)) < pages // 10
