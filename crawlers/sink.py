"""The port to what follows the crawler: events go in, a future says when each is durable."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol

from events import PageFound, UrlEnded


class SinkUnavailableError(Exception):
    """The sink cannot be reached or written to; the message is one line for the user."""


class PageSink(Protocol):
    """Takes the events of a crawl. Implementations do their work off the caller's thread."""

    def put(self, event: PageFound | UrlEnded) -> Future[float | None]:
        """Take one event, at once and without blocking.

        The future resolves when the effect is durable: to the score of the verdict where the sink has one, or to None.
        An exception in it means that the event is not durable: the crawl stops and the URL is fetched again by the
        next run. The same event (same ``id``) may be put again by a later run after a crash, so the effect must be
        idempotent.
        """

    def flush(self) -> None:
        """Settle every future handed out so far; may block. Called from another thread than ``put``."""

    def close(self) -> None:
        """Flush and release; further calls are errors. Whoever built the sink closes it, not the crawl."""
