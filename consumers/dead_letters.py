"""Dead letters: the original bytes, and headers that say where they came from and why they are here."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from consumers.stage import Header, Output, Rejection
from events import PageJudged, UrlEnded

PREFIX = "guidewatch.dlq."
MAX_MESSAGE_CHARS = 1_000


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
    ours = [
        (PREFIX + name, str(value).encode("utf-8", "replace")) for name, value in msgspec.to_builtins(facts).items()
    ]
    return Output(topic, record.key, record.value, (*own, *ours))


def read_letter(headers: tuple[Header, ...]) -> DeadLetter:
    """Return what the headers of a dead letter say.

    Raises
    ------
    ValueError
        These are not the headers of a dead letter of ours.
    """
    found = {name.removeprefix(PREFIX): value for name, value in headers if name.startswith(PREFIX)}
    try:
        return msgspec.convert({name: value.decode() for name, value in found.items()}, DeadLetter, strict=False)
    except (msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ValueError(f"not a dead letter of ours: {error}") from error


def without_letter(value: bytes, key: bytes | None, headers: tuple[Header, ...]) -> Output:
    """Return the message as it was before it became a dead letter, bound for where it was read.

    Raises
    ------
    ValueError
        This is not a dead letter of ours.
    """
    own = tuple((name, content) for name, content in headers if not name.startswith(PREFIX))
    return Output(read_letter(headers).topic, key, value, own)


def dead_page(judged: PageJudged, reason: str) -> UrlEnded:
    """Return what the ledger should say of a page that went to the dead letters.

    It is a moment older than the judgement, so that a successful replay of that replaces it.
    """
    return UrlEnded(
        id=judged.id,
        at=judged.at - timedelta(milliseconds=1),
        page_id=judged.page_id,
        url=judged.url,
        host=judged.host,
        crawl_id=judged.crawl_id,
        outcome="dead_letter",
        reason=reason[:200],
        depth=judged.depth,
        parent_url=judged.parent_url,
        status=judged.status,
        content_id=judged.content_id,
        fetched_at=judged.fetched_at,
        language=judged.verdict.language,
        evidence=judged.evidence,
    )
