"""Loads models as MLeap does: the request is accepted at once, and those that need the model wait until it is there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import TypeVar

from leapstream.errors import LeapstreamError
from leapstream.fetching.uri import display
from leapstream.serving.failures import BusyError, ConflictError, DeadlineError, UnknownModelError
from leapstream.serving.http import Request
from leapstream.serving.keeper import Keeper
from leapstream.serving.loading import ModelSpec
from leapstream.serving.logs import LOG
from leapstream.serving.registry import ModelRegistry, ServedModel
from leapstream.serving.scoring import NotYetError

T = TypeVar("T")

_MOST_AT_ONCE = 16
_MOST_FAILURES = 64


@dataclass(frozen=True, eq=False)
class _Load:
    """A model that is being loaded; ``done`` is set when it is live, or could not be loaded.

    Its request is ``None`` if another worker got it.
    """

    name: str
    spec: ModelSpec | None
    done: Future[None] = field(default_factory=Future)


class Loads:
    """The models of a registry, and those that are being loaded into it. Safe to use from several threads."""

    def __init__(self, models: ModelRegistry, keeper: Keeper) -> None:
        self._models = models
        self._keeper = keeper
        self._lock = threading.Lock()
        self._pending: dict[str, _Load] = {}
        self._failures: dict[str, str] = {}
        models.missing = self._wait_for_pending

    def begin(self, spec: ModelSpec, *, replace: bool) -> None:
        """Begin to load a model.

        Raises:
            ForbiddenError: requests may not load it.
            ConflictError: there is a model of this name, or one is being loaded, and it may not be replaced.
            BusyError: very many models are being loaded.
        """
        self._keeper.check_allowed(spec.uri)
        load = _Load(spec.name, spec)
        with self._lock:
            before = self._pending.get(spec.name)
            if not replace and (before is not None or self._models.find(spec.name) is not None):
                raise ConflictError(f"there is a model {spec.name!r} already, or it is being loaded")
            if len(self._pending) >= _MOST_AT_ONCE:
                raise BusyError(f"the server loads {_MOST_AT_ONCE} models at once")
            self._keeper.announce(spec, replace=replace)
            self._failures.pop(spec.name, None)
            self._start(load, lambda: self._keeper.load(spec, replace=replace, announced=True))

    def _start(self, load: _Load, work: Callable[[], object]) -> None:
        before = self._pending.get(load.name)
        self._pending[load.name] = load
        threading.Thread(target=self._load, args=(load, work, before), name="leapstream-load", daemon=True).start()

    def _load(self, load: _Load, work: Callable[[], object], before: _Load | None) -> None:
        name = load.name
        if before is not None:
            before.done.result()
        reason = "it could not be loaded; the server's log says why"
        try:
            work()
            reason = ""
        except LeapstreamError as error:
            reason = f"it could not be loaded: {error}"
            LOG.error("model not loaded", extra={"fields": {"model": name, "error": str(error)}})
        except Exception as error:
            LOG.error("model not loaded", extra={"fields": {"model": name}}, exc_info=error)
        with self._lock:
            if reason:
                if len(self._failures) >= _MOST_FAILURES:
                    self._failures.clear()
                self._failures[name] = reason
            if self._pending[name] is load:
                del self._pending[name]
        load.done.set_result(None)

    def get(self, name: str) -> ServedModel:
        """The live version of a model.

        Raises:
            UnknownModelError: there is none.
            NotYetError: it is being loaded.
        """
        try:
            served = self._models.get(name)
        except UnknownModelError:
            reason = self._failures.get(name)
            if reason:
                raise UnknownModelError(f"there is no model {name!r}: {reason}") from None
            raise
        served.used = time.monotonic()
        return served

    def _wait_for_pending(self, name: str) -> None:
        """Let a request wait for a model that is being loaded, here or by another worker.

        Raises:
            NotYetError: it is.
            NotReadyError: this worker could not load it, although another one could.
        """
        with self._lock:
            load = self._pending.get(name)
            if load is None and self._keeper.is_coming(name):
                load = _Load(name, None)
                self._start(load, lambda: self._keeper.await_coming(name))
        if load is not None:
            raise NotYetError(load.done)

    def wait_for(self, name: str, request: Request) -> ServedModel:
        """The live version of a model, once it is loaded.

        Raises:
            UnknownModelError: there is none.
            NotYetError: it is being loaded, and nothing may take long.
            DeadlineError: it is not there before the request's time is over.
        """
        return self.waiting(lambda: self.get(name), request)

    def waiting(self, work: Callable[[], T], request: Request) -> T:
        """The result of something that may have to wait for a model.

        Raises:
            NotYetError: it has to wait, and the request is where nothing may take long.
            DeadlineError: the model is not there before the request's time is over.
        """
        while True:
            try:
                return work()
            except NotYetError as pending:
                if request.in_loop:
                    raise
                if not wait([pending.done], request.remaining()).done:
                    raise DeadlineError("the model is still being loaded") from None

    def spec(self, name: str) -> ModelSpec:
        """The request by which a model is served, even if it is still being loaded.

        Raises:
            UnknownModelError: there is none.
        """
        load = self._pending.get(name)
        if load is None or load.spec is None:
            try:
                served = self.get(name)
                return self._keeper.spec(name) or ModelSpec(name, served.uri)
            except NotYetError:
                load = self._pending.get(name)
        spec = self._keeper.coming_spec(name) if load is None or load.spec is None else load.spec
        if spec is None:
            raise UnknownModelError(f"there is no model {name!r}: it could not be loaded")
        return spec

    def unload(self, name: str) -> ModelSpec:
        """Serve a model no longer; returns the request by which it was.

        Raises:
            ForbiddenError: requests may not unload models.
            UnknownModelError: there is none.
            NotYetError: it is being loaded.
        """
        self._keeper.check_unloading()
        load = self._pending.get(name)
        if load is not None:
            # Even if the model is live already: it would seem to be loaded again until the load has ended.
            raise NotYetError(load.done)
        self.get(name)
        spec = self.spec(name)
        self._keeper.unload(name)
        return spec


def shown_uri(spec: ModelSpec) -> str:
    """The place of a model, without secrets."""
    return display(spec.uri) if spec.uri else ""
