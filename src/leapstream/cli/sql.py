"""``leapstream sql``: a script of SQL statements in an embedded Flink, or on a cluster."""

from __future__ import annotations

import queue
import sys
import threading
import unicodedata
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from leapstream.cli.console import err
from leapstream.cli.doctor import require
from leapstream.cli.javaerrors import explain
from leapstream.cli.statements import Statement, split
from leapstream.cli.target import Target, at_target
from leapstream.cli.writing import json_value
from leapstream.errors import BackendError, ConfigError, LeapstreamError
from leapstream.escaping import json_text, printable, printable_lines

_FIRST_ROWS = 100
_PATIENCE = 1.0
_WIDEST = 60


def run_script(
    script: Path, config: str | None, *, target: str | None, batch: bool, as_json: bool, options: Sequence[str]
) -> None:
    """Run the statements of a file one after the other, and print what the queries give.

    Args:
        script: the file.
        config: ``application.conf`` whose functions the statements may call.
        target: ``host:port`` of a cluster's REST endpoint; an embedded Flink when not given.
        batch: run in batch mode.
        as_json: print rows as JSON lines, not as tables.
        options: ``key=value`` settings of Flink.

    Raises:
        LackingError: PyFlink or Java is missing.
        LeapstreamError: the script cannot be read, the cluster cannot be reached or is of another version, or a statement fails;
            the message names its line.
    """
    try:
        text = script.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{script}: {getattr(error, 'strerror', None) or error}") from error
    statements = split(text, str(script))
    settings = _settings(target, batch, options)
    # The mode cannot change once there is an environment, so what a script sets first is set before.
    while statements and (setting := statements[0].setting()) is not None:
        key, value = setting
        settings.pop(key, None)
        if value is not None:
            settings[key] = value
        statements.pop(0)
    # Flink's own client tries for minutes to reach a cluster, without a word.
    cluster = at_target(settings)
    if cluster is not None:
        statements = [cluster.with_absolute_paths(statement, str(script)) for statement in statements]
    with warnings.catch_warnings():
        # What PyFlink's dependencies have to say about each other is nothing that a user of SQL can mend.
        warnings.simplefilter("ignore")
        table_env = _environment(settings)
        if config is not None:
            from leapstream.flink import MLeapUDFRegistry

            MLeapUDFRegistry.register_from_config(config, table_env)
    for statement in statements:
        try:
            _run(table_env, statement, as_json, cluster)
        except LeapstreamError:
            raise
        # PyFlink raises whatever class a Java exception maps to.
        except Exception as error:
            raise BackendError(f"{script}: line {statement.line}: {explain(error)}") from error


def _settings(target: str | None, batch: bool, options: Sequence[str]) -> dict[str, str]:
    settings = {"execution.runtime-mode": "batch"} if batch else {}
    if target is not None:
        host, separator, port = target.rpartition(":")
        if not separator or not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise ConfigError(f"--target is {target!r}, and has to be host:port of the cluster's REST endpoint")
        host = host.strip("[]")
        settings |= {
            "execution.target": "remote",
            "jobmanager.rpc.address": host,
            "rest.address": host,
            "rest.port": port,
        }
    for option in options:
        key, separator, value = option.partition("=")
        if not separator or not key.strip():
            raise ConfigError(f"--set is {option!r}, and has to be key=value")
        settings[key.strip()] = value.strip()
    return settings


def _environment(settings: dict[str, str]) -> Any:
    """A table environment; PyFlink's Java starts here."""
    require(["flink"], "SQL")
    from leapstream.executors.jvm.gateway import ensure_java

    ensure_java()
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    from leapstream.flink.compat import use_file_systems

    configuration = Configuration()
    for key, value in settings.items():
        configuration.set_string(key, value)
    try:
        # A statement that names a store is planned here, with the plugins of the cluster's file systems.
        use_file_systems(settings)
        made = EnvironmentSettings.new_instance().with_configuration(configuration)
        mode = settings.get("execution.runtime-mode", "streaming").lower()
        made = made.in_batch_mode() if mode == "batch" else made.in_streaming_mode()
        return TableEnvironment.create(made.build())
    # As in run_script.
    except Exception as error:
        raise BackendError(f"Flink does not start: {explain(error)}") from error


def _run(table_env: Any, statement: Statement, as_json: bool, cluster: Target | None) -> None:
    setting = statement.setting()
    if setting is not None:
        key, value = setting
        table_env.get_config().set(key, "" if value is None else value)
        return
    from pyflink.table import ResultKind

    from leapstream.flink.compat import writes_tables

    result = table_env.execute_sql(statement.text)
    if result.get_result_kind() != ResultKind.SUCCESS_WITH_CONTENT:
        return
    names = list(result.get_table_schema().get_field_names())
    client = result.get_job_client()
    writes = client is not None and writes_tables(table_env, statement.text)
    watched = nullcontext() if client is None or cluster is None else cluster.watched(str(client.get_job_id()))
    console = err()
    with watched:
        if writes:
            if console.is_terminal:
                with console.status("running the job"):
                    result.wait()
            else:
                result.wait()
            return
        try:
            _print(result, names, as_json, is_text=client is None and len(names) == 1)
        except KeyboardInterrupt:
            if client is not None:
                client.cancel()
            raise


