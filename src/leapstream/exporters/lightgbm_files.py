"""Reads what LightGBM saves of a booster: the text of ``save_model``, and the JSON of ``dump_model``.

The files are untrusted. A file is rejected if a number, a length or an index in it does not fit, and if a field or the version is
unknown, since it might change the meaning of others.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from leapstream.bundle.malformed import MalformedError, decoding, describe, fields_of, items_of, parse_json, text_of
from leapstream.errors import UnsupportedExportError
from leapstream.exporters.trees import Nodes, levels

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ZERO = float(np.float32(1e-35))
"""With ``zero_as_missing``, LightGBM treats numbers whose absolute value is at most this as zero."""

_VERSIONS = ("v2", "v3", "v4")
_OPTIONS = ("num_class", "sigmoid", "sqrt")
# A category costs the model a bucket.
_MOST_CATEGORIES = 1 << 20
_MOST_CLASSES = 1 << 16
# A coefficient costs the model a path to its leaf.
_MOST_NODES = 1 << 26

_NONE, _ZERO_IS_MISSING, _NAN = 0, 1, 2
_MISSING = {"None": _NONE, "Zero": _ZERO_IS_MISSING, "NaN": _NAN}


@dataclass(frozen=True)
class LightGBMBooster:
    """A LightGBM booster.

    Attributes:
        objective: name of the objective; ``custom`` for a function of one's own.
        options: the options in the objective's text, such as ``sigmoid``.
        forests: the trees of each sum, one for each class.
        average: true if the sums are divided by the number of trees (random forests).
        feature_names: names of the features.
        pandas_categories: the categories of each column that was a pandas categorical.
        version: the version of the format, such as ``v4``.
    """

    objective: str
    options: Mapping[str, str]
    forests: Sequence[Sequence[Nodes]]
    average: bool
    feature_names: tuple[str, ...]
    pandas_categories: list[list[Any]]
    version: str


def parse_lightgbm(data: bytes, where: str) -> LightGBMBooster:
    """Read a booster from its text or its dump in JSON.

    Raises:
        BundleError: the format or the version is unknown, the data is incomplete, or its parts do not fit each other. The
            message begins with ``where``, as that of the other error does.
        UnsupportedExportError: MLeap's trees cannot do what the trees of the booster do.
    """
    try:
        with decoding(where), np.errstate(over="ignore", invalid="ignore"):
            return _from_dump(parse_json(data)) if data.lstrip()[:1] == b"{" else _from_text(data.decode("utf-8-sig"))
    except UnsupportedExportError as error:
        raise UnsupportedExportError(f"{where}: {error}") from error


def _booster(
    version: Any,
    num_class: int,
    per_iteration: int,
    max_feature: int,
    names: Sequence[str],
    objective: str,
    average: bool,
    trees: Sequence[Nodes],
    pandas_categories: Any,
) -> LightGBMBooster:
    if version not in _VERSIONS:
        raise MalformedError(f"version is {describe(version)}; known are {', '.join(_VERSIONS)}")
    if max_feature + 1 != len(names):
        raise MalformedError(f"feature_names has {len(names)} names, and max_feature_idx is {max_feature}")
    if not 1 <= per_iteration <= _MOST_CLASSES:
        raise MalformedError(f"num_tree_per_iteration is {per_iteration}")
    if len(trees) % per_iteration:
        raise MalformedError(f"num_tree_per_iteration is {per_iteration}, and there are {len(trees)} trees")
    if sum(map(_nodes_of_slopes, trees)) > _MOST_NODES:
        raise UnsupportedExportError(f"its linear models (linear_tree) would make more than {_MOST_NODES} nodes")
    numbers: set[int] = set()
    categories: set[int] = set()
    for number, nodes in enumerate(trees):
        tested = nodes.feature[nodes.left >= 0]
        read = np.array([*tested, *nodes.slopes], dtype=np.int64)
        if (read < 0).any() or (read >= len(names)).any():
            raise MalformedError(
                f"Tree={number}: split_feature or leaf_features is beyond the booster's {len(names)} features"
            )
        inner = set(np.flatnonzero(nodes.left >= 0).tolist())
        numbers.update(nodes.feature[sorted(inner - nodes.categories.keys())].tolist())
        categories.update(nodes.feature[sorted(nodes.categories)].tolist())
        if numbers & categories:
            feature = names[min(numbers & categories)]
            raise MalformedError(f"Tree={number}: split_feature {describe(feature)} is tested as number and category")
    kind, options = _objective(objective, num_class, per_iteration)
    columns = [] if pandas_categories is None else items_of(pandas_categories, "pandas_categorical")
    return LightGBMBooster(
        objective=kind,
        options=options,
        forests=[trees[group::per_iteration] for group in range(per_iteration)],
        average=average,
        feature_names=tuple(names),
        pandas_categories=[items_of(column, "pandas_categorical") for column in columns],
        version=version,
    )


def _objective(text: str, num_class: int, per_iteration: int) -> tuple[str, dict[str, str]]:
    """The name and the options of an objective, which have to fit the number of sums."""
    kind, *rest = text.split(" ") if text else ["custom"]
    options = dict(option.partition(":")[::2] for option in rest)
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise MalformedError(f"objective: the option {describe(unknown[0])} is unknown")
    several = kind.startswith("multiclass")
    expected = num_class if several else 1
    if kind != "custom" and (per_iteration != expected or (several and num_class < 2)):
        raise MalformedError(f"num_tree_per_iteration is {per_iteration}, and the objective is {describe(text)}")
    if several and options.get("num_class") != str(num_class):
        raise MalformedError(f"num_class is {num_class}, and the objective is {describe(text)}")
    if kind in ("binary", "multiclassova"):
        sigmoid = options.get("sigmoid", "")
        if not re.fullmatch("[0-9]+([.][0-9]+)?(e[-+]?[0-9]+)?", sigmoid) or not 0 < float(sigmoid) < math.inf:
            raise MalformedError(f"objective: sigmoid is {describe(sigmoid)}, not a positive number")
    return kind, options


def _missing_left(kind: int, default_left: bool, threshold: float) -> bool:
    """True if NaN goes left at a split. With the missing type "None", LightGBM treats NaN as 0; with "Zero", 0 as NaN."""
    return threshold >= 0.0 if kind == _NONE else default_left


def _moves_zero(kind: int, default_left: bool, threshold: float) -> bool:
    """True if 0 is missing at a split, and goes to another side than the numbers around it."""
    apart = default_left != (threshold >= 0.0) or -ZERO <= threshold < ZERO
    return kind == _ZERO_IS_MISSING and apart


def _codes(categories: Sequence[int], where: str) -> list[float]:
    """The codes of the categories on the left side: category ``c`` has the code ``c + 1``."""
    if not categories or not 0 <= min(categories) <= max(categories) < _MOST_CATEGORIES:
        raise MalformedError(f"{where}: expected categories from 0 to {_MOST_CATEGORIES - 1}")
    return [float(category + 1) for category in categories]


_LeafModel = tuple[float, list[int], list[float]]
"""A constant, features and their coefficients."""


def _with_models(nodes: Nodes, models: Mapping[int, _LeafModel]) -> Nodes:
    """The tree with linear models in leaves.

    Where a number that a leaf's model reads is missing, LightGBM gives the leaf's constant value. So each such leaf becomes a
    chain of tests for missing numbers, which ends in the linear model.
    """
    more = 2 * sum(len(features) for _, features, _ in models.values())
    count = len(nodes.left)

    def longer(values: Any, filled: float) -> Any:
        return np.concatenate([values, np.full(more, filled, dtype=values.dtype)])

    left, right, feature = (longer(values, -1) for values in (nodes.left, nodes.right, nodes.feature))
    threshold, values = longer(nodes.threshold, 0.0), longer(nodes.values[:, 0], 0.0)
    slopes: dict[int, dict[int, float]] = {}
    for leaf, (constant, features, coefficients) in models.items():
        node, missing = leaf, values[leaf]
        for number in features:
            # Every number is at most infinity, and NaN is not.
            feature[node], threshold[node], left[node], right[node] = number, np.inf, count, count + 1
            values[count + 1] = missing
            node, count = count, count + 2
        values[node] = constant
        for number, coefficient in zip(features, coefficients, strict=True):
            of_leaf = slopes.setdefault(number, {})
            of_leaf[node] = of_leaf.get(node, 0.0) + coefficient
    return replace(
        nodes,
        left=left,
        right=right,
        feature=feature,
        threshold=threshold,
        missing_left=longer(nodes.missing_left, False),
        values=values[:, None],
        slopes=slopes,
    )


def _nodes_of_slopes(nodes: Nodes) -> int:
    """The most nodes that the trees of coefficients may have: two for each split on the paths to their leaves."""
    if not nodes.slopes:
        return 0
    depths = np.zeros(len(nodes.left), dtype=np.int64)
    for depth, level in enumerate(levels(nodes)):
        depths[level] = depth
    return 2 * sum(int(depths[list(of_leaf)].sum()) for of_leaf in nodes.slopes.values())


# ---- text -------------------------------------------------------------------------------------------------------------

_HEADER = (
    *("average_output", "feature_infos", "feature_names", "label_index", "max_feature_idx", "monotone_constraints"),
    *("num_class", "num_tree_per_iteration", "objective", "tree_sizes", "version"),
)
_TREE = (
    *("cat_boundaries", "cat_threshold", "decision_type", "internal_count", "internal_value", "internal_weight"),
    *("is_linear", "leaf_count", "leaf_value", "leaf_weight", "left_child", "num_cat", "num_leaves", "right_child"),
    *("leaf_coeff", "leaf_const", "leaf_features", "num_features"),
    *("shrinkage", "split_feature", "split_gain", "threshold"),
)
_ENDS = ("end of trees", "feature importances:", "feature_importances:")
_PANDAS = "pandas_categorical:"


@dataclass(frozen=True)
class _Section:
    """Lines of the form ``name=value``."""

    where: str
    values: dict[str, str] = field(default_factory=dict)

    def at(self, name: str) -> str:
        return f"{self.where}: {name}" if self.where else name

    def add(self, line: str, known: Sequence[str]) -> None:
        name, _, value = line.partition("=")
        if name not in known or name in self.values:
            raise MalformedError(
                f"{self.at(describe(line))} is {'a second time here' if name in known else 'an unknown field'}"
            )
        self.values[name] = value

    def text(self, name: str) -> str:
        if name not in self.values:
            raise MalformedError(f"{self.at(name)} is missing")
        return self.values[name]

    def number(self, name: str) -> int:
        text = self.text(name)
        if not re.fullmatch("[0-9]{1,10}", text):
            raise MalformedError(f"{self.at(name)} is {describe(text)}, not a number")
        return int(text)

    def integers(self, name: str, count: int) -> Ints:
        return self._array(name, count, "[-0-9 ]*", np.int64)

    def doubles(self, name: str, count: int) -> Doubles:
        array = self._array(name, count, "[-+.0-9einf ]*", np.float64)
        # A threshold is infinite where all numbers go to one side.
        if name != "threshold" and not np.isfinite(array).all():
            raise MalformedError(f"{self.at(name)} has a number that is not finite")
        return array

    def _array(self, name: str, count: int, characters: str, dtype: Any) -> npt.NDArray[Any]:
        text = self.text(name)
        if not re.fullmatch(characters, text):
            raise MalformedError(f"{self.at(name)} is not a list of numbers")
        parts = text.split()
        if len(parts) != count:
            raise MalformedError(f"{self.at(name)} has {len(parts)} numbers, not {count}")
        try:
            array: npt.NDArray[Any] = np.array(parts, dtype=dtype)
        except (ValueError, OverflowError):
            raise MalformedError(f"{self.at(name)} is not a list of numbers") from None
        return array


def _from_text(text: str) -> LightGBMBooster:
    lines = text.splitlines()
    if not lines or lines[0] != "tree":
        raise MalformedError("not a text model of LightGBM: the first line is not 'tree'")
    pandas = lines[-1].startswith(_PANDAS)
    categories = parse_json(lines[-1][len(_PANDAS) :].encode()) if pandas else None
    header, sections = _Section(""), list(_sections(lines[1:]))
    for line in sections[0]:
        header.add(line, _HEADER)
    trees = []
    for number, (title, *rest) in enumerate(sections[1:]):
        if title != f"Tree={number}":
            raise MalformedError(f"{describe(title)} is not 'Tree={number}'")
        section = _Section(title)
        for line in rest:
            section.add(line, _TREE)
        trees.append(_text_tree(section))
    if "tree_sizes" in header.values and len(header.values["tree_sizes"].split()) != len(trees):
        raise MalformedError(f"tree_sizes has {len(header.values['tree_sizes'].split())} sizes for {len(trees)} trees")
    return _booster(
        version=header.text("version"),
        num_class=header.number("num_class"),
        per_iteration=header.number("num_tree_per_iteration"),
        max_feature=header.number("max_feature_idx"),
        names=header.text("feature_names").split(" "),
        objective=header.values.get("objective", ""),
        average="average_output" in header.values,
        trees=trees,
        pandas_categories=categories,
    )


def _sections(lines: Sequence[str]) -> Iterator[list[str]]:
    """The header's lines, and then those of each tree with its title."""
    section: list[str] = []
    for line in lines:
        if line.startswith("Tree=") or line in _ENDS:
            yield section
            if line in _ENDS:
                return
            section = [line]
        elif line:
            section.append(line)
    raise MalformedError("the file ends before the trees do")


