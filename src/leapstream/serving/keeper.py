"""Keeps the served models as they are wanted: loads them at the start, and again when their bundles change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from leapstream.errors import LeapstreamError
from leapstream.fetching.options import SourceOptions
from leapstream.serving.failures import ForbiddenError
from leapstream.serving.loading import ModelSpec, load_model
from leapstream.serving.logs import LOG
from leapstream.serving.registry import ModelRegistry, ServedModel
from leapstream.serving.settings import Settings

# Seconds between two looks for idle models.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
# Clients may load and unload any number of models.
_MOST_UNLOADED = 256


class Keeper:
    """Loads models into a registry.

    Args:
        models: where the models go.
        settings: what requests may do.
        specs: the models to load at the start.
        options: how bundles are fetched.
        reload_seconds: the time between two looks at the bundles; 0 looks once.
        idle: unload models after their memory time-outs. Several processes that serve the same models would not agree on that.

    Attributes:
        ready: true when all models of the start are loaded and warm, until the server ends.
        in_use: tells of a model that it must stay although no request has come for its memory time-out.
        when_ending: functions that are called when the server is about to end.
    """

    def __init__(
        self,
        models: ModelRegistry,
        settings: Settings,
        specs: Sequence[ModelSpec] = (),
        options: SourceOptions | None = None,
        reload_seconds: float = 0.0,
        *,
        idle: bool = True,
    ) -> None:
        self.ready = False
        self.in_use: Callable[[str], bool] = lambda name: False
        self.when_ending: list[Callable[[], None]] = []
        self._idle = idle
        self._idle_watch: threading.Thread | None = None
        self._reload_seconds = reload_seconds
        self._ended = threading.Event()
        self._models = models
        self._settings = settings
        self._specs = {spec.name: spec for spec in specs}
        self._options = options
        self._unloaded: dict[str, ModelSpec] = {}
        # One change at a time, so that the later one of two wins.
        self._changing = threading.Lock()

    def start(self) -> None:
        """Load all models, if that is not done yet.

        Raises:
            LeapstreamError: one cannot be loaded.
        """
        if self.ready:
            return
        for spec in self._specs.values():
            self._models.put(load_model(spec, self._options))
        self.ready = True
        if self._reload_seconds > 0:
            threading.Thread(target=self._watch, name="leapstream-reload", daemon=True).start()
        self._watch_idle()

    def stop(self) -> None:
        """Say that the server is about to end."""
        self.ready = False
        self._ended.set()
        for ending in self.when_ending:
            ending()

    def _watch(self) -> None:
        while not self._ended.wait(self._reload_seconds):
            self.reload()

    def load(self, spec: ModelSpec, *, replace: bool = True) -> ServedModel:
        """Load a model that a request asks for, and make it live.

        Raises:
            ForbiddenError: models may not be loaded, or not from there.
            ConflictError: there is a model of this name, and it may not be replaced.
            LeapstreamError: it cannot be loaded.
        """
        self.check_allowed(spec.uri)
        with self._changing:
            served = load_model(spec, self._options)
            self._models.put(served, replace=replace)
            self._specs[spec.name] = spec
            self._unloaded.pop(spec.name, None)
        self._watch_idle()
        LOG.info("model loaded", extra={"fields": {"model": served.name, "version": served.version}})
        return served

    def unload(self, name: str) -> ServedModel:
        """Unload a model that a request names.

        Raises:
            ForbiddenError: models may not be unloaded.
            UnknownModelError: it is not served.
        """
        self.check_unloading()
        with self._changing:
            served = self._models.remove(name)
            spec = self._specs.pop(name, None)
            if spec is not None:
                self._unloaded[name] = spec
                while len(self._unloaded) > _MOST_UNLOADED:
                    del self._unloaded[next(iter(self._unloaded))]
        LOG.info("model unloaded", extra={"fields": {"model": name}})
        return served

    def spec(self, name: str) -> ModelSpec | None:
        """The place and the options that a model was loaded with; ``None`` for one that was handed over."""
        return self._specs.get(name)

    def known(self, name: str) -> ModelSpec | None:
        """The place and the options of a model that is served, or that a request unloaded; ``None`` for any other."""
        return self._specs.get(name) or self._unloaded.get(name)

    def unloaded(self) -> list[str]:
        """The models that requests unloaded."""
        return list(self._unloaded)

    def unload_idle(self) -> None:
        """Unload the models for which no request has come for longer than their memory time-out."""
        for spec in list(self._specs.values()):
            served = self._models.find(spec.name)
            if spec.memory_timeout is None or served is None or self.in_use(spec.name):
                continue
            if time.monotonic() - served.used > spec.memory_timeout:
                with self._changing:
                    if self._models.find(spec.name) is served:
                        self._models.remove(spec.name)
                        self._specs.pop(spec.name, None)
                LOG.info("idle model unloaded", extra={"fields": {"model": spec.name}})

    def _watch_idle(self) -> None:
        """Look for idle models from now on, if there is one that may become idle."""
        if not self._idle or self._idle_watch is not None:
            return
        if any(spec.memory_timeout is not None for spec in list(self._specs.values())):
            self._idle_watch = threading.Thread(target=self._unload_idle, name="leapstream-idle", daemon=True)
            self._idle_watch.start()

    def _unload_idle(self) -> None:
        while not self._ended.wait(self._idle_pause()):
            self.unload_idle()

    def _idle_pause(self) -> float:
        timeouts = [s.memory_timeout for s in list(self._specs.values()) if s.memory_timeout is not None]
        return min(max(min(timeouts, default=_LONGEST_PAUSE) / 4, _SHORTEST_PAUSE), _LONGEST_PAUSE)

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

    def reload(self) -> None:
        """Load the models whose bundles changed. One that fails is logged, and the live version goes on."""
        for spec in list(self._specs.values()):
            try:
                with self._changing:
                    self._renew(spec)
            except LeapstreamError as error:
                LOG.error("model not reloaded", extra={"fields": {"model": spec.name, "error": str(error)}})

    def _renew(self, spec: ModelSpec) -> None:
        live = self._models.find(spec.name)
        served = load_model(spec, self._options)
        if live is None or served.version != live.version:
            self._models.put(served, same_signature=True)
            LOG.info("model reloaded", extra={"fields": {"model": served.name, "version": served.version}})


__all__ = ["Keeper"]
