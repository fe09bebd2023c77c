"""What a store holds: items with their decisions, rows of the ledger, checks (DESIGN §5).

An *item* is a flagged page as analysts see it. The *ledger* has one row per URL, whatever became of it, and no text.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

import msgspec

from events.messages import Context, Decision, Evidence, Hash, Outcome, Subject, Technique, Utc, Verdict


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
    text_removed_at: datetime | None = None
    """When title, text and passages went, because they were old (`storage.retention`); None while they are there."""


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
