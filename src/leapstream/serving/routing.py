"""Finds the route of a request."""

from __future__ import annotations

import re
from collections.abc import Iterable

from leapstream.serving.failures import MethodError, UnknownPathError
from leapstream.serving.http import Route

Found = tuple[Route, tuple[str, ...]]
# Clients may ask for any number of paths.
_REMEMBERED = 4096


class Router:
    """The routes of all protocols. A path that was found is remembered."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._patterns = [(_pattern(route.path), route) for route in routes]
        self._found: dict[tuple[str, str], Found] = {}

    def find(self, method: str, path: str) -> Found:
        """The route of a path, and the parts that its ``{name}`` stand for.

        Raises:
            UnknownPathError: there is none.
            MethodError: there are only routes for other methods.
        """
        found = self._found.get((method, path))
        if found is None:
            found = self._search(method, path)
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[method, path] = found
        return found

    def _search(self, method: str, path: str) -> Found:
        allowed = set()
        for pattern, route in self._patterns:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            # A server answers HEAD wherever it answers GET; the web server leaves out the body.
            if route.method == method or (method == "HEAD" and route.method == "GET"):
                return route, match.groups()
            allowed |= {"GET", "HEAD"} if route.method == "GET" else {route.method}
        if allowed:
            known = ", ".join(sorted(allowed))
            raise MethodError(f"{method} is not for this path; there is {known}", known)
        raise UnknownPathError("there is no such path")


def _pattern(path: str) -> re.Pattern[str]:
    """The expression that matches a route's path; names hold neither slashes nor, before one, a colon."""
    parts = re.split(r"\{\w+\}", path)
    return re.compile("([^/:]+)".join(map(re.escape, parts)))
