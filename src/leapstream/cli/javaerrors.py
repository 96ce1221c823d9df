"""Errors of Java in one line."""

from __future__ import annotations

from leapstream.cli.console import one_line


def explain(error: BaseException) -> str:
    """The message of the innermost cause of an error in Java, without the stack."""
    java = getattr(error, "java_exception", None)
    if java is not None:
        cause = java
        while cause.getCause() is not None:
            cause = cause.getCause()
        return one_line(cause.getMessage() or cause.toString())
    return last_cause(str(error)) or type(error).__name__


def last_cause(stack: str) -> str:
    """The message of the innermost cause in a stack trace."""
    lines = stack.splitlines()
    causes = [line.partition("Caused by: ")[2] for line in lines if line.startswith("Caused by: ")]
    text = causes[-1] if causes else lines[0] if lines else ""
    kind, separator, message = text.partition(": ")
    return one_line(message if separator and "." in kind and " " not in kind else text)
