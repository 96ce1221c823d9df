"""``leapstream serve`` beside other servers of the same model: CPU time of a request, latency, memory.

A request has one record for the linear model of three columns, or a list of them. The servers run beside one another, and take
turns: in each round each of them gets the load of 16 connections that are kept open, from wrk or, for gRPC, from h2load. CPU
time is that of all of a server's processes. The load generators, and whatever else the machine does, take the same cores, so that
rates and latencies vary more than CPU time does.

Run it with ``make bench-serve`` or ``python benchmarks/serving.py [--rounds N] [--seconds S] [--only NAME …]``; it writes
``docs/serving-performance.md`` from all measurements in ``build/bench``, those of ``--soak`` and ``--kill``, too.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from load import CONNECTIONS, Post, ServerProcess, free_port, h2load, require_generators, resident_megabytes, tree, wrk
from measure import machine
from serving_report import (
    ECHO,
    GRPC,
    LEAP_FRAME,
    LIST,
    OIP,
    OIP_GRPC,
    OURS,
    PLAIN,
    TWO,
    Kill,
    Measured,
    Measurements,
    Soak,
    write_page,
)

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = ROOT / ".venv-bench-serve" / "bin"
BUNDLE = ROOT / "tests" / "bench" / "linear3.zip"
WARM_UP = 4.0
"""Seconds of load before anything is measured."""

COLUMNS = ("feature1", "feature2", "feature3")
VALUES = (1.0, 2.0, 3.0)
RECORD = json.dumps(dict(zip(COLUMNS, VALUES, strict=True))).encode()
RECORDS = b"[%s]" % b",".join([RECORD] * 100)
FRAME = json.dumps(
    {"schema": {"fields": [{"name": name, "type": "double"} for name in COLUMNS]}, "rows": [list(VALUES)]}
).encode()
TENSORS = json.dumps(
    {
        "inputs": [
            {"name": name, "shape": [1], "datatype": "FP64", "data": [value]}
            for name, value in zip(COLUMNS, VALUES, strict=True)
        ]
    }
).encode()
SPLIT = json.dumps({"dataframe_split": {"columns": COLUMNS, "data": [VALUES]}}).encode()
TRANSFORM = "/ml.combust.mleap.pb.Mleap/Transform"
INFER = "/inference.GRPCInferenceService/ModelInfer"


@dataclass(frozen=True)
class Server:
    """A server to be measured.

    Attributes:
        name: its name in the tables.
        command: starts it on a port and, if it has one for gRPC, another.
        environment: what it needs there.
    """

    name: str
    command: Callable[[int, int], list[str]]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """A kind of request to a server.

    Attributes:
        work: the kind, by which rows are compared.
        variant: the name in the table.
        server: the name of the server.
        post: the request over HTTP.
        call: the path and the message of the call, for gRPC.
    """

    work: str
    variant: str
    server: str
    post: Post | None = None
    call: tuple[str, bytes] | None = None


def _leapstream(workers: int) -> Callable[[int, int], list[str]]:
    command = [sys.executable, "-W", "ignore", "-m", "leapstream", "serve", f"linear={BUNDLE}"]
    return lambda port, grpc: [*command, "--workers", f"{workers}", "--port", f"{port}", "--grpc-port", f"{grpc}"]


def _jvm(port: int, grpc: int) -> list[str]:
    from jvm_peer import PACKAGE, mleap_jars, peer_jar

    from leapstream.executors.jvm.gateway import ensure_java

    path = os.pathsep.join(map(str, [peer_jar(), *mleap_jars()]))
    # Without the option a small answer waits for the acknowledgement of the one before.
    java = [str(ensure_java() / "bin" / "java"), "-Xmx512m", "-Dsun.net.httpserver.nodelay=true", "-cp", path]
    return [*java, f"{PACKAGE}.Serve", str(BUNDLE), f"{port}", "2", "prediction", *COLUMNS]


def _uvicorn(application: str) -> Callable[[int, int], list[str]]:
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return lambda port, grpc: [str(PEERS / "python"), "-m", "uvicorn", application, "--port", f"{port}", *options]


def _raw_grpc(port: int, grpc: int) -> list[str]:
    return [str(PEERS / "python"), str(HERE / "peers" / "raw_grpc.py"), f"{grpc}", "4", TRANSFORM]


def _mlserver(scratch: Path) -> Callable[[int, int], list[str]]:
    def command(port: int, grpc: int) -> list[str]:
        settings = {
            "http_port": port,
            "grpc_port": grpc,
            "metrics_port": free_port(),
            "parallel_workers": 0,
            "debug": False,
        }
        (scratch / "settings.json").write_text(json.dumps(settings))
        model = {"name": "linear", "implementation": "mlserver_peer.LeapstreamRuntime"}
        (scratch / "model-settings.json").write_text(json.dumps(model))
        return [str(PEERS / "mlserver"), "start", str(scratch)]

    return command


def _mlflow(model: Path) -> Callable[[int, int], list[str]]:
    options = ["--env-manager", "local", "--workers", "1"]
    return lambda port, grpc: [str(PEERS / "mlflow"), "models", "serve", "-m", str(model), "-p", f"{port}", *options]


def servers(scratch: Path) -> list[Server]:
    """All servers; models of the peers are written to a directory."""
    bundle = {"BUNDLE": str(BUNDLE), "PYTHONPATH": str(HERE / "peers")}
    # mlflow starts the uvicorn on PATH.
    path = {"PATH": f"{PEERS}{os.pathsep}{os.environ['PATH']}"}
    model = scratch / "model"
    saved = subprocess.run(
        [str(PEERS / "python"), str(HERE / "peers" / "mlflow_peer.py"), str(BUNDLE), str(model)],
        check=False,
        capture_output=True,
        text=True,
    )
    if saved.returncode:
        sys.exit(f"the model for MLflow cannot be saved:\n{saved.stderr}")
    return [
        Server(OURS, _leapstream(1)),
        Server(TWO, _leapstream(2)),
        Server("uvicorn", _uvicorn("raw_asgi:app"), bundle),
        Server("JDK", _jvm),
        Server("FastAPI", _uvicorn("fastapi_peer:app"), bundle),
        Server("MLServer", _mlserver(scratch), bundle),
        Server("MLflow", _mlflow(model), path),
        Server("grpcio", _raw_grpc),
    ]


def rows() -> list[Row]:
    """All kinds of requests, in the order of the report."""
    from leapstream.serving.proto import mleap_pb2, oip_pb2

    record, frame = Post("/v1/models/linear:predict", RECORD), Post("/models/linear/transform", FRAME)
    records = Post("/v1/models/linear:predict", RECORDS)
    infer = Post("/v2/models/linear/infer", TENSORS)
    transform = mleap_pb2.TransformFrameRequest(model_name="linear", format="ml.combust.mleap.json", frame=FRAME)
    call = (TRANSFORM, transform.SerializeToString())
    inputs = [
        oip_pb2.ModelInferRequest.InferInputTensor(
            name=name, datatype="FP64", shape=[1], contents=oip_pb2.InferTensorContents(fp64_contents=[value])
        )
        for name, value in zip(COLUMNS, VALUES, strict=True)
    ]
    tensors = (INFER, oip_pb2.ModelInferRequest(model_name="linear", inputs=inputs).SerializeToString())
    return [
        Row(PLAIN, OURS, OURS, record),
        Row(PLAIN, TWO, TWO, record),
        Row(PLAIN, "JDK HttpServer, MLeap's row transformer", "JDK", Post("/record", RECORD)),
        Row(PLAIN, "FastAPI, `model.predict`", "FastAPI", Post("/predict", RECORD)),
        Row(PLAIN, "`mlflow models serve`", "MLflow", Post("/invocations", SPLIT)),
        Row(PLAIN, ECHO, "uvicorn", Post("/", RECORD, expected=RECORD)),
        Row(LIST, OURS, OURS, records),
        Row(LIST, TWO, TWO, records),
        Row(LEAP_FRAME, OURS, OURS, frame),
        Row(LEAP_FRAME, "JDK HttpServer, MLeap's frame reader and writer", "JDK", Post("/frame", FRAME)),
        Row(LEAP_FRAME, "JDK HttpServer, MLeap's row transformer", "JDK", Post("/rows", FRAME)),
        Row(OIP, OURS, OURS, infer),
        Row(OIP, "MLServer, `model.predict`", "MLServer", infer),
        Row(GRPC, OURS, OURS, call=call),
        Row(GRPC, "grpcio, sends the message back", "grpcio", call=call),
        Row(OIP_GRPC, OURS, OURS, call=tensors),
        Row(OIP_GRPC, "MLServer, `model.predict`", "MLServer", call=tensors),
    ]


# ---- measuring --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Running:
    """A server that runs.

    Attributes:
        process: its process.
        port, grpc: where it listens.
    """

    process: ServerProcess
    port: int
    grpc: int

    @classmethod
    def started(cls, server: Server, scratch: Path) -> Running:
        """Start a server."""
        port, grpc = free_port(), free_port()
        process = ServerProcess(server.command(port, grpc), server.environment, scratch / f"{server.name}.log")
        return cls(process, port, grpc)

    def wait_until_answered(self, post: Post) -> None:
        """Wait until it answers a request."""
        self.process.wait_until(
            f"http://127.0.0.1:{self.port}{post.path}", post.body, dict(post.headers), post.expected
        )


def measure(row: Row, running: Running, seconds: float, measured: Measured) -> None:
    """Add a round of a row: at full load, and at half of it."""
    pid = running.process.pid
    if row.call is not None:
        measured.full.append(h2load(pid, running.grpc, *row.call, seconds))
    else:
        assert row.post is not None
        full = wrk(pid, running.port, row.post, seconds)
        measured.full.append(full)
        # Half of the requests need twice the time between two of a connection.
        each = CONNECTIONS / full.rate * 1000
        half = wrk(pid, running.port, row.post, seconds, pause=max(2 * each - full.p50, each))
        measured.half.append(half)
    measured.memory = resident_megabytes(pid)
    print(measured.line(), f"load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)


def compare(only: list[str], rounds: int, seconds: float) -> None:
    """Measure all rows whose server or kind of request is in ``only``, which may be empty."""
    chosen = [row for row in rows() if not only or row.server in only or row.work in only]
    found = Measurements(
        machine(), time.strftime("%Y-%m-%d %H:%M:%S %z"), [Measured(r.work, r.variant) for r in chosen]
    )
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        scratch = Path(directory)
        running: dict[str, Running] = {}
        for server in servers(scratch):
            if any(row.server == server.name for row in chosen):
                running[server.name] = Running.started(server, scratch)
                stack.callback(running[server.name].process.stop)
        for row in chosen:
            at = running[row.server]
            if row.post is not None:
                at.wait_until_answered(row.post)
            else:
                at.process.wait_for_port(at.grpc)
        for row, measured in zip(chosen, found.rows, strict=True):
            # Compilers just in time have their time, which is not measured.
            measure(row, running[row.server], WARM_UP, Measured(measured.work, f"{measured.variant}, warm-up"))
        for _ in range(rounds):
            for row, measured in zip(chosen, found.rows, strict=True):
                measure(row, running[row.server], seconds, measured)
            found.save()


@contextmanager
def alone(server: Server) -> Iterator[tuple[Running, Post]]:
    """A server that runs without the others, and the request for a record."""
    post = rows()[0].post
    assert post is not None
    with tempfile.TemporaryDirectory() as directory:
        at = Running.started(server, Path(directory))
        try:
            at.wait_until_answered(post)
            yield at, post
        finally:
            at.process.stop()


def soak(requests: int) -> None:
    """Send a number of requests to one server, and look at its memory in between."""
    with alone(Server(OURS, _leapstream(1))) as (at, post):
        found = Soak(time.strftime("%Y-%m-%d %H:%M:%S %z"), [(0, resident_megabytes(at.process.pid))], 0)
        while found.requests < requests:
            load = wrk(at.process.pid, at.port, post, 10)
            found.failed += load.failed
            found.memory.append((found.requests + load.requests, resident_megabytes(at.process.pid)))
            print(f"{found.requests} requests, {found.memory[-1][1]:.1f} MB", file=sys.stderr, flush=True)
            found.save()


def kill(seconds: float) -> None:
    """Kill one of two workers under load, and count what clients see."""
    with alone(Server(TWO, _leapstream(2))) as (at, post):
        time.sleep(2)
        before = list(tree(at.process.pid))

        def end_one() -> None:
            os.kill(before[-1], signal.SIGKILL)

        timer = threading.Timer(seconds / 2, end_one)
        timer.start()
        load = wrk(at.process.pid, at.port, post, seconds)
        after = set(tree(at.process.pid)) - set(before)
        Kill(time.strftime("%Y-%m-%d %H:%M:%S %z"), load, len(after)).save()
        print(f"{load.requests} requests, {load.failed} failed, {len(after)} new worker", file=sys.stderr)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of one measurement")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="servers or kinds of requests")
    parser.add_argument("--soak", type=int, metavar="REQUESTS", help="look at the memory over so many requests instead")
    parser.add_argument("--kill", action="store_true", help="kill a worker under load instead")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    given = parser.parse_args()
    require_generators()
    if given.soak:
        soak(given.soak)
    elif given.kill:
        kill(10.0)
    elif not given.report:
        compare(given.only, given.rounds, given.seconds)
    write_page()


if __name__ == "__main__":
    main()
