"""``leapstream serve``: uvicorn around the application, in one process or in several workers."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from uvicorn.supervisors import Multiprocess

from leapstream.bundle.malformed import first_repeated
from leapstream.errors import ConfigError
from leapstream.fetching.options import SourceOptions
from leapstream.serving.agreement import Agreement
from leapstream.serving.application import Application, Companion, app
from leapstream.serving.keeper import Keeper
from leapstream.serving.loading import ModelSpec
from leapstream.serving.logs import LOG, LogFormat, set_up
from leapstream.serving.metrics import MULTIPROCESS_VARIABLE
from leapstream.serving.registry import ModelRegistry
from leapstream.serving.settings import DriftSettings, RequestLimits, Settings, SparkMLSettings, token_from_environment
from leapstream.serving.shortcut import ShortcutProtocol, shortcut
from leapstream.serving.sources import ConfigFolder, Source, StoredName, StoreModels
from leapstream.store.manifest import LATEST

# The workers are processes of their own, which read the options there.
_OPTIONS_VARIABLE = "LEAPSTREAM_SERVE_OPTIONS"
_TRACES_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
# A thread that computes keeps the interpreter's lock for so long; the event loop waits for it. The threads of gRPC take turns
# more often than that by themselves; with a shorter time they take them in the middle of a call.
_SWITCH_SECONDS = 0.0005
_SWITCH_SECONDS_WITH_GRPC = 0.002


@dataclass(frozen=True)
class ServeOptions:
    """The options of ``leapstream serve``, but for the token, which is in the environment.

    Attributes:
        models: the models.
        host, port: where to listen; port 0 takes any that is free.
        grpc_port: where to listen for gRPC; 0 takes any port that is free, ``None`` none.
        workers: the number of processes.
        reload: seconds between two looks at the bundles; 0 looks once.
        drain: seconds that requests in flight have to end after SIGTERM.
        log_format: the form of the log's lines.
        certificate, key: files in PEM format, for TLS.
        limits: limits on requests.
        allow_load: see :class:`~leapstream.serving.Settings`.
        store: the URI of a store.
        stored: models of the store; without any, all that have the alias.
        alias: the alias to follow, or ``latest``.
        config: a folder with a configuration for each model.
        keep: the number of earlier versions that requests can name.
        drift: the way in which rows are compared with profiles.
        shared: a folder for what the workers share; empty for one worker.
    """

    models: list[ModelSpec]
    host: str = "127.0.0.1"
    port: int = 8080
    grpc_port: int | None = None
    workers: int = 1
    reload: float = 0.0
    drain: int = 30
    log_format: LogFormat = "text"
    certificate: str | None = None
    key: str | None = None
    limits: RequestLimits = field(default_factory=RequestLimits)
    allow_load: tuple[str, ...] = ()
    store: str | None = None
    stored: list[StoredName] = field(default_factory=list)
    alias: str = LATEST
    config: str | None = None
    keep: int = 1
    drift: DriftSettings = DriftSettings()
    shared: str = ""

    def settings(self) -> Settings:
        """The settings of a process."""
        return Settings(
            limits=self.limits,
            token=token_from_environment(),
            allow_load=self.allow_load,
            sparkml=SparkMLSettings.from_environment(),
            drift=self.drift,
        )

    def keeper(self, models: ModelRegistry, settings: Settings) -> Keeper:
        """The keeper of a process."""
        fetching = SourceOptions()
        sources: list[Source] = []
        if self.store is not None:
            sources.append(StoreModels(self.store, self.stored, self.alias, fetching))
        if self.config is not None:
            sources.append(ConfigFolder(Path(self.config), fetching))
        return Keeper(
            models,
            settings,
            self.models,
            fetching,
            self.reload,
            sources=sources,
            agreement=Agreement(Path(self.shared) if self.shared else None),
        )

    def application(self) -> Application:
        """The application of a process."""
        settings = self.settings()
        models = ModelRegistry(self.keep)
        keeper = self.keeper(models, settings)
        made = app(models, settings=settings, keeper=keeper, tracer_provider=_tracer_provider())
        if made.context.spans is not None:
            made.companions.append(made.context.spans)
        if self.grpc_port is not None:
            made.companions.append(self._grpc_server(made, self.grpc_port))
        return made

    def _grpc_server(self, application: Application, port: int) -> Companion:
        from leapstream.serving.grpc.server import GrpcServer
        from leapstream.serving.grpc.services import SERVICES

        context = application.context
        return GrpcServer(
            context,
            [method for service in SERVICES for method in service.methods(context)],
            self.host,
            port,
            drain=self.drain,
            certificate=self.certificate,
            key=self.key,
        )


def _tracer_provider() -> Any:
    """OpenTelemetry's provider, if the environment says where to send spans."""
    if not any(os.environ.get(name) for name in _TRACES_VARIABLES) or os.environ.get("OTEL_SDK_DISABLED") == "true":
        return None
    try:
        from leapstream.serving.tracing import provider_from_environment
    except ImportError as error:
        # The variable may be there for other programs.
        LOG.warning("no spans are sent: pip install 'leapstream[otel]'", extra={"fields": {"error": str(error)}})
        return None
    return provider_from_environment()


