"""The rule for names that users give to functions and models."""

from __future__ import annotations

import re

from leapstream.errors import ConfigError

_MOST_CHARACTERS = 128
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = frozenset(
    """
    abstract assert boolean break byte case catch char class const continue default do double else enum extends false final
    finally float for goto if implements import instanceof int interface long native new null package private protected public
    return short static strictfp super switch synchronized this throw throws transient true try void volatile while
    """.split()  # noqa: SIM905
)


def check_name(name: str, kind: str) -> str:
    """The name of a function or model, which becomes an identifier of SQL, a class of Java and part of a file's name.

    Args:
        name: the name that a user gives.
        kind: ``function`` or ``model``, for the error, or the place of the name in a configuration.

    Raises:
        ConfigError: the name is not an identifier of Java of at most 128 ASCII letters, digits and underscores.
    """
    if not isinstance(name, str) or not _IDENTIFIER.fullmatch(name) or name in _KEYWORDS:
        raise ConfigError(
            f"{kind} {name!r}: a name has to be an identifier of Java: an ASCII letter or underscore, then ASCII letters, digits "
            "and underscores, and no keyword"
        )
    if len(name) > _MOST_CHARACTERS:
        raise ConfigError(f"{kind} {name[:_MOST_CHARACTERS]!r}…: a name has at most {_MOST_CHARACTERS} characters")
    return name