def _text_tree(section: _Section) -> Nodes:
    nodes = _text_nodes(section)
    if section.values.get("is_linear", "0") == "0":
        return nodes
    return _with_models(nodes, _text_models(section, len(nodes.left) - section.number("num_leaves")))


def _text_nodes(section: _Section) -> Nodes:
    leaves = section.number("num_leaves")
    splits = leaves - 1
    # Before anything is made of it, the number is compared with the length of the list.
    value = section.doubles("leaf_value", leaves)
    if leaves < 1:
        raise MalformedError(f"{section.at('num_leaves')} is {leaves}")
    if leaves == 1:
        none = np.array([-1])
        return Nodes(none, none, none, np.zeros(1), np.zeros(1, dtype=bool), value[:, None])
    children = [section.integers(f"{side}_child", splits) for side in ("left", "right")]
    # A number below 0 is the complement of a leaf's number; here the leaves come after the splits.
    left, right = (np.where(child >= 0, child, splits + ~child) for child in children)
    if any(((child < -leaves) | (child >= splits)).any() for child in children):
        raise MalformedError(f"{section.at('left_child')} or right_child is a node that does not exist")
    _check_tree(section, left, right)
    feature, threshold = section.integers("split_feature", splits), section.doubles("threshold", splits)
    decision = section.integers("decision_type", splits)
    if ((decision < 0) | (decision >= 12)).any():
        raise MalformedError(f"{section.at('decision_type')} has an unknown type")
    categorical = decision % 2 == 1
    tests = list(zip((decision >> 2).tolist(), (decision & 2 > 0).tolist(), threshold.tolist(), strict=True))
    categories = categorical.tolist()
    missing_left = [not flag and _missing_left(*test) for flag, test in zip(categories, tests, strict=True)]
    moved = [not flag and _moves_zero(*test) for flag, test in zip(categories, tests, strict=True)]
    leaf = np.full(leaves, -1)
    return Nodes(
        left=np.concatenate([left, leaf]),
        right=np.concatenate([right, leaf]),
        feature=np.concatenate([feature, leaf]),
        threshold=np.concatenate([threshold, np.zeros(leaves)]),
        missing_left=np.concatenate([np.array(missing_left), np.zeros(leaves, dtype=bool)]),
        values=np.concatenate([np.zeros(splits), value])[:, None],
        categories=_text_categories(section, np.flatnonzero(categorical), threshold),
        zero_missing=frozenset(feature[moved].tolist()),
    )


