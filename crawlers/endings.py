"""The values between a response and its end: what was fetched, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crawlers.frontier import Link, Row
from crawlers.history.visits import Seen
from events import Evidence, PageFound, UrlEnded


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A response, free of Scrapy. ``chain``: the URLs that redirected here, first one first."""

    url: str
    status: int
    content_type: str
    content_language: str
    body: bytes
    at: datetime
    chain: tuple[str, ...] = ()
    evidence: Evidence | None = None
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a row ends: its event, under the final URL, and what to crawl next."""

    row: Row
    event: PageFound | UrlEnded = field(repr=False)
    chain: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()
    """Further URLs that redirected, to nothing that could be followed: they end as the row does."""
    links: Sequence[Link] = field(default=(), repr=False)
    known: Sequence[str] = field(default=(), repr=False)
    """Page ids of further links, which the crawl knew already."""
    beyond_depth: int = 0
    """Links that were not looked at because they lead too deep."""
    too_long: int = 0
    """Links that were left out for their length."""
    counts: bool = True
    """Whether it is a fetch that the page budgets count."""
    unchanged: Sequence[Link] = field(default=(), repr=False)
    """Further links, to pages that need not be asked: their source says that they are as they were."""
    seen: Seen | None = field(default=None, repr=False)
    """What is to be remembered of the visit, under the page id of the event."""
    words: bytes = field(default=b"", repr=False)
    """Those of a page's title and text, as bits (`crawlers.extraction.traces`)."""
