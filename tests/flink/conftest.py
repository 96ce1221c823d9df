"""One mini cluster for all tests of Flink."""

from __future__ import annotations

import itertools
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from leapstream.flink import MLeapUDFRegistry, RegisteredFunction

# What the Python workers import when a first job starts warns of its own dependencies; none of it is ours to mend.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pyflink.fn_execution.beam.beam_worker_pool_service  # noqa: F401

from py4j.java_gateway import GatewayClient
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import EnvironmentSettings, StreamTableEnvironment, TableEnvironment

from .cluster import Cluster, running_cluster

ROOT = Path(__file__).resolve().parents[1]
LINEAR = str(ROOT / "bench" / "linear3.zip")
FOREST = str(ROOT / "bench" / "forest3-20x5.zip")

Register = Callable[..., RegisteredFunction]

_numbers = itertools.count()


def golden(case: str) -> Path:
    """The folder of a recorded case."""
    return ROOT / "golden" / case


def bundle_of(case: str) -> str:
    """Its bundle."""
    folder = golden(case)
    return str(folder / "bundle.zip" if (folder / "bundle.zip").exists() else folder / "bundle")


def collect(table_env: TableEnvironment, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with table_env.execute_sql(query).collect() as rows:
        return [tuple(row) for row in rows]


def pytest_configure(config: pytest.Config) -> None:
    # PyFlink keeps no handle of its JVM, which ends with this process.
    config.addinivalue_line("filterwarnings", "ignore:subprocess .* is still running:ResourceWarning")


@pytest.fixture(scope="session", autouse=True)
def _java_objects_are_forgotten_by_the_main_thread_alone() -> Iterator[None]:
    """Keeps the main thread on one connection to Java, since Flink's planner works in the Java thread that made it alone.

    Python collects garbage in any thread, and Py4J would tell Java of it over the connection that is free. A call of the main
    thread at this moment would get another connection, and a ``NullPointerException`` from the planner.
    """
    forget = GatewayClient.garbage_collect_object

    def forget_in_main_thread(client: GatewayClient, target: str) -> None:
        if threading.current_thread() is threading.main_thread():
            forget(client, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GatewayClient, "garbage_collect_object", forget_in_main_thread)
        yield


# Each test has environments of its own, as every job takes all jars of its environment along; the JVM is the same.
@pytest.fixture
def env() -> StreamExecutionEnvironment:
    environment = StreamExecutionEnvironment.get_execution_environment()
    environment.set_parallelism(1)
    # PyFlink sets it for streams of tables alone.
    environment.set_python_executable(sys.executable)
    return environment


@pytest.fixture
def table_env(env: StreamExecutionEnvironment) -> StreamTableEnvironment:
    """A streaming environment."""
    return StreamTableEnvironment.create(env)


@pytest.fixture
def batch_env() -> TableEnvironment:
    """A batch environment."""
    environment = TableEnvironment.create(EnvironmentSettings.in_batch_mode())
    environment.get_config().set("parallelism.default", "1")
    return environment


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A standalone cluster, started for the first test that asks for it."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def register(table_env: StreamTableEnvironment) -> Iterator[Register]:
    """Registers a function under a name of its own for as long as a test runs."""
    names: list[tuple[TableEnvironment, str]] = []

    def register(model: Any, where: TableEnvironment = table_env, **options: Any) -> RegisteredFunction:
        name = options.pop("name", f"f{next(_numbers)}")
        function = MLeapUDFRegistry.register(name, model, where, **options)
        names.append((where, name))
        return function

    yield register
    for where, name in names:
        where.execute_sql(f"DROP TEMPORARY SYSTEM FUNCTION IF EXISTS {name}")


@pytest.fixture
def table(table_env: StreamTableEnvironment) -> Iterator[Callable[..., str]]:
    """Makes a temporary view of rows."""
    views: list[tuple[TableEnvironment, str]] = []

    def make(rows: Sequence[Sequence[Any]], schema: Any, where: TableEnvironment = table_env) -> str:
        name = f"rows{next(_numbers)}"
        where.create_temporary_view(name, where.from_elements([tuple(row) for row in rows], schema))
        views.append((where, name))
        return name

    yield make
    for where, name in views:
        where.drop_temporary_view(name)
