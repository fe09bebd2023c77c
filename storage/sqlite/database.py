"""Connections to the file, its transactions, and its migrations."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from storage.port import StoreRejectedError
from storage.sqlite.failures import translated

APPLICATION_ID = 0x67776474
"""Marks a file as one of ours ("gwdt"), so that a foreign database is never written to."""

_MUCH = 0.2
"""Share of the file that must be free for it to be written anew."""


def migrations() -> list[str]:
    """Return the SQL scripts in order; the schema version is how many have been run."""
    folder = resources.files("storage.sqlite") / "migrations"
    scripts = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return [entry.read_text("utf-8") for entry in sorted(scripts, key=lambda entry: entry.name)]


class Database:
    """A pool of connections to one file: as many as there are threads in it at the same moment.

    Parameters
    ----------
    path
        The file; `migrate` makes it.
    busy_timeout_s
        How long to wait for another process that is writing.
    read_only
        Write nothing at all, neither to the file nor beside it.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float, read_only: bool = False) -> None:
        self.path = path
        self._read_only = read_only
        self._busy_timeout_s = busy_timeout_s
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that sees one state of the database throughout."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield the only connection that may write; all of it is durable at the end, or nothing of it."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def migrate(self) -> None:
        """Make the file, for its owner alone, or bring it to the newest schema; several processes may do so at once."""
        with suppress(OSError):  # SQLite says better what is wrong
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with translated(self.path):
            connection = self._connect("mode=rw")
            try:
                found = self._version_of_ours(connection)
                self._use_log(connection)
                if found != len(migrations()):
                    self._run_migrations(connection)
            finally:
                connection.close()

    def compact(self) -> None:
        """Leave no words of what was removed in the search index, no copy in the log, and give much free space back.

        What needs the file for itself waits for the next time where others have it.
        """
        with translated(self.path), self._borrowed() as connection:
            connection.execute("INSERT INTO item_words (item_words) VALUES ('optimize')")
            (free,) = connection.execute("PRAGMA freelist_count").fetchone()
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            with suppress(sqlite3.OperationalError):
                if free > pages * _MUCH:
                    connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close what is idle now, and the rest when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with translated(self.path), self._borrowed() as connection:
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._closed:
                raise StoreRejectedError(f"{self.path} has been closed")
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._open()
        try:
            yield connection
        finally:
            with self._lock:
                keep = not self._closed
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def _open(self) -> sqlite3.Connection:
        if not self.path.exists():
            raise StoreRejectedError(f"{self.path} does not exist: set the store up first")
        connection = self._connect_to_read() if self._read_only else self._connect("mode=rw")
        try:
            found, wanted = self._version_of_ours(connection), len(migrations())
            if found != wanted:
                raise StoreRejectedError(f"{self.path} has schema {found}, not {wanted}: set the store up first")
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_to_read(self) -> sqlite3.Connection:
        try:
            return self._connect("mode=ro")
        except sqlite3.OperationalError:
            # Where there is no -wal file, SQLite wants to make one; where it may not, nobody else does.
            log = self.path.with_name(f"{self.path.name}-wal")
            if log.exists() and log.stat().st_size:
                raise
            return self._connect("mode=ro&immutable=1")

    def _connect(self, mode: str) -> sqlite3.Connection:
        uri = f"file:{quote(str(self.path.absolute()))}?{mode}"
        connection = sqlite3.connect(
            uri, uri=True, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        try:
            for pragma in ("foreign_keys = ON", "synchronous = FULL", "secure_delete = ON"):
                connection.execute(f"PRAGMA {pragma}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _version_of_ours(self, connection: sqlite3.Connection) -> int:
        """Return the schema's version; refuse a file of another program or of a newer version."""
        (application_id,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application_id != APPLICATION_ID and tables:
            raise StoreRejectedError(f"{self.path} belongs to another program: choose another file")
        if (version := self._version(connection)) > len(migrations()):
            raise StoreRejectedError(
                f"{self.path} has schema {version}, made by a newer guidewatch: upgrade, or choose another file"
            )
        return version

    def _use_log(self, connection: sqlite3.Connection) -> None:
        """Switch to the write-ahead log; where others do the same, SQLite refuses at once and does not wait."""
        deadline = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def _run_migrations(self, connection: sqlite3.Connection) -> None:
        scripts = migrations()
        connection.execute("BEGIN IMMEDIATE")
        try:
            for script in scripts[self._version(connection) :]:
                for statement in _statements(script):
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(scripts)}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    @staticmethod
    def _version(connection: sqlite3.Connection) -> int:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    # executescript() commits by itself, and a migration must be one transaction.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
