"""The extension for model repositories: which models there are, and loading and unloading them by request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from leapstream.serving.context import Context
from leapstream.serving.failures import RequestError
from leapstream.serving.http import Request
from leapstream.serving.loading import ModelSpec
from leapstream.serving.oip.inference import find_model
from leapstream.serving.scoring import TooLongForLoopError

URI = "uri"
"""The parameter of a load that names the bundle."""


def index(context: Context, *, only_ready: bool) -> list[dict[str, str]]:
    """The models that are served, those that requests unloaded, and versions that did not go live, each with its state."""
    ready = [
        {"name": version.name, "version": version.version, "state": "READY", "reason": ""}
        for served in context.models
        for version in context.models.versions(served.name)
    ]
    if only_ready:
        return ready
    live = {entry["name"] for entry in ready}
    gone = [name for name in context.keeper.unloaded() if name not in live]
    rejected = context.keeper.rejected().items()
    return [
        *ready,
        *({"name": name, "version": "", "state": "UNAVAILABLE", "reason": "unloaded"} for name in gone),
        *({"name": name, "version": r.version, "state": "UNAVAILABLE", "reason": r.error} for name, r in rejected),
    ]


def load(context: Context, request: Request, name: str, parameters: Mapping[str, Any]) -> None:
    """Load a model, or load it again; all workers have it afterwards.

    Args:
        context: what the protocols share.
        request: whose time limit holds.
        name: the model.
        parameters: ``uri`` of its bundle; without it, that from which the server had it. Triton's clients send it within
            ``config``: ``{"parameters": {"uri": {"string_value": …}}}``.

    Raises:
        ForbiddenError: requests may not load it.
        RequestError: nobody knows where it is, or the parameters have something else.
        LeapstreamError: it cannot be loaded.
        DeadlineError: the request's time is over before all workers have it.
        TooLongForLoopError: that takes too long for the event loop.
    """
    context.keeper.check_loading()
    if request.in_loop:
        raise TooLongForLoopError
    uri = _uri(name, parameters)
    spec = context.keeper.known(name) if uri is None else ModelSpec(name, uri)
    if spec is None:
        raise RequestError(f"no bundle is known for model {name!r}; the parameter uri names one")
    context.keeper.load(spec)
    context.keeper.await_workers(request.remaining())


def unload(context: Context, request: Request, name: str) -> None:
    """Serve a model no longer; no worker has it afterwards.

    Raises:
        ForbiddenError: requests may not unload models.
        UnknownModelError: it is not served.
        DeadlineError: the request's time is over before all workers have unloaded it.
        TooLongForLoopError: that takes too long for the event loop.
    """
    context.keeper.check_unloading()
    if request.in_loop:
        raise TooLongForLoopError
    found = find_model(context.models, name).name
    context.loads.waiting(lambda: context.loads.unload(found), request)
    context.keeper.await_workers(request.remaining())


def _uri(name: str, parameters: Mapping[str, Any]) -> str | None:
    for parameter in parameters:
        if parameter.startswith("file:"):
            raise RequestError(
                f"model {name!r}: files within the request are not supported; the parameter uri names a bundle"
            )
    uri = parameters.get(URI)
    if uri is None and parameters.get("config") is not None:
        try:
            uri = json.loads(parameters["config"])["parameters"][URI]["string_value"]
        except (ValueError, TypeError, KeyError, RecursionError):
            raise RequestError(
                f'model {name!r}: config has to be {{"parameters": {{"uri": {{"string_value": …}}}}}} with the place of a bundle'
            ) from None
    if uri is not None and (not isinstance(uri, str) or not uri):
        raise RequestError(f"model {name!r}: uri is {uri!r}, and has to be the place of a bundle")
    return uri
