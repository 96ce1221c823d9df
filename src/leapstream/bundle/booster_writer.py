"""Writes XGBoost's boosters as the versions of XGBoost read them that MLeap runs with (1.5 to 2.0)."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle import booster as layout
from leapstream.bundle.booster import Booster, BoosterTree, Floats, whole_rounds
from leapstream.bundle.malformed import MalformedError

_BINARY_VERSION = (1, 5)
_DOCUMENT_VERSION = (2, 0, 0)
_NO_PARENT = (1 << 31) - 1
_LEFT_CHILD = -(1 << 31)


def encode_booster(booster: Booster) -> bytes:
    """Write a booster, in the binary format of XGBoost where this can hold it, otherwise in JSON.

    The binary format has one base score for all groups, no categories, and rounds of equal size. Where the groups have base
    scores of their own (since XGBoost 3.1), the leaves of each group's first tree get the group's base score added: this is the
    first sum that XGBoost computes, so that no bit of a margin changes. Attributes and names of features are left out.
    """
    booster = _with_one_base_score(booster)
    categorical = any(tree.categories for tree in booster.trees)
    return (
        _document(booster) if categorical or len(booster.base_score) > 1 or not _regular(booster) else _binary(booster)
    )


def _regular(booster: Booster) -> bool:
    try:
        return booster.linear or booster.rounds == whole_rounds(booster.group, booster.parallel_trees)
    except MalformedError:
        return False


def _with_one_base_score(booster: Booster) -> Booster:
    """The booster with the base score in its trees, where groups have several and these objectives take them for margins."""
    scores = booster.base_score
    if len(scores) == 1:
        return booster
    if (scores == scores[0]).all():
        return replace(booster, base_score=scores[:1])
    first = {group: tree for tree, group in reversed(list(enumerate(booster.group)))}
    if not booster.objective.startswith("multi:") or len(first) < len(scores):
        return booster
    trees = list(booster.trees)
    weights = None if booster.drop_weights is None else booster.drop_weights.copy()
    for group, number in first.items():
        tree, weight = trees[number], np.float32(1) if weights is None else weights[number]
        value = np.where(tree.left < 0, tree.value * weight + scores[group], tree.value).astype(np.float32)
        trees[number] = replace(tree, value=value)
        if weights is not None:
            weights[number] = 1
    return replace(booster, base_score=np.zeros(1, dtype=np.float32), trees=tuple(trees), drop_weights=weights)


def _kind(booster: Booster) -> str:
    return "gblinear" if booster.linear else "gbtree" if booster.drop_weights is None else "dart"


# ---- the binary format ------------------------------------------------------------------------------------------------


def _binary(booster: Booster) -> bytes:
    return b"".join(_records(booster))


def _records(booster: Booster) -> Iterator[bytes]:
    yield b"binf"
    score, classes, targets = float(booster.base_score[0]), booster.num_class, booster.num_target
    version = (0, 0) if booster.base_is_margin else _BINARY_VERSION
    yield layout.PARAMETERS.pack(score, booster.num_feature, classes, 1, 0, *version, targets, 0)
    yield _text(booster.objective)
    yield _text(_kind(booster))
    if booster.weights is not None:
        yield layout.LINEAR.pack()
        yield _numbers(booster.weights)
    else:
        yield layout.TREES.pack(len(booster.trees), booster.parallel_trees)
        for tree in booster.trees:
            yield _record(tree, booster.num_feature)
        yield np.array(booster.group, dtype="<i4").tobytes()
        if booster.drop_weights is not None and booster.trees:
            yield _numbers(booster.drop_weights)
    # Without these XGBoost takes the file for one of a version before 1.0, and warns.
    yield struct.pack("<Q", 1) + _text("objective") + _text(json.dumps(_objective(booster)))


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _numbers(values: Floats) -> bytes:
    return struct.pack("<Q", values.size) + values.astype("<f4").tobytes()


def _record(tree: BoosterTree, num_feature: int) -> bytes:
    count = len(tree.left)
    split = np.flatnonzero(tree.left >= 0)
    nodes, statistics = np.zeros(count, layout.NODE), np.zeros(count, layout.STATISTICS)
    nodes["parent"][0] = -1
    nodes["parent"][tree.left[split]] = split + _LEFT_CHILD
    nodes["parent"][tree.left[split] + 1] = split
    nodes["left"] = nodes["right"] = -1
    nodes["left"][split] = tree.left[split]
    nodes["right"][split] = tree.left[split] + 1
    nodes["test"][split] = tree.feature[split] | np.where(tree.default_left[split], layout.DEFAULT_LEFT, 0)
    nodes["value"] = tree.value
    statistics["cover"] = tree.cover
    return layout.TREE.pack(1, count, 0, 0, num_feature, 0) + nodes.tobytes() + statistics.tobytes()


# ---- JSON -------------------------------------------------------------------------------------------------------------


def _document(booster: Booster) -> bytes:
    trees = [_tree(tree, number, booster.num_feature) for number, tree in enumerate(booster.trees)]
    parameters = {"num_trees": str(len(trees)), "num_parallel_tree": str(booster.parallel_trees)}
    model: dict[str, Any] = {
        "gbtree_model_param": parameters,
        "iteration_indptr": [0, *booster.rounds],
        "tree_info": list(booster.group),
        "trees": trees,
    }
    gradient_booster: dict[str, Any] = {"name": "gbtree", "model": model}
    if booster.drop_weights is not None:
        weights = _listed(booster.drop_weights)
        gradient_booster = {"name": "dart", "gbtree": gradient_booster, "weight_drop": weights}
    scores = [str(score) for score in booster.base_score]
    learner = {
        "attributes": {},
        "feature_names": [],
        "feature_types": [],
        "gradient_booster": gradient_booster,
        "learner_model_param": {
            "base_score": scores[0] if len(scores) == 1 else f"[{','.join(scores)}]",
            "boost_from_average": "0",
            "num_class": str(booster.num_class),
            "num_feature": str(booster.num_feature),
            "num_target": str(booster.num_target),
        },
        "objective": _objective(booster),
    }
    return json.dumps({"learner": learner, "version": _DOCUMENT_VERSION}, separators=(",", ":")).encode()


def _objective(booster: Booster) -> dict[str, Any]:
    return {**booster.settings, "name": booster.objective}


def _listed(values: Floats) -> list[float]:
    """The numbers with no more digits than a float32 needs, as XGBoost writes them."""
    return [float(str(value)) for value in values]


def _tree(tree: BoosterTree, number: int, num_feature: int) -> dict[str, Any]:
    count = len(tree.left)
    split = np.flatnonzero(tree.left >= 0)
    parents: npt.NDArray[np.int64] = np.zeros(count, dtype=np.int64)
    parents[0] = _NO_PARENT
    parents[tree.left[split]] = parents[tree.left[split] + 1] = split
    right = np.where(tree.left >= 0, tree.left + 1, -1)
    nodes = sorted(tree.categories)
    sizes = [len(tree.categories[node]) for node in nodes]
    kinds = np.zeros(count, dtype=np.int64)
    kinds[nodes] = 1
    return {
        "base_weights": [0.0] * count,
        "categories": [c for node in nodes for c in tree.categories[node].tolist()],
        "categories_nodes": nodes,
        "categories_segments": np.cumsum([0, *sizes])[:-1].tolist(),
        "categories_sizes": sizes,
        "default_left": tree.default_left.astype(np.int64).tolist(),
        "id": number,
        "left_children": tree.left.tolist(),
        "loss_changes": [0.0] * count,
        "parents": parents.tolist(),
        "right_children": right.tolist(),
        "split_conditions": _listed(np.where(kinds == 1, np.float32(0), tree.value)),
        "split_indices": np.where(tree.left >= 0, tree.feature, 0).tolist(),
        "split_type": kinds.tolist(),
        "sum_hessian": _listed(tree.cover),
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(num_feature),
            "num_nodes": str(count),
            "size_leaf_vector": "1",
        },
    }


__all__ = ["encode_booster"]
