"""Keeps the served models as they are wanted: loads them at the start and on requests, and again when versions change."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence

from leapstream.errors import ConfigError, LeapstreamError
from leapstream.fetching.options import SourceOptions
from leapstream.serving.agreement import Agreement, Announced, Rejected
from leapstream.serving.failures import ConflictError, DeadlineError, ForbiddenError, NotReadyError
from leapstream.serving.loading import ModelSpec, Pinned, load_pinned, pin
from leapstream.serving.logs import LOG
from leapstream.serving.registry import ModelRegistry, ServedModel
from leapstream.serving.settings import Settings
from leapstream.serving.sources import FixedModels, Source

# Seconds between two looks for idle models.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
# Seconds between two looks at what the workers have agreed on, and at a model that another one is loading.
_FOLLOW_PAUSE, _AWAIT_PAUSE = 0.05, 0.01
# Seconds until a worker tries again to load what another one has loaded.
_RETRY_PAUSE = 5.0
# The longest time, in seconds, until a version that was rejected is tried again.
_LONGEST_WAIT = 3600.0
REQUEST = "request"
"""The origin of a model that a request loaded."""


class Keeper:
    """Loads models into a registry.

    Args:
        models: where the models go.
        settings: what requests may do.
        specs: bundles to serve.
        options: how bundles are fetched.
        reload_seconds: the time between two looks at what is to be served; 0 looks once.
        sources: further sources of models to serve.
        agreement: what the workers of the server share.

    Attributes:
        ready: true when all models of the start are loaded and warm, until the server ends.
        in_use: tells of a model that it must stay although no request has come for its memory time-out.
        when_ending: functions that are called when the server is about to end.
        when_rejected: is called with the name of a model of which a version did not go live.
    """

    def __init__(
        self,
        models: ModelRegistry,
        settings: Settings,
        specs: Sequence[ModelSpec] = (),
        options: SourceOptions | None = None,
        reload_seconds: float = 0.0,
        *,
        sources: Sequence[Source] = (),
        agreement: Agreement | None = None,
    ) -> None:
        self.ready = False
        self.in_use: Callable[[str], bool] = lambda name: False
        self.when_ending: list[Callable[[], None]] = []
        self.when_rejected: Callable[[str], None] = lambda name: None
        self._idle_watch: threading.Thread | None = None
        self._reload_seconds = reload_seconds
        self._ended = threading.Event()
        self._models = models
        self._settings = settings
        self._sources: list[Source] = [FixedModels(tuple(specs)), *sources]
        self._options = options
        self._agreement = agreement or Agreement()
        # What is live in this process, and what could not be made so although another process could.
        self._applied: dict[str, Pinned] = {}
        self._stuck: dict[str, Pinned] = {}
        self._retry_at = 0.0
        self._followed: object = None
        # Versions that were rejected, how often, and until when they are left alone.
        self._rejections: dict[str, tuple[Pinned, int, float]] = {}
        # One change at a time, so that the later one of two wins.
        self._changing = threading.Lock()

    # ---- the start and the end ----------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Load all models once and forget them, so that the workers find out what to load, and that it can be loaded.

        Raises:
            LeapstreamError: one cannot be loaded.
        """
        self._begin(lambda pinned, served: None)

    def start(self) -> None:
        """Load all models, if that is not done yet.

        Raises:
            LeapstreamError: one cannot be loaded.
        """
        if self.ready:
            return
        state = self._agreement.state()
        if state.begun:
            # The others go on without this worker; it must not end them by a start that fails.
            self.follow()
        else:
            self._begin(self._take)
        self.ready = True
        if self._reload_seconds > 0:
            self._watch("leapstream-reload", self._reload_seconds, self.reload)
        if self._agreement.is_shared:
            self._watch("leapstream-follow", _FOLLOW_PAUSE, self.follow)
        self._watch_idle()

    def stop(self) -> None:
        """Say that the server is about to end."""
        self.ready = False
        self._ended.set()
        for ending in self.when_ending:
            ending()

    def _begin(self, take: Callable[[Pinned, ServedModel], None]) -> None:
        found: dict[str, Pinned] = {}
        for source in self._sources:
            for name, wanted in source.wanted().items():
                if isinstance(wanted, LeapstreamError):
                    raise wanted
                if name in found:
                    raise ConfigError(f"two models have the name {name!r}: of {found[name].origin} and {source.origin}")
                pinned = found[name] = pin(wanted, self._options, self._agreement.bundles, source.origin)
                take(pinned, load_pinned(pinned, self._options))
        with self._agreement.change() as state:
            state.begun = True
            state.models.update(found)

    def _take(self, pinned: Pinned, served: ServedModel) -> None:
        self._models.put(served)
        self._applied[served.name] = pinned

    def _watch(self, name: str, pause: float, look: Callable[[], None]) -> None:
        def watch() -> None:
            while not self._ended.wait(pause):
                try:
                    look()
                except Exception as error:
                    LOG.error("the look for changes failed", extra={"fields": {"watch": name}}, exc_info=error)

        threading.Thread(target=watch, name=name, daemon=True).start()

    # ---- requests -----------------------------------------------------------------------------------------------------

    def announce(self, spec: ModelSpec, *, replace: bool = True) -> None:
        """Tell all workers that a model is about to be loaded by request, so that requests wait for it.

        Raises:
            ForbiddenError: models may not be loaded, or not from there.
            ConflictError: there is a model of this name, or one is being loaded, and it may not be replaced.
        """
        self.check_allowed(spec.uri)
        with self._agreement.change() as state:
            if not replace and (spec.name in state.models or state.is_announced(spec.name)):
                raise ConflictError(f"there is a model {spec.name!r} already, or it is being loaded")
            state.announced[spec.name] = Announced(spec, os.getpid())

    def load(self, spec: ModelSpec, *, replace: bool = True, announced: bool = False) -> ServedModel:
        """Load a model that a request asks for, and make it live.

        Args:
            spec: the model.
            replace: take the place of a model of this name.
            announced: it is announced already.

        Raises:
            ForbiddenError: models may not be loaded, or not from there.
            ConflictError: there is a model of this name, and it may not be replaced.
            LeapstreamError: it cannot be loaded.
        """
        if not announced:
            self.announce(spec, replace=replace)
        pinned = None
        try:
            with self._changing:
                pinned = pin(spec, self._options, self._agreement.bundles, self._origin(spec))
                served = load_pinned(pinned, self._options)
                self._models.put(served, replace=replace)
                self._applied[spec.name] = pinned
                self._end_announcement(spec, pinned)
        except BaseException:
            self._end_announcement(spec, None)
            raise
        self._agreement.tidy()
        self._watch_idle()
        LOG.info("model loaded", extra={"fields": {"model": served.name, "version": served.version}})
        return served

    def _end_announcement(self, spec: ModelSpec, pinned: Pinned | None) -> None:
        with self._agreement.change() as state:
            found = state.announced.get(spec.name)
            if found is not None and found.spec == spec:
                del state.announced[spec.name]
            if pinned is not None:
                state.models[spec.name] = pinned
                state.away.pop(spec.name, None)
                state.rejected.pop(spec.name, None)

    def unload(self, name: str) -> ServedModel:
        """Unload a model that a request names.

        Raises:
            ForbiddenError: models may not be unloaded.
            UnknownModelError: it is not served.
        """
        self.check_unloading()
        with self._changing:
            served = self._remove(name, put_away=True)
        LOG.info("model unloaded", extra={"fields": {"model": name}})
        return served

    def _remove(self, name: str, *, put_away: bool) -> ServedModel:
        served = self._models.remove(name)
        self._applied.pop(name, None)
        with self._agreement.change() as state:
            pinned = state.models.pop(name, None)
            state.rejected.pop(name, None)
            if pinned is not None and put_away:
                state.put_away(name, pinned)
        return served

    def spec(self, name: str) -> ModelSpec | None:
        """The place and the options that a model was loaded with; ``None`` for one that was handed over."""
        pinned = self._agreement.state().models.get(name)
        return None if pinned is None else pinned.spec

    def known(self, name: str) -> ModelSpec | None:
        """The place and the options of a model that is served, or that a request unloaded; ``None`` for any other."""
        state = self._agreement.state()
        found = state.models.get(name) or state.away.get(name)
        return None if found is None else found.spec

    def _origin(self, spec: ModelSpec) -> str:
        """The origin of a model that a request wants; what is only loaded again stays that of its source."""
        state = self._agreement.state()
        known = (state.models.get(spec.name), state.away.get(spec.name))
        return next((found.origin for found in known if found is not None and found.spec == spec), REQUEST)

    def unloaded(self) -> list[str]:
        """The models that requests unloaded."""
        return list(self._agreement.state().away)

    def rejected(self) -> dict[str, Rejected]:
        """The models of which a version did not go live."""
        return dict(self._agreement.state().rejected)

    def await_workers(self, seconds: float) -> None:
        """Wait until all workers have done what requests have asked for.

        Raises:
            DeadlineError: they have not after so many seconds.
        """
        if not self._agreement.await_others(seconds):
            raise DeadlineError("another worker of the server is still changing its models")

    # ---- other workers ------------------------------------------------------------------------------------------------

    def is_coming(self, name: str) -> bool:
        """True for a model that another worker has loaded or is loading, and that is not live here yet.

        Raises:
            NotReadyError: this worker could not load it, although another one could.
        """
        if not self._agreement.is_shared or self._models.find(name) is not None:
            return False
        state = self._agreement.state()
        if state.is_announced(name):
            return True
        if name in state.models and self._stuck.get(name) == state.models[name]:
            raise NotReadyError(f"this worker could not load model {name!r}, and tries again; its log says why")
        return name in state.models

    def coming_spec(self, name: str) -> ModelSpec | None:
        """The place and the options of a model that another worker has loaded or is loading; ``None`` for any other."""
        state = self._agreement.state()
        found = state.announced.get(name) or state.models.get(name)
        return None if found is None else found.spec

    def await_coming(self, name: str) -> None:
        """Wait until a model that another worker is loading is live here, or could not be loaded."""
        while self._agreement.state().is_announced(name) and not self._ended.is_set():
            time.sleep(_AWAIT_PAUSE)
        self._follow(name)

    def follow(self) -> None:
        """Do what other workers have done."""
        state = self._agreement.state()
        if self._stuck and time.monotonic() > self._retry_at:
            self._stuck.clear()
            self._followed = None
        if state is self._followed:
            return
        for name, pinned in list(state.models.items()):
            if self._applied.get(name) != pinned and self._stuck.get(name) != pinned:
                self._follow(name)
        for name in self._applied.keys() - state.models.keys():
            self._follow(name)
        self._agreement.acknowledge(state.revision)
        self._followed = state

    def _follow(self, name: str) -> None:
        with self._changing:
            pinned = self._agreement.state().models.get(name)
            before = self._applied.get(name)
            if pinned == before:
                return
            if pinned is None:
                self._models.remove(name)
                del self._applied[name]
                return
            try:
                # What is the same but for its origin is live already.
                if not pinned.is_same(before):
                    pinned, served = self._load_agreed(pinned, before)
                    self._models.put(served)
                self._applied[name] = pinned
                self._watch_idle()
            except LeapstreamError as error:
                self._stuck[name] = pinned
                self._retry_at = time.monotonic() + _RETRY_PAUSE
                LOG.error("model not loaded", extra={"fields": {"model": name, "error": str(error)}})

    def _load_agreed(self, pinned: Pinned, before: Pinned | None) -> tuple[Pinned, ServedModel]:
        """Load what the worker that made it live has verified."""
        try:
            return pinned, load_pinned(pinned, self._options, verify=False)
        except LeapstreamError:
            if before is not None:
                raise
            # Something that tidies temporary files may have removed the copy of a bundle that has changed since.
            current = pin(pinned.spec, self._options, self._agreement.bundles, pinned.origin)
            served = load_pinned(current, self._options)
            with self._agreement.change() as state:
                state.models[pinned.spec.name] = current
            return current, served

    # ---- idle models --------------------------------------------------------------------------------------------------

    def unload_idle(self) -> None:
        """Unload the models for which no request has come for longer than their memory time-out."""
        # Other workers tell of their requests as often as this one looks.
        patience = self._idle_pause() if self._agreement.is_shared else 0.0
        for spec in self._live_specs():
            served = self._models.find(spec.name)
            if spec.memory_timeout is None or served is None:
                continue
            idle = 0.0 if self.in_use(spec.name) else time.monotonic() - served.used
            idle = self._agreement.idle(spec.name, idle)
            if idle > spec.memory_timeout + patience and self._agreement.leads():
                with self._changing:
                    if self._models.find(spec.name) is served:
                        self._remove(spec.name, put_away=True)
                LOG.info("idle model unloaded", extra={"fields": {"model": spec.name}})

    def _watch_idle(self) -> None:
        """Look for idle models from now on, if there is one that may become idle."""
        if self._idle_watch is not None:
            return
        if any(spec.memory_timeout is not None for spec in self._live_specs()):
            self._idle_watch = threading.Thread(target=self._unload_idle, name="leapstream-idle", daemon=True)
            self._idle_watch.start()

    def _unload_idle(self) -> None:
        while not self._ended.wait(self._idle_pause()):
            self.unload_idle()

    def _idle_pause(self) -> float:
        timeouts = [s.memory_timeout for s in self._live_specs() if s.memory_timeout is not None]
        return min(max(min(timeouts, default=_LONGEST_PAUSE) / 4, _SHORTEST_PAUSE), _LONGEST_PAUSE)

    def _live_specs(self) -> list[ModelSpec]:
        return [pinned.spec for pinned in list(self._agreement.state().models.values())]

    # ---- what requests may do -----------------------------------------------------------------------------------------

    def check_allowed(self, uri: str) -> None:
        """Make sure that requests may load models from a place.

        Raises:
            ForbiddenError: they may not.
        """
        self.check_loading()
        if ".." in uri.replace("\\", "/").split("/") or not any(
            uri.startswith(prefix) for prefix in self._settings.allow_load
        ):
            raise ForbiddenError("models cannot be loaded from there: no --allow-load has a prefix of this URI")

    def check_loading(self) -> None:
        """Make sure that requests may load models.

        Raises:
            ForbiddenError: they may not.
        """
        if not self._settings.allow_load:
            raise ForbiddenError("models cannot be loaded here: the server runs without --allow-load")

    def check_unloading(self) -> None:
        """Make sure that requests may unload models.

        Raises:
            ForbiddenError: they may not.
        """
        if not self._settings.allow_load:
            raise ForbiddenError("models cannot be unloaded here: the server runs without --allow-load")

    # ---- changes ------------------------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Make what is wanted now live. A version that cannot be is logged and counted, and the one before goes on."""
        if not self._agreement.leads():
            return
        taken: set[str] = set()
        for source in self._sources:
            self._renew_source(source, taken)
        for pinned in list(self._agreement.state().models.values()):
            if pinned.origin == REQUEST:
                self._renew(pinned.spec.name, pinned.spec, REQUEST)
        self._agreement.tidy()

    def _renew_source(self, source: Source, taken: set[str]) -> None:
        """Make what a source wants live; the names of its models are added to those that are taken."""
        before = [p.spec.name for p in list(self._agreement.state().models.values()) if p.origin == source.origin]
        try:
            wanted = source.wanted()
        except LeapstreamError as error:
            # Nobody knows what is wanted: everything stays.
            taken.update(before)
            LOG.error("models not looked for", extra={"fields": {"source": source.origin, "error": str(error)}})
            self.when_rejected("")
            return
        for name in before:
            if name not in wanted:
                with self._changing:
                    self._remove(name, put_away=False)
                LOG.info("model unloaded", extra={"fields": {"model": name, "source": source.origin}})
        for name, spec in wanted.items():
            if name in taken:
                self._reject(name, "", ConfigError(f"there is another model {name!r}, of another source"))
                continue
            taken.add(name)
            self._renew(name, spec, source.origin)

    def _renew(self, name: str, wanted: ModelSpec | LeapstreamError, origin: str) -> None:
        state = self._agreement.state()
        live = state.models.get(name)
        # What requests do goes before what sources want.
        if name in state.away or state.is_announced(name) or (live is not None and live.origin != origin):
            return
        version = ""
        try:
            if isinstance(wanted, LeapstreamError):
                raise wanted
            version = wanted.version or ""
            # A version of a store does not change.
            if live is None or live.spec != wanted or wanted.store is None:
                pinned = pin(wanted, self._options, self._agreement.bundles, origin)
                version = pinned.version
                if not pinned.is_same(live) and not self._make_live(pinned):
                    return
        except LeapstreamError as error:
            self._reject(name, version, error)
            return
        if name in state.rejected:
            with self._agreement.change() as changed:
                changed.rejected.pop(name, None)

    def _make_live(self, pinned: Pinned) -> bool:
        """Verify a version and make it live; returns false if it was rejected lately."""
        name = pinned.spec.name
        before, tries, until = self._rejections.get(name, (None, 0, 0.0))
        if pinned != before:
            tries = 0
        elif time.monotonic() < until:
            return False
        with self._changing:
            try:
                served = load_pinned(pinned, self._options)
                self._models.put(served, same_signature=True)
            except LeapstreamError:
                pause = min(self._reload_seconds * 2.0 ** min(tries, 16), _LONGEST_WAIT)
                self._rejections[name] = (pinned, tries + 1, time.monotonic() + pause)
                raise
            self._rejections.pop(name, None)
            self._applied[name] = pinned
            with self._agreement.change() as state:
                state.models[name] = pinned
        LOG.info("model reloaded", extra={"fields": {"model": name, "version": served.version}})
        return True

    def _reject(self, name: str, version: str, error: LeapstreamError) -> None:
        LOG.error("model not reloaded", extra={"fields": {"model": name, "version": version, "error": str(error)}})
        self.when_rejected(name)
        known = self._agreement.state().rejected.get(name)
        if known is None or (known.version, known.error) != (version, str(error)):
            with self._agreement.change() as state:
                state.rejected[name] = Rejected(version, str(error), time.time())


__all__ = ["Keeper"]
