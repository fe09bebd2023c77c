"""Removing what is too old: texts from items, rows with their items and checks, some hundreds a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from storage.retention import HEARD_OF, Removed, Retention
from storage.retention import without_text as stripped
from storage.sqlite import writing
from storage.sqlite.database import Database
from storage.sqlite.rows import stamp

_CHUNK = 500
_HEARD_OF = f"max({', '.join(f'''coalesce({name}, '')''' for name in HEARD_OF)})"
_TEXTS = "FROM items WHERE text_removed_at IS NULL AND fetched_at < ?"
_ROWS = f"FROM ledger WHERE {_HEARD_OF} < ?"
NEWEST = f"SELECT max({_HEARD_OF}) FROM ledger"  # noqa: S608
_OF_PAGE = ("DELETE FROM checks WHERE page_id = ?", "DELETE FROM reports WHERE page_id = ?")


def count(connection: sqlite3.Connection, retention: Retention) -> Removed:
    """Return what `remove` would remove."""
    texts, rows = (
        connection.execute(f"SELECT count(*) {what}", (stamp(before),)).fetchone()[0] if before is not None else 0
        for what, before in ((_TEXTS, retention.text_before), (_ROWS, retention.ledger_before))
    )
    return Removed(texts=texts, rows=rows)


def remove(database: Database, retention: Retention, now: datetime) -> Removed:
    """Remove it, then give the space back."""
    texts = _remove_texts(database, retention.text_before, now) if retention.text_before is not None else 0
    rows = _remove_rows(database, retention.ledger_before) if retention.ledger_before is not None else 0
    if texts or rows:
        database.compact()
    return Removed(texts=texts, rows=rows)


def _remove_texts(database: Database, before: datetime, now: datetime) -> int:
    count = 0
    while True:
        with database.writing() as connection:
            page_ids = _chosen(connection, f"SELECT page_id {_TEXTS} LIMIT ?", (stamp(before), _CHUNK))
            for held in writing.held(connection, page_ids).values():
                if held.item is not None:
                    writing.write(connection, held, msgspec.structs.replace(held, item=stripped(held.item, now)))
        count += len(page_ids)
        if len(page_ids) < _CHUNK:
            return count


def _remove_rows(database: Database, before: datetime) -> int:
    count, last = 0, ""
    while True:
        with database.writing() as connection:
            select = f"SELECT page_id {_ROWS} AND page_id > ? ORDER BY page_id LIMIT ?"
            page_ids = _chosen(connection, select, (stamp(before), last, _CHUNK))
            for held in writing.held(connection, page_ids).values():
                writing.write(connection, held, msgspec.structs.replace(held, item=None))
            for statement in (*_OF_PAGE, "DELETE FROM ledger WHERE page_id = ?"):
                connection.executemany(statement, [(page_id,) for page_id in page_ids])
        count += len(page_ids)
        if len(page_ids) < _CHUNK:
            return count
        last = page_ids[-1]


def _chosen(connection: sqlite3.Connection, select: str, parameters: Sequence[object]) -> list[str]:
    return [row["page_id"] for row in connection.execute(select, parameters)]
