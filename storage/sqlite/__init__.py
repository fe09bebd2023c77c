"""Items, ledger and decisions in one SQLite file (WAL, FTS5): the embedded default."""

from storage.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