def _text_models(section: _Section, first: int) -> dict[int, _LeafModel]:
    """The linear models in the leaves of a tree, whose first leaf is the node ``first``."""
    leaves = section.number("num_leaves")
    constants, counts = section.doubles("leaf_const", leaves), section.integers("num_features", leaves)
    total = len(section.text("leaf_features").split())
    if (counts < 0).any() or int(counts.sum()) != total:
        raise MalformedError(f"{section.at('num_features')} does not fit the {total} numbers of leaf_features")
    features, coefficients = section.integers("leaf_features", total), section.doubles("leaf_coeff", total)
    ends = np.cumsum(counts).tolist()
    return {
        first + leaf: (constant, features[start:end].tolist(), coefficients[start:end].tolist())
        for leaf, (constant, start, end) in enumerate(zip(constants.tolist(), [0, *ends], ends, strict=False))
    }


def _check_tree(section: _Section, left: Ints, right: Ints) -> None:
    """Reject nodes that do not make a tree."""
    splits = len(left)
    reached, level = 0, np.zeros(1, dtype=np.int64)
    while len(level):
        reached += len(level)
        if reached > 2 * splits + 1:
            break
        inner = level[level < splits]
        level = np.concatenate([left[inner], right[inner]])
    parents = np.bincount(np.concatenate([left, right]), minlength=2 * splits + 1)
    if reached != 2 * splits + 1 or (parents > 1).any():
        raise MalformedError(f"{section.at('left_child')} and right_child do not make a tree")


