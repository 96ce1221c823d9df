"""The texts of rows that fail, each once for all executors.

A function below gives a text; its decorator has the template, in which names stand for the function's arguments.
``scripts/java_failures.py`` writes the same functions as the Java class ``Failures``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from string import Formatter
from typing import Any, Generic, ParamSpec

from leapstream.escaping import message_value
from leapstream.javalike.numbers import java_double

Arguments = ParamSpec("Arguments")

_SHOWN: dict[str, Callable[[Any], str]] = {
    "int": str,
    "float": lambda value: java_double(float(value)),
    "str": message_value,
}
"""The text of an argument by its type."""


class Text(Generic[Arguments]):
    """A text with places for the arguments of a function.

    Attributes:
        name: name of the function.
        summary: its docstring.
        template: the text, with names of arguments in braces.
        parameters: type by name of argument: ``int``, ``float`` or ``str``.
        java: whether Java has it, too.
    """

    def __init__(self, template: str, function: Callable[Arguments, None], java: bool) -> None:
        self.java = java
        self.name = function.__name__
        self.summary = inspect.getdoc(function) or ""
        self.template = template
        self._signature = inspect.signature(function)
        self.parameters = {name: str(p.annotation) for name, p in self._signature.parameters.items()}

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> str:
        """The text with the arguments in their places: doubles as Java writes them, strings escaped and not too long."""
        given = self._signature.bind(*args, **kwargs).arguments
        return self.template.format(**{name: _SHOWN[self.parameters[name]](v) for name, v in given.items()})

    @property
    def parts(self) -> list[tuple[str, str | None]]:
        """The template as pieces of text, each with the name of the argument behind it."""
        return [(text, name) for text, name, _, _ in Formatter().parse(self.template)]


def _text(template: str, java: bool = True) -> Callable[[Callable[Arguments, None]], Text[Arguments]]:
    return lambda function: Text(template, function, java)


def texts() -> list[Text[...]]:
    """All texts, in the order in which this module has them."""
    return [value for value in globals().values() if isinstance(value, Text)]


# ---- missing values and types -----------------------------------------------------------------------------------------


@_text("a missing value is not allowed here")
def missing_value() -> None:
    """A value is missing where none may be."""


@_text("an element is missing")
def missing_element() -> None:
    """An element of a list, a map or a tensor is missing where none may be."""


@_text("cannot cast '{text}' to {type}")
def no_number(text: str, type: str) -> None:
    """A string cannot be read as a number."""


@_text("a sparse tensor cannot be cast to a list")
def sparse_to_list() -> None:
    """A tensor that is to be a list is sparse."""


@_text("the tensor does not store a first element")
def no_first_element() -> None:
    """A tensor that is to be a scalar does not store its first element."""


# ---- categories -------------------------------------------------------------------------------------------------------


@_text("unseen label '{label}'")
def unseen_label(label: str) -> None:
    """A string is none of the labels."""


@_text("the index is outside of the {labels} labels")
def outside_of_labels(labels: int) -> None:
    """An index has no label."""


@_text("the category {category} is not an integer")
def no_integer_category(category: float) -> None:
    """A category is not an integer of 32 bits."""


@_text("the category {category} is outside of [0, {categories})")
def outside_of_categories(category: float, categories: int) -> None:
    """A category is less than 0, or too great."""


@_text("the value is NaN")
def nan_value() -> None:
    """A number that is to be put into a bucket is NaN."""


@_text("{value} is outside of the splits")
def outside_of_splits(value: float) -> None:
    """A number is in no bucket."""


@_text("a category is not an integer that its element may have")
def no_category_of_element() -> None:
    """An element of an interaction is none of its categories."""


@_text("{value} is none of the categories of element {element}")
def unknown_category(value: float, element: int) -> None:
    """An element of a vector is none of its categories."""


# ---- numbers and vectors ----------------------------------------------------------------------------------------------


@_text("{value} is outside of [{low}, {high}]")
def outside_of_bounds(value: float, low: float, high: float) -> None:
    """A number is outside of its bounds."""


@_text("a vector is expected, not a tensor of {dimensions} dimensions")
def no_vector(dimensions: int) -> None:
    """A tensor has not one dimension."""


@_text("the vector has {size} elements, and {expected} are expected")
def wrong_size(size: int, expected: int) -> None:
    """A vector is shorter or longer than expected."""


@_text("the vector has {size} elements, and at most {most} are expected")
def too_long(size: int, most: int) -> None:
    """A vector is longer than it may be."""


@_text("the vector has {size} elements, and element {element} is read")
def element_beyond(size: int, element: int) -> None:
    """A vector lacks an element."""


@_text("the vector has no elements")
def no_elements() -> None:
    """A vector is empty."""


@_text("a vector of more than {most} elements does not fit into memory")
def too_many_elements(most: int) -> None:
    """A vector that is put together from others is too long."""


@_text("the vector needs an element that is not 0")
def all_zeros() -> None:
    """All elements of a vector are 0."""


@_text("the tensor has {size} elements, and {expected} are expected")
def wrong_tensor_size(size: int, expected: int) -> None:
    """A tensor does not fit into the dimensions that it is to have."""


@_text("the norm's p is {p}, and it has to be at least 1")
def wrong_norm(p: float) -> None:
    """There is no such norm."""


# ---- classes and trees ------------------------------------------------------------------------------------------------


@_text("an element is not 0 or 1")
def not_zero_or_one() -> None:
    """An element is neither 0 nor 1."""


@_text("an element is not at least 0")
def negative_element() -> None:
    """An element is less than 0, or NaN."""


@_text("the vector's norm is NaN")
def nan_norm() -> None:
    """The norm of a vector is NaN."""


@_text("the document has terms beyond the {terms} known")
def unknown_terms(terms: int) -> None:
    """A document has terms that a topic model does not know."""


@_text("the inference of topics comes to no end")
def endless_inference() -> None:
    """The topics of a document do not converge."""


@_text("a tree tests a feature beyond the vector's {size} elements")
def feature_beyond(size: int) -> None:
    """A vector lacks an element that a tree tests."""


@_text("an element is infinite in single precision")
def infinite_element() -> None:
    """An element is infinite, or too great for single precision."""


# ---- texts ------------------------------------------------------------------------------------------------------------


@_text("a token is missing")
def missing_token() -> None:
    """A token whose length is asked for is missing."""


@_text("n-grams of {n} tokens")
def no_ngrams(n: int) -> None:
    """An n-gram has no tokens."""


@_text("a word repeats in the vocabulary, which leaves no element for another")
def no_element_for_word() -> None:
    """A vocabulary has more words than the vector has elements."""


@_text("the vector of a word is incomplete")
def incomplete_word_vector() -> None:
    """A word has fewer numbers than others."""


@_text("no pattern matches '{text}'")
def no_match(text: str) -> None:
    """No regular expression matches a string."""


@_text("the map's value is missing")
def missing_map_value() -> None:
    """A map has a key without a value."""


@_text("an element beyond the {labels} labels is at least the threshold")
def element_without_label(labels: int) -> None:
    """An element that counts has no label."""


@_text("the regular expression '{pattern}' needs too deep a stack for this text")
def too_deep(pattern: str) -> None:
    """Java's stack is too small to match a regular expression."""


@_text("the regular expression '{pattern}' takes too long for this text")
def too_slow(pattern: str) -> None:
    """A match takes more steps back than there is time for."""


@_text("the regular expression '{pattern}': {reason}", java=False)
def uncertain_match(pattern: str, reason: str) -> None:
    """Python cannot tell for sure what Java finds."""


@_text("the n-grams of these rows are too long together; give fewer at a time", java=False)
def too_many_ngrams() -> None:
    """The n-grams of a batch do not fit into an Arrow array."""


# ---- models within models ---------------------------------------------------------------------------------------------


@_text("the graph gives tensors of dimensions {first} and {second} in one batch", java=False)
def dimensions_of_batch(first: str, second: str) -> None:
    """A graph gives rows of a batch tensors of different dimensions."""


@_text("TensorFlow: {reason}", java=False)
def tensorflow(reason: str) -> None:
    """TensorFlow raises."""
