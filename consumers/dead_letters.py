"""Dead letters: the original bytes, and headers that say where they came from and why they are here (ADR 0022)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from consumers.stage import Header, Output, Rejection
from events import PageFound, PageJudged, UrlEnded

PREFIX = "guidewatch.dlq."
REPLAY_PREFIX = "guidewatch.replay."
MAX_MESSAGE_CHARS = 1_000
MAX_REASON_CHARS = 200

Facts = TypeVar("Facts", bound=msgspec.Struct)


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """Why a message is among the dead letters, as its headers say."""

    topic: str
    """Where it was read; with partition and offset, the place it can be found at again."""
    partition: int
    offset: int
    error: str
    """Class of the error."""
    message: str
    at: datetime
    """When it was put aside (aware UTC)."""
    stage: str


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What the headers of a message say that was a dead letter and was sent back."""

    topic: str
    """Where it was read when it first became a dead letter, with partition and offset."""
    partition: int
    offset: int
    stage: str
    """Whose dead letter it was."""
    count: int
    """How often it has been sent back."""


def letter(rejection: Rejection, topic: str, *, stage: str, at: datetime) -> Output:
    """Return the dead letter of a record: its key, its bytes, its own headers, and ours.

    Parameters
    ----------
    rejection
        The record and the reason.
    topic
        Dead-letter topic.
    stage
        Name of the stage that rejects it.
    at
        Now, aware UTC.
    """
    record = rejection.record
    facts = DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        error=rejection.error,
        message=rejection.message[:MAX_MESSAGE_CHARS],
        at=at,
        stage=stage,
    )
    own = [(name, value) for name, value in record.headers if not name.startswith(PREFIX)]
    return Output(topic, record.key, record.value, (*own, *as_headers(PREFIX, facts)))


def read_letter(headers: tuple[Header, ...]) -> DeadLetter:
    """Return what the headers of a dead letter say.

    Raises
    ------
    ValueError
        These are not the headers of a dead letter of ours.
    """
    try:
        return from_headers(PREFIX, headers, DeadLetter)
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ValueError(f"not a dead letter of ours: {error}") from error


def read_replay(headers: tuple[Header, ...], topic: str) -> Replay | None:
    """Return what a message of ``topic`` says of its replays; None if it was never a dead letter of that topic.

    What a stage made of a replayed message carries its headers on to the next topic, and is no replay there.
    """
    if not any(name.startswith(REPLAY_PREFIX) for name, _ in headers):
        return None
    try:
        found = from_headers(REPLAY_PREFIX, headers, Replay)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return None
    return found if found.topic == topic else None


def as_headers(prefix: str, facts: msgspec.Struct) -> tuple[Header, ...]:
    """Return a header for each field of ``facts``."""
    fields = msgspec.to_builtins(facts)
    return tuple((prefix + name, str(value).encode("utf-8", "replace")) for name, value in fields.items())


def from_headers(prefix: str, headers: tuple[Header, ...], kind: type[Facts]) -> Facts:
    """Return the facts that `as_headers` wrote.

    Raises
    ------
    msgspec.ValidationError, UnicodeDecodeError
        They are not there, or not as it writes them.
    """
    found = {name.removeprefix(prefix): value for name, value in headers if name.startswith(prefix)}
    return msgspec.convert({name: value.decode() for name, value in found.items()}, kind, strict=False)


def sent_back(value: bytes, key: bytes | None, headers: tuple[Header, ...]) -> Output:
    """Return the message as it was before it became a dead letter, bound for where it was read, with its `Replay`.

    Raises
    ------
    ValueError
        This is not a dead letter of ours.
    """
    facts = read_letter(headers)
    before = read_replay(headers, facts.topic)
    first = before or Replay(topic=facts.topic, partition=facts.partition, offset=facts.offset, stage="", count=0)
    replay = msgspec.structs.replace(first, stage=facts.stage, count=first.count + 1)
    own = tuple((name, content) for name, content in headers if not name.startswith((PREFIX, REPLAY_PREFIX)))
    return Output(facts.topic, key, value, (*own, *as_headers(REPLAY_PREFIX, replay)))


def dead_page(event: PageFound | PageJudged | UrlEnded, reason: str, at: datetime) -> UrlEnded:
    """Return what the ledger should say of a page whose event went to the dead letters.

    Parameters
    ----------
    event
        What is known of the page; its id is kept.
    reason
        Why; cut to 200 characters.
    at
        Time of the entry (aware UTC). The newest entry of a page counts: `just_before` where the event itself may be
        replayed, so that it replaces this one.
    """
    if isinstance(event, UrlEnded):
        return msgspec.structs.replace(event, at=at, outcome="dead_letter", reason=reason[:MAX_REASON_CHARS])
    return UrlEnded(
        id=event.id,
        at=at,
        page_id=event.page_id,
        url=event.url,
        host=event.host,
        crawl_id=event.crawl_id,
        outcome="dead_letter",
        reason=reason[:MAX_REASON_CHARS],
        depth=event.depth,
        parent_url=event.parent_url,
        status=event.status,
        content_id=event.content_id,
        fetched_at=event.fetched_at,
        language=event.verdict.language if isinstance(event, PageJudged) else None,
        evidence=event.evidence,
    )


def just_before(event: PageFound | PageJudged | UrlEnded) -> datetime:
    """Return a time (aware UTC) that is a moment older than the event."""
    return event.at - timedelta(milliseconds=1)