def _text_categories(section: _Section, nodes: Ints, threshold: Doubles) -> dict[int, list[float]]:
    """The codes that go left at each split that tests for categories; the file has a set of bits for each."""
    count = section.number("num_cat")
    # More sets than splits would need memory for nothing, and splits that share a set more than the file has.
    if count != len(nodes) or sorted(threshold[nodes].tolist()) != list(range(count)):
        raise MalformedError(f"{section.at('num_cat')} is {count}, and {len(nodes)} splits test for categories")
    if not count:
        return {}
    bounds = section.integers("cat_boundaries", count + 1)
    words = section.integers("cat_threshold", len(section.text("cat_threshold").split()))
    if bounds[0] != 0 or bounds[-1] != len(words) or (np.diff(bounds) < 0).any():
        raise MalformedError(f"{section.at('cat_boundaries')} do not fit cat_threshold")
    if ((words < 0) | (words >= 1 << 32)).any():
        raise MalformedError(f"{section.at('cat_threshold')} has a number that is not of 32 bits")
    octets = words.astype("<u4").view(np.uint8)
    sets = {}
    for node in nodes.tolist():
        index = int(threshold[node])
        bits = np.unpackbits(octets[4 * bounds[index] : 4 * bounds[index + 1]], bitorder="little")
        sets[node] = _codes(np.flatnonzero(bits).tolist(), section.at("cat_threshold"))
    return sets


