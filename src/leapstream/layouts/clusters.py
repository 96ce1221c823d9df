"""The layout of a tree of clusters."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from leapstream.bundle.definition import ClusterTree


def subtree_ends(tree: ClusterTree) -> npt.NDArray[np.int32]:
    """int32 per node: the index after the last node of its subtree, which is that of its next sibling if it has one."""
    ends = np.zeros(len(tree.num_children), dtype=np.int32)
    for node in range(len(ends) - 1, -1, -1):
        end = node + 1
        for _ in range(tree.num_children[node]):
            end = ends[end]
        ends[node] = end
    return ends
