from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Split(_message.Message):
    __slots__ = ("categorical", "continuous")
    class CategoricalSplit(_message.Message):
        __slots__ = ("feature_index", "is_left", "num_categories", "categories")
        FEATURE_INDEX_FIELD_NUMBER: _ClassVar[int]
        IS_LEFT_FIELD_NUMBER: _ClassVar[int]
        NUM_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
        CATEGORIES_FIELD_NUMBER: _ClassVar[int]
        feature_index: int
        is_left: bool
        num_categories: int
        categories: _containers.RepeatedScalarFieldContainer[float]
        def __init__(self, feature_index: _Optional[int] = ..., is_left: bool = ..., num_categories: _Optional[int] = ..., categories: _Optional[_Iterable[float]] = ...) -> None: ...
    class ContinuousSplit(_message.Message):
        __slots__ = ("feature_index", "threshold")
        FEATURE_INDEX_FIELD_NUMBER: _ClassVar[int]
        THRESHOLD_FIELD_NUMBER: _ClassVar[int]
        feature_index: int
        threshold: float
        def __init__(self, feature_index: _Optional[int] = ..., threshold: _Optional[float] = ...) -> None: ...
    CATEGORICAL_FIELD_NUMBER: _ClassVar[int]
    CONTINUOUS_FIELD_NUMBER: _ClassVar[int]
    categorical: Split.CategoricalSplit
    continuous: Split.ContinuousSplit
    def __init__(self, categorical: _Optional[_Union[Split.CategoricalSplit, _Mapping[str, object]]] = ..., continuous: _Optional[_Union[Split.ContinuousSplit, _Mapping[str, object]]] = ...) -> None: ...

class DecisionNode(_message.Message):
    __slots__ = ("internal", "leaf")
    class InternalNode(_message.Message):
        __slots__ = ("split",)
        SPLIT_FIELD_NUMBER: _ClassVar[int]
        split: Split
        def __init__(self, split: _Optional[_Union[Split, _Mapping[str, object]]] = ...) -> None: ...
    class LeafNode(_message.Message):
        __slots__ = ("values",)
        VALUES_FIELD_NUMBER: _ClassVar[int]
        values: _containers.RepeatedScalarFieldContainer[float]
        def __init__(self, values: _Optional[_Iterable[float]] = ...) -> None: ...
    INTERNAL_FIELD_NUMBER: _ClassVar[int]
    LEAF_FIELD_NUMBER: _ClassVar[int]
    internal: DecisionNode.InternalNode
    leaf: DecisionNode.LeafNode
    def __init__(self, internal: _Optional[_Union[DecisionNode.InternalNode, _Mapping[str, object]]] = ..., leaf: _Optional[_Union[DecisionNode.LeafNode, _Mapping[str, object]]] = ...) -> None: ...

class ClusterNode(_message.Message):
    __slots__ = ("index", "norm", "values", "num_children")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    NORM_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    NUM_CHILDREN_FIELD_NUMBER: _ClassVar[int]
    index: int
    norm: float
    values: _containers.RepeatedScalarFieldContainer[float]
    num_children: int
    def __init__(self, index: _Optional[int] = ..., norm: _Optional[float] = ..., values: _Optional[_Iterable[float]] = ..., num_children: _Optional[int] = ...) -> None: ...
