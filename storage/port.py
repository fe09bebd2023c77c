"""The port that both stores implement, and the values that cross it (DESIGN §3, §5, §7).

An *item* is a flagged page as analysts see it. The *ledger* has one row per URL, whatever became of it, and no
text. Every write is idempotent by page id: writing the same event twice changes nothing, an older version
(smaller ``fetched_at``, then ``at``) never overwrites a newer one, and machine fields never overwrite decisions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, Protocol, get_args

import msgspec

from events import LabelRecorded, PageJudged, UrlEnded
from events.messages import Context, Decision, Evidence, Hash, Outcome, Subject, Technique, Utc, Verdict


class StoreUnavailableError(Exception):
    """The store cannot be reached or is overloaded; the same call may succeed later.

    ``retry_after_s`` is a hint in seconds, or None.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreRejectedError(Exception):
    """The store refuses this call for good (wrong credentials, wrong index version, read-only): ask a person."""


class DecisionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One decision in an item's history."""

    id: str
    at: datetime
    decision: Decision
    analyst: str
    reason: str = ""
    subjects: tuple[Subject, ...] = ()
    techniques: tuple[Technique, ...] = ()
    context: Context | None = None


CheckState = Literal["online", "changed", "gone", "unreachable", "refused"]
CHECK_STATES: tuple[CheckState, ...] = get_args(CheckState)


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What one more look at a page has shown. ``gone``: no such page or host any more, or the host is parked.

    ``unreachable`` (no answer, or an error of the server) and ``refused`` (robots.txt, a locked door) do not say
    whether the page is there.
    """

    page_id: Hash
    at: Utc
    state: CheckState
    reason: str = ""
    """Short and stable, such as ``status 404``, ``dns``, ``parked``, ``timeout``, ``robots``."""
    status: int | None = None
    content_id: Hash | None = None
    """That of the text that was there."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A flagged page. ``decisions`` is oldest first; ``decision`` is the last one, or None while open."""

    page_id: str
    content_id: str
    url: str
    host: str
    crawl_id: str
    title: str
    text: str
    fetched_at: datetime
    first_seen_at: datetime
    judged_at: datetime
    verdict: Verdict
    cluster_id: str
    """Content id of the oldest text in the cluster of this item."""
    cluster_since: datetime
    """When that text was first seen."""
    minhash: str = ""
    """Signature of the text, see `events.messages.MinHash`; empty where it is not known."""
    text_truncated: bool = False
    depth: int = 0
    parent_url: str | None = None
    media_type: str = "text/html"
    evidence: Evidence | None = None
    decision: Decision | None = None
    decided_at: datetime | None = None
    decisions: tuple[DecisionRecord, ...] = ()
    reported_in: tuple[str, ...] = ()
    """Identifiers of the feed editions that counted this item."""
    changed_at: datetime | None = None
    """When the page was first fetched with this text, if it had another one before; None while it is new."""
    previous_content_id: str | None = None
    changed_share: float | None = None
    """See `events.PageFound`."""


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


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one URL. No text, ever."""

    page_id: str
    url: str
    host: str
    crawl_id: str
    outcome: Outcome
    reason: str = ""
    status: int | None = None
    depth: int = 0
    parent_url: str | None = None
    content_id: str | None = None
    duplicate_of: str | None = None
    score: float | None = None
    worth_a_look: bool = False
    """Whether the last judgement puts the page into the second queue: not flagged, yet too high to pass over."""
    language: str | None = None
    model: str | None = None
    evidence_sha256: str | None = None
    found_at: datetime
    """When the URL first reached the ledger."""
    fetched_at: datetime | None = None
    judged_at: datetime | None = None
    indexed_at: datetime | None = None
    reviewed_at: datetime | None = None
    decision: Decision | None = None
    """The last decision, made at ``reviewed_at``; also of pages that are not items."""
    reported_at: datetime | None = None
    checked_at: datetime | None = None
    online: bool | None = None
    """Whether the page was there when a check last could tell."""
    check_state: CheckState | None = None
    """What the last check, at ``checked_at``, has shown."""


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


class UpsertReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each event of a batch, by page id. One bad document never fails its batch."""

    written: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    """Already there, or older than what is there."""
    rejected: tuple[tuple[str, str], ...] = ()
    """(page id, reason): the store will never take this document; it belongs in the dead letters."""


CountField = Literal[
    "language", "subject", "technique", "method", "context", "host", "decision", "crawl_id", "model", "cluster_id"
]
Interval = Literal["hour", "day", "week", "month"]


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

    def items(self, query: ItemQuery) -> Iterator[Item]:
        """Yield every item that matches, however many, each once, oldest first; sort, offset and limit do not count."""

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

    def refresh(self) -> None:
        """Make everything written so far visible to search (a no-op where it already is)."""

    def health(self) -> str:
        """Return one line for people, such as ``green, 812 items``."""

    def close(self) -> None:
        """Release connections; further calls are errors."""