class _WorkerProtocol(ShortcutProtocol):
    """The protocol of the connections of a worker, whose application is made in its own process."""


def worker() -> Application:
    """The application of a worker, by the options in its environment."""
    options = msgspec.json.decode(os.environ[_OPTIONS_VARIABLE], type=ServeOptions)
    _prepare(options)
    application = options.application()
    _WorkerProtocol.application = application
    return application


def serve(options: ServeOptions) -> None:
    """Serve until a signal ends the process.

    Raises:
        ConfigError: two models have one name, or the address cannot be had.
        LeapstreamError: a model cannot be loaded.
    """
    repeated = first_repeated(spec.name for spec in options.models)
    if repeated is not None:
        raise ConfigError(f"two models have the name {repeated!r}; give one of them another by NAME=BUNDLE")
    _prepare(options)
    listening = _listen(options.host, options.port)
    host, port = listening.getsockname()[:2]
    scheme = "http" if options.certificate is None else "https"
    LOG.info("listening", extra={"fields": {"url": f"{scheme}://{host}:{port}", "workers": options.workers}})
    if options.grpc_port is None:
        _serve(options, listening)
        return
    with _reserved(options.host, options.grpc_port) as free:
        LOG.info("listening for gRPC", extra={"fields": {"address": f"{host}:{free}"}})
        _serve(replace(options, grpc_port=free), listening)


def _serve(options: ServeOptions, listening: socket.socket) -> None:
    # Here a model that cannot be loaded is an error of the command; workers would be started again and again.
    if options.workers == 1:
        application = options.application()
        application.context.keeper.start()
        # uvicorn raises the signal again after it has drained; the process has done what it was told.
        signal.signal(signal.SIGTERM, lambda *_: None)
        config = uvicorn.Config(application, http=shortcut(application), **_configuration(options))
        uvicorn.Server(config).run(sockets=[listening])
        return
    with tempfile.TemporaryDirectory(prefix="leapstream-serve-") as shared, _shared_metrics():
        options = replace(options, shared=shared)
        options.keeper(ModelRegistry(), options.settings()).prepare()
        os.environ[_OPTIONS_VARIABLE] = msgspec.json.encode(asdict(options)).decode()
        config = uvicorn.Config(
            "leapstream.serving.server:worker",
            factory=True,
            http=_WorkerProtocol,
            workers=options.workers,
            **_configuration(options),
        )
        Multiprocess(config, sockets=[listening]).run()


def _prepare(options: ServeOptions) -> None:
    sys.setswitchinterval(_SWITCH_SECONDS if options.grpc_port is None else _SWITCH_SECONDS_WITH_GRPC)
    set_up(options.log_format)


def _configuration(options: ServeOptions) -> dict[str, Any]:
    return {
        "loop": "auto",
        "ws": "none",
        "lifespan": "on",
        "interface": "asgi3",
        "log_config": None,
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "date_header": False,
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": options.drain,
        "ssl_certfile": options.certificate,
        "ssl_keyfile": options.key,
    }


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise ConfigError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    listening.set_inheritable(True)
    return listening


@contextmanager
def _reserved(host: str, port: int) -> Iterator[int]:
    """Keep a port, on which nobody else can listen, for the gRPC servers of all workers."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as reserved:
        try:
            # Without this option the port has to be free; with it, the workers may listen there, too.
            with socket.socket(reserved.family, socket.SOCK_STREAM) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind((host, port))
                port = trial.getsockname()[1]
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            reserved.bind((host, port))
        except OSError as error:
            raise ConfigError(f"cannot listen on {host}:{port} for gRPC: {error.strerror or error}") from None
        yield port


@contextmanager
def _shared_metrics() -> Iterator[None]:
    """A directory in which the workers add up what they count."""
    with tempfile.TemporaryDirectory(prefix="leapstream-metrics-") as directory:
        os.environ[MULTIPROCESS_VARIABLE] = directory
        try:
            yield
        finally:
            del os.environ[MULTIPROCESS_VARIABLE]
