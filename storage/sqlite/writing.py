"""Reading what is held of pages, and writing what became different, inside one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

from events import LabelRecorded
from storage.merge import Held, LedgerState
from storage.sqlite import rows
from storage.sqlite.clustering import bands
from storage.values import Item
from storage.words import searchable

_CHUNK = 500

_UPSERT_LEDGER = (
    f"INSERT INTO ledger ({', '.join(rows.LEDGER_COLUMNS)}) VALUES ({', '.join('?' * len(rows.LEDGER_COLUMNS))}) "  # noqa: S608
    f"ON CONFLICT (page_id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in rows.LEDGER_COLUMNS[1:])}"
)
_UPSERT_ITEM = (
    f"INSERT INTO items ({', '.join(rows.ITEM_COLUMNS)}) VALUES ({', '.join('?' * len(rows.ITEM_COLUMNS))}) "  # noqa: S608
    f"ON CONFLICT (page_id) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in rows.ITEM_COLUMNS[1:])} "
    "RETURNING number"
)


def held(connection: sqlite3.Connection, page_ids: Iterable[str]) -> dict[str, Held]:
    """Return what is held of each page, empty where nothing is."""
    wanted = list(dict.fromkeys(page_ids))
    labels = _grouped(connection, "SELECT * FROM decisions WHERE page_id IN ({})", wanted)
    reports = _grouped(connection, "SELECT * FROM reports WHERE page_id IN ({}) ORDER BY position", wanted)
    ledger = _grouped(connection, "SELECT * FROM ledger WHERE page_id IN ({})", wanted)
    items = _grouped(connection, "SELECT * FROM items WHERE page_id IN ({})", wanted)
    result = {}
    for page_id in wanted:
        history = rows.labels_of(labels.get(page_id, ()))
        editions = tuple(row["edition"] for row in reports.get(page_id, ()))
        result[page_id] = Held(
            ledger=rows.ledger_state(ledger[page_id][0], editions) if page_id in ledger else None,
            item=rows.item(items[page_id][0], history, editions) if page_id in items else None,
            labels=history,
        )
    return result


def items_of(connection: sqlite3.Connection, cells: Sequence[sqlite3.Row]) -> list[Item]:
    """Return the items in these rows of ``items``, with their history, in the same order."""
    page_ids = [row["page_id"] for row in cells]
    labels = _grouped(connection, "SELECT * FROM decisions WHERE page_id IN ({})", page_ids)
    reports = _grouped(connection, "SELECT * FROM reports WHERE page_id IN ({}) ORDER BY position", page_ids)
    return [
        rows.item(
            row,
            rows.labels_of(labels.get(row["page_id"], ())),
            tuple(report["edition"] for report in reports.get(row["page_id"], ())),
        )
        for row in cells
    ]


def write(connection: sqlite3.Connection, before: Held, after: Held) -> None:
    """Write what differs between two states of one page, all of it or nothing.

    Raises
    ------
    sqlite3.Error, OverflowError
        The page cannot be written; the transaction can go on without it.
    """
    connection.execute("SAVEPOINT page")
    try:
        if after.ledger is not None and after.ledger is not before.ledger:
            _write_ledger(connection, before.ledger, after.ledger)
        _write_labels(connection, before.labels, after.labels)
        if after.item is not before.item:
            _write_item(connection, before.item, after.item)
    except BaseException:
        # A full disk rolls back the whole transaction, and the savepoint with it.
        if connection.in_transaction:
            connection.execute("ROLLBACK TO page")
            connection.execute("RELEASE page")
        raise
    connection.execute("RELEASE page")


def _write_ledger(connection: sqlite3.Connection, before: LedgerState | None, after: LedgerState) -> None:
    connection.execute(_UPSERT_LEDGER, rows.ledger_cells(after))
    known = before.reported_in if before is not None else ()
    for position, edition in enumerate(after.reported_in):
        if edition not in known:
            connection.execute("INSERT INTO reports VALUES (?, ?, ?)", (after.row.page_id, edition, position))


def _write_labels(
    connection: sqlite3.Connection, before: tuple[LabelRecorded, ...], after: tuple[LabelRecorded, ...]
) -> None:
    known = {label.id for label in before}
    for label in after:
        if label.id not in known:
            cells = (label.id, label.page_id, rows.stamp(label.at), msgspec.json.encode(label).decode())
            connection.execute("INSERT INTO decisions VALUES (?, ?, ?, ?)", cells)


def _write_item(connection: sqlite3.Connection, before: Item | None, after: Item | None) -> None:
    if after is None:
        if before is not None:
            _delete_item(connection, before)
        return
    (number,) = connection.execute(_UPSERT_ITEM, rows.item_cells(after)).fetchone()
    _write_bands(connection, number, before.minhash if before is not None else "", after.minhash)
    if before is not None and before.verdict == after.verdict and before.text == after.text:
        return
    connection.execute("DELETE FROM item_values WHERE item = ?", (number,))
    values = [(number, field, value) for field, value in rows.item_values(after)]
    connection.executemany("INSERT INTO item_values VALUES (?, ?, ?)", values)
    connection.execute("DELETE FROM item_words WHERE rowid = ?", (number,))
    words = (number, searchable(after.title), searchable(after.text))
    connection.execute("INSERT INTO item_words (rowid, title, text) VALUES (?, ?, ?)", words)


def _write_bands(connection: sqlite3.Connection, number: int, before: str, after: str) -> None:
    if before == after:
        return
    old, new = ([(band, number) for band in bands(minhash)] for minhash in (before, after))
    connection.executemany("DELETE FROM item_bands WHERE band = ? AND item = ?", old)
    connection.executemany("INSERT INTO item_bands VALUES (?, ?)", new)


def _delete_item(connection: sqlite3.Connection, item: Item) -> None:
    (number,) = connection.execute("SELECT number FROM items WHERE page_id = ?", (item.page_id,)).fetchone()
    _write_bands(connection, number, item.minhash, "")
    connection.execute("DELETE FROM item_words WHERE rowid = ?", (number,))
    connection.execute("DELETE FROM items WHERE number = ?", (number,))


def _grouped(connection: sqlite3.Connection, sql: str, page_ids: Sequence[str]) -> dict[str, list[sqlite3.Row]]:
    found: dict[str, list[sqlite3.Row]] = {}
    for start in range(0, len(page_ids), _CHUNK):
        chunk = page_ids[start : start + _CHUNK]
        for row in connection.execute(sql.format(", ".join("?" * len(chunk))), chunk):
            found.setdefault(row["page_id"], []).append(row)
    return found
