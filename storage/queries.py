"""What may be asked of a store, and the answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from storage.values import Item, LedgerRow

CountField = Literal[
    "language", "subject", "technique", "method", "context", "host", "decision", "crawl_id", "model", "cluster_id"
]
Interval = Literal["hour", "day", "week", "month"]


class ItemQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which items: every field given must hold; a tuple means any of its values.

    ``text`` is full-text search over title and text, all words, best first under ``sort="relevance"``.
    ``decision`` may contain ``"open"`` for items nobody has decided. Times are half-open [since, until) on
    ``first_seen_at``.
    """

    text: str = ""
    language: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    """Subjects whose probability is at least 0.5."""
    technique: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()
    crawl_id: tuple[str, ...] = ()
    content_id: tuple[str, ...] = ()
    cluster_id: tuple[str, ...] = ()
    min_score: float = 0.0
    since: datetime | None = None
    until: datetime | None = None
    sort: Literal["score", "newest", "oldest", "host", "relevance"] = "score"
    one_per_cluster: bool = False
    """Of the items that match, only the first of each cluster in this order; for `Store.search` alone."""
    offset: int = 0
    limit: int = 50


class ItemPage(msgspec.Struct, frozen=True):
    """A page of items and how many there are in all (clusters, where there is one item a cluster)."""

    items: list[Item]
    total: int


class Bucket(msgspec.Struct, frozen=True):
    """How many items have this value of a field."""

    value: str
    count: int


class TimeBucket(msgspec.Struct, frozen=True):
    """How many items were first seen in the interval that starts at ``start`` (aware UTC)."""

    start: datetime
    count: int


class LedgerQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which ledger rows: every field given must hold; a tuple means any of its values.

    ``reviewed`` asks whether somebody has decided on the page. ``newest`` is the newest ``found_at`` first, ``score``
    the highest score first and rows without one last; then by page id.
    """

    page_id: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    crawl_id: tuple[str, ...] = ()
    content_id: tuple[str, ...] = ()
    worth_a_look: bool | None = None
    reviewed: bool | None = None
    sort: Literal["newest", "score"] = "newest"
    offset: int = 0
    limit: int = 100


class LedgerPage(msgspec.Struct, frozen=True):
    """A page of ledger rows and how many there are in all."""

    rows: list[LedgerRow]
    total: int
