"""Options of functions, with their words in Python and in Flink's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

from leapstream.deprecation import warn
from leapstream.errors import ConfigError

Backend: TypeAlias = Literal["auto", "jvm", "vectorized"]
"""The executor that runs a function; ``auto`` picks the JVM if it can run the model."""

LoadOn: TypeAlias = Literal["submit", "worker"]
"""The time at which a bundle is read: when its function is registered, or when a worker opens the function."""

OnFailure: TypeAlias = Literal["raise", "null", "row"]
"""The choice for rows that fail: fail the job, give missing values, or give these and the error in a column of its own."""

Word = TypeVar("Word", bound=str)


@dataclass(frozen=True)
class Option(Generic[Word]):
    """An option whose value is one of several words.

    Attributes:
        argument: its name in Python.
        key: its name in ``application.conf``.
        words: the configuration's word for each of Python's words.
    """

    argument: str
    key: str
    words: Mapping[Word, str]

    def check(self, value: object, where: str) -> Word:
        """The word that a caller in Python gives. A word of the configuration works too, with a warning.

        Raises:
            ConfigError: it is neither; the message lists Python's words.
        """
        for word, configured in self.words.items():
            if value == word:
                return word
            if value == configured:
                warn(f"{where}: {self.argument} is {word!r} in Python, and {value!r} in configurations alone")
                return word
        raise ConfigError(f"{where}: {self.argument} must be one of {', '.join(self.words)}, not {value!r}")

    def read(self, value: object, where: str) -> Word:
        """The word in Python for a word of a configuration.

        Raises:
            ConfigError: the configuration does not know the word; the message lists those that it knows.
        """
        for word, configured in self.words.items():
            if value == configured:
                return word
        raise ConfigError(f"{where}: {self.key} must be one of {', '.join(self.words.values())}, not {value!r}")


BACKEND = Option[Backend]("backend", "backend", {"auto": "auto", "jvm": "jvm", "vectorized": "python"})
LOAD_ON = Option[LoadOn]("load_on", "loadOn", {"submit": "submit", "worker": "worker"})
ON_ERROR = Option[OnFailure]("on_error", "onError", {"raise": "fail", "null": "null", "row": "row"})

__all__ = ["BACKEND", "LOAD_ON", "ON_ERROR", "Backend", "LoadOn", "OnFailure", "Option"]
