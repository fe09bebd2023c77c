"""What an SQLite error means to a caller: try again later, or ask a person."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.port import StoreRejectedError, StoreUnavailableError

_LATER = {
    sqlite3.SQLITE_BUSY: ("is locked by another process", 1.0),
    sqlite3.SQLITE_LOCKED: ("is locked by another connection", 1.0),
    sqlite3.SQLITE_FULL: ("cannot grow: the disk is full", 30.0),
    sqlite3.SQLITE_IOERR: ("cannot be read or written: the disk is full or failing", 30.0),
    sqlite3.SQLITE_NOMEM: ("cannot be read: out of memory", 30.0),
}
_NEVER = {
    sqlite3.SQLITE_READONLY: "is read-only: check the permissions of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that its folder exists and is writable",
    sqlite3.SQLITE_PERM: "may not be opened: check the permissions",
    sqlite3.SQLITE_NOTADB: "is not a database: move it away or choose another file",
    sqlite3.SQLITE_CORRUPT: "is damaged: move it away and restore a copy",
}


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise the port's errors in place of SQLite's, with one line that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the primary code; the extended code in the rest says where it happened.
        primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if primary in _LATER:
            reason, retry_after_s = _LATER[primary]
            raise StoreUnavailableError(f"{path} {reason}", retry_after_s) from error
        reason = _NEVER.get(primary, f"refuses the call: {error}")
        raise StoreRejectedError(f"{path} {reason}") from error
