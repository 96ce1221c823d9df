"""Calls functions in a process of their own: parsers of other libraries may crash, hang or fill the memory on altered files."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

SECONDS = 60.0
"""The time limit of a call."""

MEMORY = 8 << 30
"""The limit on the address space of a call's process, in bytes."""

_CODE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from leapstream.exporters.child import serve; serve()"


class ChildError(Exception):
    """A call in a process of its own gave no result; the text says why."""


class CrashError(ChildError):
    """The process of a call ended before it gave a result, or took longer than its time limit."""


def call(
    function: Callable[..., Any], *arguments: Any, seconds: float | None = None, memory: int | None = MEMORY
) -> Any:
    """Call a function in a process of its own, which imports packages from the same places as this one.

    Args:
        function: a function of a module.
        arguments: its arguments, which are pickled.
        seconds: the time limit; by default :data:`SECONDS`.
        memory: the limit on the address space of the process, in bytes; ``None`` for no limit.

    Returns:
        the function's result, which has to be JSON. It is not pickled, since the process may be under control of an altered file.

    Raises:
        CrashError: the process ended without a result, or reached a limit.
        ChildError: the function raised an exception.
    """
    limit = SECONDS if seconds is None else seconds
    command = [sys.executable, "-I", "-c", _CODE, json.dumps(sys.path), str(memory or 0)]
    try:
        done = subprocess.run(
            command,
            input=pickle.dumps((function, arguments)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        raise CrashError(f"takes longer than {limit:g} s") from None
    try:
        answer = json.loads(done.stdout)
        error = answer["error"]
    except (ValueError, TypeError, KeyError):
        raise CrashError(f"ends the process with status {done.returncode}") from None
    if error is not None:
        raise ChildError(str(error))
    return answer["result"]


def serve() -> None:
    """Make the call that standard input describes, and write the result to standard output."""
    _limit_memory(int(sys.argv[2]))
    # What a library prints does not reach the result.
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)
        answer: dict[str, Any] = {"result": None, "error": None}
        try:
            function, arguments = pickle.load(sys.stdin.buffer)
            answer["result"] = function(*arguments)
        except ChildError as error:
            answer["error"] = str(error)
        # A library may raise anything.
        except Exception as error:
            answer["error"] = f"{type(error).__name__}: {error}"
        output.write(json.dumps(answer).encode())


def _limit_memory(most: int) -> None:
    if not most:
        return
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    # The module is not there on Windows, and a system may have lower limits.
    except (ImportError, OSError, ValueError):
        pass
