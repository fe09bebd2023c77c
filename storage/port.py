"""The port that both stores implement (DESIGN §3, §5, §7); `storage.values` and `storage.queries` cross it.

Every write is idempotent by page id: writing the same event twice changes nothing, an older version (smaller
``fetched_at``, then ``at``) never overwrites a newer one, and machine fields never overwrite decisions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from events import LabelRecorded, PageJudged, UrlEnded
from storage.queries import (
    Bucket,
    CountField,
    Interval,
    ItemPage,
    ItemQuery,
    LedgerPage,
    LedgerQuery,
    TimeBucket,
)
from storage.retention import Removed, Retention
from storage.values import CHECK_STATES, Check, CheckState, DecisionRecord, Item, LedgerRow

__all__ = [
    "CHECK_STATES",
    "Bucket",
    "Check",
    "CheckState",
    "CountField",
    "DecisionRecord",
    "Interval",
    "Item",
    "ItemPage",
    "ItemQuery",
    "LedgerPage",
    "LedgerQuery",
    "LedgerRow",
    "Removed",
    "Retention",
    "Store",
    "StoreRejectedError",
    "StoreUnavailableError",
    "TimeBucket",
    "UpsertReport",
]


class StoreUnavailableError(Exception):
    """The store cannot be reached or is overloaded; the same call may succeed later.

    ``retry_after_s`` is a hint in seconds, or None.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreRejectedError(Exception):
    """The store refuses this call for good (wrong credentials, wrong index version, read-only): ask a person."""


class UpsertReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each event of a batch, by page id. One bad document never fails its batch."""

    written: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    """Already there, or older than what is there."""
    rejected: tuple[tuple[str, str], ...] = ()
    """(page id, reason): the store will never take this document; it belongs in the dead letters."""


class Store(Protocol):
    """What the stages and the people's side may ask of a store.

    Every method may raise `StoreUnavailableError` or `StoreRejectedError`. Implementations are safe to use from several
    threads and processes at once.
    """

    def setup(self) -> None:
        """Create or upgrade tables, index templates and aliases; idempotent."""

    def upsert(self, judged: Sequence[PageJudged | UrlEnded]) -> UpsertReport:
        """Write a ledger row for every event, and an item for every flagged page; durable on return.

        A page that is no longer flagged on a later fetch keeps its item if it has a decision, with the new
        verdict; without a decision the item is deleted.

        Items whose texts are nearly the same are in one cluster on return, see `storage.clusters`. One whose text has
        changed leaves its cluster for the one that the new text belongs to.
        """

    def record_decisions(self, labels: Sequence[LabelRecorded]) -> UpsertReport:
        """Append decisions to their items, idempotent by label id, ordered by ``at``; durable on return.

        A decision whose item is not there is kept, is noted in the ledger row, and joins the item when it arrives.
        """

    def item(self, page_id: str) -> Item | None:
        """Return one item, or None."""

    def search(self, query: ItemQuery) -> ItemPage:
        """Return the items that match, sorted and cut as the query says."""

    def items(self, query: ItemQuery, *, texts: bool = True) -> Iterator[Item]:
        """Yield every item that matches, however many, each once, oldest first; sort, offset and limit do not count.

        Without ``texts``, title and text are empty; a server does not send them.
        """

    def counts(self, field: CountField, query: ItemQuery, limit: int = 50) -> list[Bucket]:
        """Return items per value of ``field``, most frequent first, then by value; undecided count as ``open``."""

    def counts_over_time(self, interval: Interval, query: ItemQuery) -> list[TimeBucket]:
        """Return items per interval of ``first_seen_at`` (UTC), oldest first, empty intervals between included."""

    def ledger(self, query: LedgerQuery) -> LedgerPage:
        """Return ledger rows."""

    def ledger_counts(self, crawl_id: str | None = None) -> dict[str, int]:
        """Return rows per outcome, every outcome of ``events.OUTCOMES`` present."""

    def decisions(self, since: datetime | None = None) -> Iterator[LabelRecorded]:
        """Yield every decision ever recorded with ``at`` ≥ ``since``, oldest first."""

    def mark_reported(self, page_ids: Sequence[str], edition: str, at: datetime) -> None:
        """Note in items and ledger that these were counted in a feed edition; idempotent."""

    def record_checks(self, checks: Sequence[Check]) -> UpsertReport:
        """Add checks to the history of their pages, and note the newest in the ledger; durable on return.

        Idempotent by page id and time; of pages that are not in the ledger, checks are rejected.
        """

    def checks(self, page_id: str, limit: int = 100) -> list[Check]:
        """Return the last checks of a page, oldest first."""

    def check_counts(self) -> dict[str, int]:
        """Return pages by the state of their last check, every one of `CHECK_STATES` present."""

    def newest(self) -> datetime | None:
        """Return when the store last heard of any page, None while it is empty."""

    def remove_old(self, retention: Retention, now: datetime, *, dry_run: bool = False) -> Removed:
        """Remove what is older than `retention` allows, or with ``dry_run`` only count it; see `storage.retention`.

        Idempotent, and may be stopped at any moment: the next call goes on. Decisions always stay.
        """

    def refresh(self) -> None:
        """Make everything written so far visible to search (a no-op where it already is)."""

    def health(self) -> str:
        """Return one line for people, such as ``green, 812 items``."""

    def close(self) -> None:
        """Release connections; further calls are errors."""