# ---- JSON -------------------------------------------------------------------------------------------------------------

_DUMP = (
    *("average_output", "feature_importances", "feature_infos", "feature_names", "label_index", "max_feature_idx"),
    *("monotone_constraints", "name", "num_class", "num_tree_per_iteration", "objective", "pandas_categorical"),
    *("tree_info", "version"),
)
_SPLIT = (
    *("decision_type", "default_left", "internal_count", "internal_value", "internal_weight", "left_child"),
    *("missing_type", "right_child", "split_feature", "split_gain", "split_index", "threshold"),
)
_MODEL = ("leaf_coeff", "leaf_const", "leaf_features")
_LEAF = ("leaf_count", "leaf_index", "leaf_value", "leaf_weight", *_MODEL)


def _from_dump(document: Any) -> LightGBMBooster:
    fields = _known(fields_of(document, "the booster"), _DUMP, "the booster")
    if fields.get("name") != "tree":
        raise MalformedError("not a dump of LightGBM: name is not 'tree'")
    trees = []
    for number, info in enumerate(items_of(fields.get("tree_info"), "tree_info")):
        where = f"tree_info[{number}]"
        given = fields_of(info, where)
        if given.get("tree_index", number) != number:
            raise MalformedError(f"{where}.tree_index is {describe(given['tree_index'])}")
        trees.append(_dump_tree(given.get("tree_structure"), f"{where}.tree_structure"))
    names = items_of(fields.get("feature_names"), "feature_names")
    return _booster(
        version=fields.get("version"),
        num_class=_integer(fields, "num_class", ""),
        per_iteration=_integer(fields, "num_tree_per_iteration", ""),
        max_feature=_integer(fields, "max_feature_idx", ""),
        names=[text_of(name, "feature_names") for name in names],
        objective=text_of(fields.get("objective", ""), "objective"),
        average=_flag(fields, "average_output", ""),
        trees=trees,
        pandas_categories=fields.get("pandas_categorical"),
    )


def _known(fields: dict[str, Any], known: Sequence[str], where: str) -> dict[str, Any]:
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise MalformedError(f"{where}: the field {describe(unknown[0])} is unknown")
    return fields


