"""What a crawl tells of itself while it runs, and when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

PAGES = "page"
"""Key of pages handed on for judging, beside the outcomes of `events.UrlEnded`, in ``outcomes``."""


class CrawlProgress(msgspec.Struct, frozen=True, kw_only=True):
    """A look at a running crawl. Counts are of the whole crawl, earlier runs of a resumed one included."""

    pages: int
    outcomes: Mapping[str, int]
    queued: int
    in_flight: int
    rate: float
    """URLs ended per second in this run."""
    elapsed_s: float


class CrawlSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How a crawl ended."""

    crawl_id: str
    resumed: bool
    finished: bool
    """False when the next run with the same data folder takes this crawl up again."""
    ended_because: str
    """``frontier dry``, ``limit reached``, ``SIGTERM``, ``SIGINT``, ``stopped`` or ``sink: …`` / ``evidence: …``."""
    pages: int
    outcomes: Mapping[str, int]
    reasons: Mapping[str, int]
    """URLs per ``outcome: reason``, of this run."""
    hosts: int
    left_queued: int
    """Known URLs that came to no end and wait for the next run; those over a budget are in ``reasons`` instead."""
    beyond_depth: int
    """Links of this run that were not followed because of ``max_depth``; they are only counted, and end nowhere."""
    too_long: int
    """Links of this run that were not followed for their length; they are only counted."""
    not_due: int
    """URLs that were not asked in this run: not due yet, or as they were, by the word of a sitemap or feed."""
    fetched: int
    """Requests answered in this run, robots.txt, redirects and retries included."""
    harvest: float | None = None
    """Share of the pages judged in this run that scored 0.5 or more; None where the sink tells no scores."""
    rate: float
    """URLs ended per second in this run, without those that were refused unfetched because of a budget."""
    elapsed_s: float

    @property
    def cut_off(self) -> bool:
        """Whether it ended because pages or their evidence could not be kept."""
        return self.ended_because.startswith(("sink:", "evidence:"))


ProgressCallback = Callable[[CrawlProgress], None]
