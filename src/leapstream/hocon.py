"""Reads HOCON: configurations of functions, and of served models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from pyhocon import ConfigFactory, ConfigParser, ConfigTree
from pyhocon.config_tree import ConfigSubstitution, ConfigValues
from pyhocon.exceptions import ConfigException

from leapstream.errors import ConfigError


def parse_text(text: str, where: str) -> Mapping[str, Any]:
    """The object that a text is.

    Args:
        text: HOCON.
        where: its name in messages.

    Raises:
        ConfigError: it cannot be read.
    """
    return _parsed(lambda: ConfigFactory.parse_string(text, resolve=False), where)


def parse_file(path: str) -> Mapping[str, Any]:
    """The object that a file is; includes are relative to it.

    Raises:
        ConfigError: it cannot be read.
    """
    if not Path(path).is_file():
        raise ConfigError(f"{path}: there is no such configuration file")
    return _parsed(lambda: ConfigFactory.parse_file(path, required=True, resolve=False), path)


def _parsed(parse: Callable[[], Any], where: str) -> Mapping[str, Any]:
    try:
        return as_object(_resolved(parse(), where), where)
    except ConfigError:
        raise
    except ConfigException as error:
        raise ConfigError(f"{where}: {error}") from error
    except OSError as error:
        raise ConfigError(f"{where}: {error.strerror or error}") from error
    # pyhocon lets the errors of its parser and of files it includes escape as they are.
    except Exception as error:
        raise ConfigError(f"{where} is not HOCON: {' '.join(str(error).split())}") from error


# Letters, and elements of lists and objects.
_MOST_CONTENT = 1 << 20


def _resolved(parsed: Any, where: str) -> Any:
    """A configuration with values in place of its substitutions, which could make much of little: they are counted before."""
    try:
        _Content(parsed).of(parsed)
    except OverflowError:
        raise ConfigError(f"{where}: its substitutions make more than {_MOST_CONTENT} letters and elements") from None
    if isinstance(parsed, ConfigTree):
        ConfigParser.resolve_substitutions(parsed)
    return parsed


class _Content:
    """Counts the letters and elements of a configuration after substitution."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._known: dict[str, int] = {}

    def of(self, value: Any) -> int:
        """The content of a value; ``OverflowError`` if it is too much."""
        if isinstance(value, ConfigSubstitution):
            if value.variable not in self._known:
                self._count(value.variable)
            return self._known[value.variable]
        if isinstance(value, ConfigValues):
            parts = value.tokens
        elif isinstance(value, Mapping):
            parts = [value[key] for key in value] if not isinstance(value, ConfigTree) else list(dict.values(value))
        elif isinstance(value, list):
            parts = value
        else:
            return len(value) if isinstance(value, str) else 1
        total = 1
        for part in parts:
            total += self.of(part)
            if total > _MOST_CONTENT:
                raise OverflowError
        return total

    def _count(self, path: str) -> None:
        """Count the content of a path; a value that refers to the path itself means the value that the path had before."""
        self._known[path] = 0
        for value in _values(self._root, ConfigTree.parse_key(path)):
            self._known[path] = self.of(value)


def _values(tree: Any, keys: Sequence[str]) -> Iterator[Any]:
    """The values that a path of keys has had, the last one at the end."""
    if not isinstance(tree, ConfigTree):
        return
    first, *rest = keys
    for value in [*vars(tree).get("history", {}).get(first, ()), dict.get(tree, first)]:
        if rest:
            yield from _values(value, rest)
        elif value is not None:
            yield value


def as_object(parsed: Any, where: str) -> Mapping[str, Any]:
    """A parsed configuration as a plain object.

    Raises:
        ConfigError: it is not an object.
    """
    if not isinstance(parsed, Mapping):
        raise ConfigError(f"{where}: expected an object, found {kind_of(parsed)}")
    # A ConfigTree raises for keys that it lacks, and takes dots in keys for paths.
    return cast("Mapping[str, Any]", parsed.as_plain_ordered_dict()) if isinstance(parsed, ConfigTree) else parsed


def kind_of(value: object) -> str:
    """The kind of a value, in the words of HOCON."""
    return {"NoneValue": "null", "NoneType": "null", "ConfigTree": "object", "ConfigList": "list"}.get(
        type(value).__name__, type(value).__name__
    )
