"""The checks of pages, inside a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from storage.sqlite import rows
from storage.values import Check

_INSERT = "INSERT OR IGNORE INTO checks VALUES (?, ?, ?, ?, ?, ?)"


def insert(connection: sqlite3.Connection, checks: Iterable[Check]) -> None:
    """Write checks of pages that are in the ledger; those that are there stay as they are."""
    cells = (
        (check.page_id, rows.stamp(check.at), check.state, check.reason, check.status, check.content_id)
        for check in checks
    )
    connection.executemany(_INSERT, cells)


def of_page(connection: sqlite3.Connection, page_id: str, limit: int) -> list[Check]:
    """Return the last checks of a page, oldest first."""
    found = connection.execute("SELECT * FROM checks WHERE page_id = ? ORDER BY at DESC LIMIT ?", (page_id, limit))
    return [
        Check(
            page_id=row["page_id"],
            at=datetime.fromisoformat(row["at"]),
            state=row["state"],
            reason=row["reason"],
            status=row["status"],
            content_id=row["content_id"],
        )
        for row in reversed(found.fetchall())
    ]


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Return pages by the state of their last check."""
    select = "SELECT check_state, count(*) FROM ledger WHERE check_state IS NOT NULL GROUP BY check_state"
    return dict(connection.execute(select).fetchall())
