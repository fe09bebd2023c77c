"""What becomes durable together: the messages of an ending, its marks, and the offsets of the requests it ends."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from crawlers.frontier import Kind, Link, Row
from crawlers.limits import MAX_URL_CHARS
from events import CrawlRequest, PageFound, RequestDone, Topics, UrlEnded, encode
from events.trace import started

MAX_VALUE_BYTES = 4 * 1024 * 1024 - 1_024
"""A transactional producer does not outlive a message that the broker finds too large."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to produce; ``partition`` None lets the key decide."""

    topic: str
    key: bytes | None
    value: bytes
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """All or nothing of this is committed; then ``durable`` resolves.

    Parameters
    ----------
    partition
        Of ``crawl.requests``.
    epoch
        Of the partition at this spider: a unit from before it went and came again is dropped.
    offsets
        Requests that have ended with it.
    messages
        What is published.
    done
        Marks for ``crawl.ended``.
    """

    partition: int
    epoch: int
    offsets: Sequence[int] = ()
    messages: Sequence[Message] = ()
    done: Sequence[RequestDone] = ()
    durable: Future[None] = field(default_factory=Future)

    @property
    def size(self) -> int:
        """How many messages it makes."""
        return len(self.messages) + len(self.done)


def found_message(event: PageFound | UrlEnded, topics: Topics) -> tuple[Message, PageFound | UrlEnded]:
    """Return the message of a URL's end, and the event in it: ``failed: too large`` where it does not fit.

    The trace of the URL begins with it (ADR 0023).
    """
    value = encode(event)
    if len(value) > MAX_VALUE_BYTES:
        event = _too_large(event)
        value = encode(event)
    return Message(topics.pages_found, event.page_id.encode(), value, headers=started(event.id)), event


def request_message(request: CrawlRequest, topics: Topics) -> Message:
    """Return the message of a request: its host decides the partition, and so the spider."""
    return Message(topics.crawl_requests, request.host.encode(), encode(request))


def done_message(done: RequestDone, partition: int, topics: Topics) -> Message:
    """Return the mark of a URL's end, in the partition of its request."""
    return Message(topics.crawl_ended, f"{done.crawl_id}/{done.page_id}".encode(), encode(done), partition)


def link_of(request: CrawlRequest) -> Link:
    """Return a request as the frontier takes it."""
    kind = Kind.SOURCE if request.source else Kind.PAGE
    return Link(
        request.url, request.page_id, request.host, request.depth, request.priority, kind, features=request.features
    )


def mark_of(row: Row, event: PageFound | UrlEnded, *, counts: bool, requested: int) -> RequestDone:
    """Return the mark of a row's end, with which ``requested`` requests for links go out."""
    return RequestDone(
        crawl_id=event.crawl_id,
        page_id=row.page_id,
        host=row.host,
        outcome="page" if isinstance(event, PageFound) else event.outcome,
        reason="" if isinstance(event, PageFound) else event.reason,
        counts=counts,
        requested=requested,
        content_id=event.content_id if isinstance(event, PageFound) else None,
    )


def _too_large(event: PageFound | UrlEnded) -> UrlEnded:
    """Return the end of a URL whose own event cannot be sent: nothing in it is longer than a URL may be."""
    return UrlEnded(
        id=event.id,
        at=event.at,
        page_id=event.page_id,
        url=event.url[:MAX_URL_CHARS],
        host=event.host[:MAX_URL_CHARS],
        crawl_id=event.crawl_id,
        outcome="failed",
        reason="too large",
        depth=event.depth,
        status=event.status,
        fetched_at=event.fetched_at,
        evidence=event.evidence,
    )
