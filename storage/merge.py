"""What an event, a decision or an edition makes of what a store holds of one page: pure, and the same in both stores.

A store reads `Held`, applies one of the functions here, and writes what became different. The order of events is that
of their `version`; a ledger row remembers the version of the last event and that of the last *judgement*, since only a
judgement changes an item: a page that cannot be fetched today keeps its item.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from events import LabelRecorded, PageJudged, UrlEnded
from storage.changes import change_of
from storage.values import DecisionRecord, Item, LedgerRow

NOT_MODIFIED = "not modified"
"""Reason of a duplicate of itself (RFC 9110, 15.4.5)."""

Version = tuple[datetime, datetime]
"""When the page was fetched (or, if it was not, when the event was made), then when the event was made."""


class LedgerState(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger row with what only a store needs to know about it."""

    row: LedgerRow
    version: Version
    judged_version: Version | None = None
    judged_flagged: bool = False
    reported_in: tuple[str, ...] = ()


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """All that a store holds of one page. ``labels`` is in the order of `ordered`."""

    ledger: LedgerState | None = None
    item: Item | None = None
    labels: tuple[LabelRecorded, ...] = ()


def version(event: PageJudged | UrlEnded) -> Version:
    """Return what decides which of two events of one page is the newer one."""
    return event.fetched_at or event.at, event.at


def ordered(labels: Iterable[LabelRecorded]) -> tuple[LabelRecorded, ...]:
    """Return the labels oldest first, each id once."""
    return tuple(sorted({label.id: label for label in labels}.values(), key=lambda label: (label.at, label.id)))


def with_event(held: Held, event: PageJudged | UrlEnded, now: datetime) -> Held:
    """Return what is held after ``event``; ``held`` itself if the event is known or older."""
    ledger = _ledger_after(held.ledger, event, now)
    item = held.item
    if isinstance(event, PageJudged) and ledger.judged_version == version(event):
        item = _item_after(held, event)
    if ledger is held.ledger and item is held.item:
        return held
    return settled(msgspec.structs.replace(held, ledger=ledger, item=item))


def with_labels(held: Held, labels: Iterable[LabelRecorded]) -> Held:
    """Return what is held once these decisions are in the history of the page."""
    return settled(msgspec.structs.replace(held, labels=ordered((*labels, *held.labels))))


def with_report(held: Held, edition: str, at: datetime) -> Held:
    """Return what is held once ``edition`` has counted the page; a page without a ledger row stays unknown."""
    ledger = held.ledger
    if ledger is None or edition in ledger.reported_in:
        return settled(held)
    row = msgspec.structs.replace(ledger.row, reported_at=max(at, ledger.row.reported_at or at))
    counted = msgspec.structs.replace(ledger, row=row, reported_in=(*ledger.reported_in, edition))
    return settled(msgspec.structs.replace(held, ledger=counted))


def settled(held: Held) -> Held:
    """Return ``held`` with ledger and item in agreement with the history; idempotent.

    The item carries the decisions and the editions, the row the last decision with its time, and an item that the last
    judgement no longer flags is there only if somebody decided on it.
    """
    ledger, item = held.ledger, held.item
    if ledger is not None and held.labels:
        ledger = _reviewed(ledger, held.labels[-1])
    if item is not None:
        item = _settled_item(item, ledger, held.labels)
    if ledger is held.ledger and item is held.item:
        return held
    return msgspec.structs.replace(held, ledger=ledger, item=item)


def _reviewed(ledger: LedgerState, last: LabelRecorded) -> LedgerState:
    if (ledger.row.reviewed_at, ledger.row.decision) == (last.at, last.decision):
        return ledger
    row = msgspec.structs.replace(ledger.row, reviewed_at=last.at, decision=last.decision)
    return msgspec.structs.replace(ledger, row=row)


def _settled_item(item: Item, ledger: LedgerState | None, labels: tuple[LabelRecorded, ...]) -> Item | None:
    if not labels and _no_longer_wanted(item, ledger):
        return None
    decisions = tuple(decision_record(label) for label in labels)
    reported_in = ledger.reported_in if ledger is not None else item.reported_in
    if item.decisions == decisions and item.reported_in == reported_in:
        return item
    return msgspec.structs.replace(
        item,
        decisions=decisions,
        decision=decisions[-1].decision if decisions else None,
        decided_at=decisions[-1].at if decisions else None,
        reported_in=reported_in,
    )


def _no_longer_wanted(item: Item, ledger: LedgerState | None) -> bool:
    if ledger is None or ledger.judged_version is None or ledger.judged_flagged:
        return False
    return ledger.judged_version >= (item.fetched_at, item.judged_at)


def decision_record(label: LabelRecorded) -> DecisionRecord:
    """Return the decision as the history of an item shows it."""
    return DecisionRecord(
        id=label.id,
        at=label.at,
        decision=label.decision,
        analyst=label.analyst,
        reason=label.reason,
        subjects=label.subjects,
        techniques=label.techniques,
        context=label.context,
    )


