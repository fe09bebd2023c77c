"""What is too old to be kept, and what stays of it: pure, and the same in both stores (ADR 0024).

A *text* is as old as the last fetch that found it, a *row* as the last that was heard of its page. When its text goes,
an item keeps its address, its verdict in numbers and its decisions; when its row goes, the item goes with it, and so do
the checks. Decisions are kept: they have no text of the page.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from storage.values import Item, LedgerRow

HEARD_OF = ("found_at", "fetched_at", "judged_at", "indexed_at", "reviewed_at", "reported_at", "checked_at")
"""The times of a row, of which the newest says how old it is."""


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """What is too old: texts last found before ``text_before``, rows last heard of before ``ledger_before``.

    None keeps them all. Aware UTC.
    """

    text_before: datetime | None = None
    ledger_before: datetime | None = None


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed, or would be."""

    texts: int = 0
    """Items that lose their text."""
    rows: int = 0
    """Rows of the ledger that go, with their items and checks."""
    months: tuple[str, ...] = ()
    """Months in which nothing is left, where a store keeps months apart."""


def text_is_due(item: Item, retention: Retention) -> bool:
    """Return whether the text of an item is there and too old."""
    before = retention.text_before
    return before is not None and item.text_removed_at is None and item.fetched_at < before


def without_text(item: Item, now: datetime) -> Item:
    """Return what stays of an item whose text goes."""
    verdict = msgspec.structs.replace(item.verdict, passages=())
    return msgspec.structs.replace(item, title="", text="", verdict=verdict, text_removed_at=now)


def row_is_due(row: LedgerRow, retention: Retention) -> bool:
    """Return whether a row is too old."""
    before = retention.ledger_before
    return before is not None and heard_of(row) < before


def heard_of(row: LedgerRow) -> datetime:
    """Return when something was last heard of the page of a row."""
    known: list[datetime | None] = [getattr(row, name) for name in HEARD_OF]
    return max(at for at in known if at is not None)