def _integer(fields: Mapping[str, Any], name: str, where: str) -> int:
    value = fields.get(name)
    if type(value) is not int or not 0 <= value < 1 << 31:
        raise MalformedError(f"{where}{name} is {describe(value)}, not a number from 0 to 2147483647")
    return value


def _flag(fields: Mapping[str, Any], name: str, where: str) -> bool:
    value = fields.get(name)
    if type(value) is not bool:
        raise MalformedError(f"{where}{name} is {describe(value)}, neither true nor false")
    return value


def _finite(fields: Mapping[str, Any], name: str, where: str) -> float:
    value = fields.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise MalformedError(f"{where}{name} is {describe(value)}, not a finite number")
    return float(value)


@dataclass
class _Arrays:
    """The nodes of a tree, collected while the tree is read; -1 marks a leaf."""

    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    categories: dict[int, list[float]] = field(default_factory=dict)
    zero_missing: set[int] = field(default_factory=set)
    models: dict[int, _LeafModel] = field(default_factory=dict)

    def add(self) -> int:
        """Add a node as a leaf, and return its index."""
        for indices in (self.left, self.right, self.feature):
            indices.append(-1)
        for numbers in (self.threshold, self.value):
            numbers.append(0.0)
        self.missing_left.append(False)
        return len(self.left) - 1


def _dump_tree(structure: Any, title: str) -> Nodes:
    arrays = _Arrays()
    stack: list[tuple[Any, int]] = [(structure, arrays.add())]
    while stack:
        found, node = stack.pop()
        given, where = fields_of(found, f"{title}: a node"), f"{title}: "
        if "leaf_value" in given:
            arrays.value[node] = _finite(_known(given, _LEAF, title), "leaf_value", where)
            if not given.keys().isdisjoint(_MODEL):
                arrays.models[node] = _dump_model(given, where)
            continue
        _known(given, _SPLIT, title)
        arrays.feature[node] = _integer(given, "split_feature", where)
        missing = _MISSING.get(text_of(given.get("missing_type"), f"{where}missing_type"))
        if missing is None or given.get("decision_type") not in ("==", "<="):
            raise MalformedError(f"{where}missing_type or decision_type is unknown")
        if given["decision_type"] == "==":
            text = text_of(given.get("threshold"), f"{where}threshold")
            if not re.fullmatch(r"[0-9]{1,10}(\|\|[0-9]{1,10})*", text):
                raise MalformedError(f"{where}threshold is {describe(text)}, not a list of categories")
            arrays.categories[node] = _codes([int(category) for category in text.split("||")], f"{where}threshold")
        else:
            arrays.threshold[node] = threshold = _finite(given, "threshold", where)
            test = missing, _flag(given, "default_left", where), threshold
            arrays.missing_left[node] = _missing_left(*test)
            if _moves_zero(*test):
                arrays.zero_missing.add(arrays.feature[node])
        arrays.left[node], arrays.right[node] = arrays.add(), arrays.add()
        stack += [(given.get("left_child"), arrays.left[node]), (given.get("right_child"), arrays.right[node])]
    nodes = Nodes(
        left=np.array(arrays.left),
        right=np.array(arrays.right),
        feature=np.array(arrays.feature),
        threshold=np.array(arrays.threshold),
        missing_left=np.array(arrays.missing_left),
        values=np.array(arrays.value)[:, None],
        categories=arrays.categories,
        zero_missing=frozenset(arrays.zero_missing),
    )
    return _with_models(nodes, arrays.models) if arrays.models else nodes


def _dump_model(given: Mapping[str, Any], where: str) -> _LeafModel:
    features = items_of(given.get("leaf_features"), f"{where}leaf_features")
    coefficients = items_of(given.get("leaf_coeff"), f"{where}leaf_coeff")
    if len(features) != len(coefficients):
        raise MalformedError(f"{where}leaf_coeff has {len(coefficients)} numbers, not {len(features)}")
    return (
        _finite(given, "leaf_const", where),
        [_integer({"leaf_features": number}, "leaf_features", where) for number in features],
        [_finite({"leaf_coeff": number}, "leaf_coeff", where) for number in coefficients],
    )


__all__ = ["ZERO", "LightGBMBooster", "parse_lightgbm"]