def _ledger_after(ledger: LedgerState | None, event: PageJudged | UrlEnded, now: datetime) -> LedgerState:
    newest = ledger is None or version(event) > ledger.version
    judges = isinstance(event, PageJudged) and (
        ledger is None or ledger.judged_version is None or version(event) > ledger.judged_version
    )
    if ledger is not None and not newest and not judges:
        return ledger
    row = _row(event, ledger.row if ledger else None, newest=newest, now=now)
    if ledger is None:
        ledger = LedgerState(row=row, version=version(event))
    changes: dict[str, object] = {"row": row}
    if newest:
        changes["version"] = version(event)
    if judges and isinstance(event, PageJudged):
        changes |= {"judged_version": version(event), "judged_flagged": event.verdict.flagged}
    return msgspec.structs.replace(ledger, **changes)


def _row(event: PageJudged | UrlEnded, old: LedgerRow | None, *, newest: bool, now: datetime) -> LedgerRow:
    """Return the row: what happened last from the newest event, what is known of the text from the last that knows."""
    known = {name: value for name, value in _knowledge(event).items() if value is not None}
    if old is not None and not newest:
        late = {name: value for name, value in known.items() if name in _JUDGEMENT or getattr(old, name) is None}
        return msgspec.structs.replace(old, **late, indexed_at=now)
    happened: dict[str, object] = {
        "url": event.url,
        "host": event.host,
        "crawl_id": event.crawl_id,
        "outcome": event.verdict.outcome if isinstance(event, PageJudged) else event.outcome,
        "reason": "" if isinstance(event, PageJudged) else event.reason,
        "status": event.status,
        "depth": event.depth,
        "parent_url": event.parent_url,
        "duplicate_of": None if isinstance(event, PageJudged) else event.duplicate_of,
        "indexed_at": now,
    }
    if old is not None and _is_confirmed(event, old):
        for name in ("outcome", "reason", "duplicate_of"):
            del happened[name]
    if old is None:
        return msgspec.convert({"page_id": event.page_id, "found_at": now, **happened, **known}, LedgerRow)
    return msgspec.structs.replace(old, **happened, **known)


def _is_confirmed(event: PageJudged | UrlEnded, old: LedgerRow) -> bool:
    """Return whether the page is, by its server's word, the one that ended as the row says."""
    if not isinstance(event, UrlEnded) or event.reason != NOT_MODIFIED or old.outcome in ("refused", "failed"):
        return False
    return old.content_id in (None, event.content_id)


_JUDGEMENT = ("score", "worth_a_look", "model", "judged_at")


def _knowledge(event: PageJudged | UrlEnded) -> dict[str, object]:
    known: dict[str, object] = {
        "content_id": event.content_id,
        "fetched_at": event.fetched_at,
        "evidence_sha256": event.evidence.sha256 if event.evidence else None,
    }
    if isinstance(event, UrlEnded):
        return known | {"language": event.language}
    verdict = event.verdict
    return known | {
        "language": verdict.language,
        "score": verdict.score,
        "worth_a_look": verdict.worth_a_look,
        "model": verdict.model,
        "judged_at": event.at,
    }


def _item_after(held: Held, event: PageJudged) -> Item | None:
    old = held.item
    if old is not None and (old.fetched_at, old.judged_at) >= version(event):
        return old
    if event.verdict.flagged:
        return _item(event, old)
    return _no_longer_flagged(old, event) if old is not None and held.labels else None


def _item(event: PageJudged, old: Item | None) -> Item:
    same = old if old is not None and old.content_id == event.content_id else None
    return Item(
        page_id=event.page_id,
        content_id=event.content_id,
        url=event.url,
        host=event.host,
        crawl_id=event.crawl_id,
        title=event.title,
        text=event.text,
        fetched_at=event.fetched_at,
        first_seen_at=old.first_seen_at if old is not None else event.fetched_at,
        judged_at=event.at,
        verdict=event.verdict,
        text_truncated=event.text_truncated,
        depth=event.depth,
        parent_url=event.parent_url,
        media_type=event.media_type,
        evidence=event.evidence,
        **change_of(event, old),
        cluster_id=same.cluster_id if same is not None else event.content_id,
        cluster_since=same.cluster_since if same is not None else event.fetched_at,
        minhash=event.minhash or (same.minhash if same is not None else ""),
    )


def _no_longer_flagged(old: Item, event: PageJudged) -> Item:
    """Return the item with the new verdict, and with the text that the analyst decided on.

    The event of a page that is not flagged has no text; passages of another text than the one kept are dropped.
    """
    verdict = event.verdict
    if event.content_id != old.content_id:
        verdict = msgspec.structs.replace(verdict, passages=())
    return msgspec.structs.replace(old, verdict=verdict, fetched_at=event.fetched_at, judged_at=event.at)
