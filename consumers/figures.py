"""What became of the pages of committed batches, in figures for metrics: outcomes, languages, latencies."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from consumers.stage import Settled
from events import PageJudged

BUCKETS_S = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
"""Upper bounds of the buckets of a `Histogram`, in seconds; the last bucket of all has none."""

LANGUAGES = frozenset({"ar", "en", "es", "fr", "ru", "zh"})
"""Languages that are counted on their own, so that whatever a page is written in, there are few numbers to keep."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many durations fell into each bucket; immutable.

    Parameters
    ----------
    counts
        By bucket, not cumulative; one more than there are `BUCKETS_S`.
    sum_s
        All durations together, in seconds.
    """

    counts: tuple[int, ...] = (0,) * (len(BUCKETS_S) + 1)
    sum_s: float = 0.0

    @classmethod
    def of(cls, durations_s: Iterable[float]) -> Histogram:
        """Return the histogram of these durations; a clock that was set back makes none of them negative."""
        counts = [0] * (len(BUCKETS_S) + 1)
        total = 0.0
        for seconds in durations_s:
            positive = max(0.0, seconds)
            counts[bisect_left(BUCKETS_S, positive)] += 1
            total += positive
        return cls(tuple(counts), total)

    def plus(self, other: Histogram) -> Histogram:
        """Return both together."""
        return Histogram(tuple(map(sum, zip(self.counts, other.counts, strict=True))), self.sum_s + other.sum_s)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of pages and of URLs that ended without one; immutable."""

    outcomes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By outcome and language: one of `LANGUAGES`, ``other``, or empty where it is not known."""
    since_found: Histogram = field(default_factory=Histogram)
    """From the time in ``pages.found`` until the stage was done with a page."""
    since_fetched: Histogram = field(default_factory=Histogram)
    """From the end of the download until the stage was done with a page."""

    def plus(self, other: Figures) -> Figures:
        """Return both together."""
        outcomes = Counter(self.outcomes)
        outcomes.update(other.outcomes)
        return Figures(
            dict(outcomes), self.since_found.plus(other.since_found), self.since_fetched.plus(other.since_fetched)
        )


def figures_of(settled: Sequence[Settled], at: datetime) -> Figures:
    """Return the figures of what a stage has settled.

    Parameters
    ----------
    settled
        Records with what became of their URLs.
    at
        When the stage was done with them (aware UTC).
    """
    pages = [(one.record, one.event) for one in settled if isinstance(one.event, PageJudged)]
    now_s = at.timestamp()
    return Figures(
        outcomes=dict(Counter(map(_kind, settled))),
        since_found=Histogram.of(now_s - found for record, _ in pages if (found := record.found_at_s) is not None),
        since_fetched=Histogram.of((at - page.fetched_at).total_seconds() for _, page in pages),
    )


def _kind(one: Settled) -> tuple[str, str]:
    event = one.event
    if isinstance(event, PageJudged):
        return event.verdict.outcome, _language(event.verdict.language)
    return event.outcome, _language(event.language)


def _language(code: str | None) -> str:
    if not code:
        return ""
    return code if code in LANGUAGES else "other"
