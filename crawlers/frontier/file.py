"""The SQLite file of a frontier, whose every error says which file, what is wrong, and what to do."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

_GOES_ON = "start again with the same data folder: what was not settled is fetched again"
_WHAT_TO_DO = {
    sqlite3.SQLITE_FULL: f"the disk is full: free some space and {_GOES_ON}",
    sqlite3.SQLITE_CORRUPT: "it is damaged: move it away and start again, with a new crawl; what was stored stays",
    sqlite3.SQLITE_NOTADB: "it is no frontier, or damaged: move it away and start again; what was stored stays",
    sqlite3.SQLITE_IOERR: f"the disk fails, or is full: see to it and {_GOES_ON}",
    sqlite3.SQLITE_READONLY: f"it cannot be written to: see to its permissions and {_GOES_ON}",
}
_PRAGMAS = (
    "locking_mode=EXCLUSIVE",
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "cache_size=-4000",
    "wal_autocheckpoint=8000",
)
"""4 MB in memory; 32 MB of the log before it is brought into the file: a focused crawl writes most rows many times."""
_IN_USE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_NOT_OURS = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH})


class FrontierError(Exception):
    """The frontier file cannot be used; the message is one line for the user."""


class FrontierFailedError(FrontierError, OSError):
    """The frontier file, or the disk under it, fails: not the user's mistake. The message is one line for the user."""


class FrontierFile:
    """One connection, used from one thread; after its first error it is never written to again.

    Parameters
    ----------
    path
        The file; it and its folder are made where missing, for their owner only.
    schema
        SQL that makes what is missing.

    Raises
    ------
    FrontierError
        The file cannot be opened, or another process has it. A `FrontierFailedError` where it is damaged, or the disk
        full; all methods raise this, too.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._failure: str | None = None
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise FrontierError(f"{path.parent} cannot be used: {error.strerror or error}") from error
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0.5)
        except sqlite3.Error as error:
            raise _opening(path, error) from error
        try:
            for pragma in _PRAGMAS:
                self._db.execute(f"PRAGMA {pragma}")
            self._db.executescript(schema)
        except sqlite3.Error as error:
            self._db.close()
            raise _opening(path, error) from error

    @property
    def failed(self) -> bool:
        """Whether there was an error."""
        return self._failure is not None

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Carry out a statement and return its rows."""
        with self._guarded():
            return self._db.execute(sql, values).fetchall()

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Carry out a statement for each of ``rows``."""
        with self._guarded():
            self._db.executemany(sql, rows)

    def commit(self) -> None:
        """Make all changes so far survive the process, and begin the next transaction."""
        with self._guarded():
            if self._db.in_transaction:
                self._db.execute("COMMIT")
            self._db.execute("BEGIN")

    def close(self) -> None:
        """Commit and close; after an error, close without."""
        try:
            if self._failure is None:
                with self._guarded():
                    if self._db.in_transaction:
                        self._db.execute("COMMIT")
        finally:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        if self._failure is not None:
            raise FrontierFailedError(self._failure)
        try:
            yield
        except sqlite3.Error as error:
            self._failure = _explain(self._path, error)
            with contextlib.suppress(sqlite3.Error):
                self._db.rollback()
            raise FrontierFailedError(self._failure) from error


def _opening(path: Path, error: sqlite3.Error) -> FrontierError:
    code = _code(error)
    if code in _IN_USE:
        return FrontierError(f"{path} is in use: another crawl runs with this data folder")
    kind = FrontierError if code in _NOT_OURS else FrontierFailedError
    return kind(_explain(path, error))


def _explain(path: Path, error: sqlite3.Error) -> str:
    return f"{path} cannot be used ({error}); {_WHAT_TO_DO.get(_code(error), f'see to it and {_GOES_ON}')}"


def _code(error: sqlite3.Error) -> int:
    """Return the primary result code."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