# ---- rows -------------------------------------------------------------------------------------------------------------


def _print(result: Any, names: list[str], as_json: bool, *, is_text: bool) -> None:
    """Print rows. ``is_text``: a value of several lines (EXPLAIN, SHOW CREATE) is printed as it is."""
    rows = Rows(result)
    if as_json:
        while (item := rows.next(None)) is not None:
            kind, values = item
            record = {name: row_value(value) for name, value in zip(names, values, strict=True)}
            if kind != "+I":
                record = {"$op": kind, **record}
            sys.stdout.write(json_text(json_value(record)) + "\n")
            sys.stdout.flush()
        return
    table = TextTable(names)
    printed = False
    while (item := rows.next(table.patience())) is not None:
        if item is _WAITING:
            table.flush()
        elif is_text and "\n" in str(item[1][0]):
            sys.stdout.write(printable_lines(str(item[1][0]).rstrip("\n")) + "\n")
            printed = True
        else:
            table.add(*item)
    if table.rows or not printed:
        table.close()


_WAITING: tuple[str, list[Any]] = ("", [])


class Rows:
    """A result's rows, read in the background so that what is there can be shown while more is awaited.

    Two threads that speak to Java at a time have two connections, and a thread of Java for each. Flink's planner works in the
    one alone that has made the table environment (FLINK-23020), so the background has ended when ``next`` gives the end.
    """

    def __init__(self, result: Any) -> None:
        self._queue: queue.Queue[tuple[str, list[Any]] | Exception | None] = queue.Queue(maxsize=10_000)
        self._reading = threading.Thread(target=self._read, args=(result,), daemon=True)
        self._reading.start()

    def _read(self, result: Any) -> None:
        try:
            with result.collect() as rows:
                for row in rows:
                    self._queue.put((str(row.get_row_kind()), list(row)))
            self._queue.put(None)
        # Raised again where the rows are taken.
        except Exception as error:
            self._queue.put(error)

    def next(self, patience: float | None) -> tuple[str, list[Any]] | None:
        """The next row: its kind of change and its values; ``None`` at the end, ``_WAITING`` when patience ends."""
        try:
            item = self._queue.get(timeout=patience)
        except queue.Empty:
            return _WAITING
        if item is None or isinstance(item, Exception):
            self._reading.join()
        if isinstance(item, Exception):
            raise item
        return item


def row_value(value: Any) -> Any:
    """A value of a row, with nested rows as dicts (or lists, when their fields have no names)."""
    if hasattr(value, "as_dict") and hasattr(value, "get_row_kind"):
        if hasattr(value, "_fields"):
            return {name: row_value(item) for name, item in value.as_dict().items()}
        return [row_value(item) for item in value]
    if isinstance(value, dict):
        return {key: row_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [row_value(item) for item in value]
    return value


class TextTable:
    """A table that is printed as it grows: its columns are as wide as the first rows want.

    Rows that change earlier ones bring a column ``op`` with them, as in Flink's SQL client: +I, -U, +U, -D.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(map(printable, names))
        self._waiting: list[tuple[str, list[str]]] = []
        self._widths: list[int] | None = None
        self._changes = False
        self.rows = 0

    def patience(self) -> float | None:
        """Seconds to wait for more rows before showing those that are there; ``None``: as long as it takes."""
        return _PATIENCE if self._waiting else None

    def add(self, kind: str, values: Sequence[Any]) -> None:
        """Add a row."""
        self.rows += 1
        if kind != "+I" and not self._changes:
            self._changes = True
            if self._widths is not None:
                self._rule()
                self._widths = None
        self._waiting.append((kind, [cell_text(value) for value in values]))
        if self._widths is not None or len(self._waiting) >= _FIRST_ROWS:
            self.flush()

    def flush(self) -> None:
        """Print the rows that are there."""
        header = ["op", *self._names] if self._changes else self._names
        lines = [[kind, *cells] if self._changes else cells for kind, cells in self._waiting]
        if self._widths is None:
            columns = zip(header, *lines, strict=True)
            self._widths = [min(max(map(_width, column)), _WIDEST) for column in columns]
            self._rule()
            self._line(header)
            self._rule()
        for line in lines:
            self._line(line)
        self._waiting = []
        sys.stdout.flush()

    def close(self) -> None:
        """Print what ends the table."""
        self.flush()
        self._rule()
        sys.stdout.write(f"{self.rows} row{'' if self.rows == 1 else 's'}\n")

    def _rule(self) -> None:
        sys.stdout.write("+" + "+".join("-" * (width + 2) for width in self._widths or ()) + "+\n")

    def _line(self, cells: Sequence[str]) -> None:
        padded = [cell + " " * (width - _width(cell)) for cell, width in zip(cells, self._widths or (), strict=True)]
        sys.stdout.write("| " + " | ".join(padded) + " |\n")


def cell_text(value: Any) -> str:
    """A value in one line."""
    if value is None:
        return "NULL"
    plain = row_value(value)
    if isinstance(plain, (dict, list)):
        return json_text(json_value(plain))
    return printable(str(plain))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
