"""Events of the distributed frontier (ADR 0015): crawls, the ends of their requests, and how far each partition is."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from events.messages import Hash, Outcome, Utc

CRAWL_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
CrawlId = Annotated[str, msgspec.Meta(pattern=CRAWL_ID)]
Phase = Literal["running", "ending", "ended"]

UNKNOWN_CRAWL = "unknown crawl"
"""Reason of a URL that is refused because nobody has started its crawl: no crawl counts it as its own."""


class CrawlState(msgspec.Struct, frozen=True, kw_only=True):
    """A crawl: what it may do, and where it stands. Topic ``crawls`` (compacted), key: crawl id."""

    id: str
    at: Utc
    crawl_id: CrawlId
    started_at: Utc
    contact: str
    user_agent: str
    max_pages: int
    max_pages_per_host: int
    max_depth: int
    delay_s: float
    timeout_s: float
    max_bytes: int
    schema: str = "crawl/1"
    focus: Literal["off", "soft", "hard"] = "off"
    """How links are ranked by what the verdicts on earlier pages teach."""
    seeds: tuple[str, ...] = ()
    """The first of its seeds, for people."""
    requested: int = 0
    """How many seeds were added in all."""
    phase: Phase = "running"
    """``ending``: nothing more is fetched, what is open is refused."""
    because: str = ""
    """Why it ends: ``frontier dry``, ``limit reached``, ``stopped``."""
    ended_at: Utc | None = None
    outcomes: dict[str, int] = {}
    """URLs by outcome (``page`` for pages to judge), once it has ended."""
    reasons: dict[str, int] = {}
    """URLs that became no page, by ``outcome: reason``, once it has ended."""
    hosts: int = 0


class RequestDone(msgspec.Struct, frozen=True, kw_only=True):
    """The mark of a URL that has ended. Topic ``crawl.ended``, in the partition of its request."""

    crawl_id: str
    page_id: Hash
    host: str
    outcome: Outcome | Literal["page"]
    schema: str = "done/1"
    reason: str = ""
    counts: bool = False
    """Whether it was a fetch that the page budgets count."""
    requested: int = 0
    """How many requests for links went out with it."""
    content_id: Hash | None = None


class CrawlShare(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one partition has of one crawl."""

    open: int = 0
    """Requests that were read and have not ended."""
    requested: int = 0
    """Requests for links that were ever sent out of this partition."""
    spent: int = 0
    """Fetches that the page budgets count: those that have ended, and those under way."""
    ended_spent: int = 0
    hosts: int = 0
    rate: float = 0.0
    """URLs ended per second, lately."""
    outcomes: dict[str, int] = {}
    reasons: dict[str, int] = {}


class PartitionProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a partition of ``crawl.requests`` is. Topic ``crawl.progress`` (compacted), key: its number."""

    at: Utc
    partition: int
    position: int
    """Every request below this offset was read."""
    spider: str
    """Instance that works on it."""
    schema: str = "progress/1"
    crawls: dict[str, CrawlShare] = {}
