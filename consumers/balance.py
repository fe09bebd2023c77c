"""Whether what went in is what came out (ADR 0022): pure.

Each figure is counted by somebody else: the spiders count what they publish, each group what it reads and makes, the
topics hold what is in flight, the store the rows. So they can differ, and where they do, something was lost or doubled.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import msgspec

from consumers.counting import Counts
from consumers.flow import GroupLook, Waiting

_WITHOUT_BOUND = 2**62


class Range(NamedTuple):
    """What a figure is at least and at most: things move while they are looked at."""

    least: int
    most: int

    def __str__(self) -> str:
        if self.most >= _WITHOUT_BOUND:
            return f"{self.least:,} or more"
        return f"{self.least:,}" if self.least == self.most else f"{self.least:,} to {self.most:,}"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Two figures that must be the same."""

    what: str
    """In words: what the first is, and what the second."""
    first: Range
    second: Range

    @property
    def holds(self) -> bool:
        """Return whether they can be the same."""
        return self.first.least <= self.second.most and self.second.least <= self.first.most

    def __str__(self) -> str:
        return f"{self.what}: {self.first} and {self.second}"


class Letters(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in the dead-letter topics."""

    written: int
    """By the groups that count."""
    open: int
    """Neither sent back nor dropped, the spiders' included."""
    dropped: int
    replayed: dict[str, int]
    """Sent back, by topic."""
    expired: bool
    """Whether the oldest are gone."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at.

    In this order: published and the largest crawl, groups, what waits, letters, rows, groups again, published again.
    """

    published: Range | None
    """URL ends that the spiders published, before and after the rest; None where no crawl is known."""
    before: dict[str, GroupLook]
    after: dict[str, GroupLook]
    waiting: dict[str, Waiting]
    """Of ``before``; ``classify`` and ``index`` are needed."""
    letters: Letters | None
    """None where there are too many to look at."""
    rows: int | None = None
    """Rows of the ledger; None where the store does not say."""
    largest_crawl: int = 0
    """URL ends of the largest crawl of late, each of another URL."""


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Where every URL that was found is."""

    found: int
    outcomes: dict[str, int]
    dead_letter: int
    """Not sent back, or not read again yet."""
    in_flight: Range
    checks: tuple[Check, ...]

    @property
    def failing(self) -> tuple[Check, ...]:
        """Return the checks that do not hold."""
        return tuple(check for check in self.checks if not check.holds)


def balance(figures: Figures) -> Balance:
    """Return where every URL is, and whether the figures agree."""
    classify, index = figures.before["classify"].counts, figures.before["index"].counts
    outcomes = Counter(index.outcomes)
    dead = outcomes.pop("dead_letter", 0) + index.rejected + index.poison + classify.poison
    dead -= index.replayed + classify.replayed
    waits = [_fresh(figures.waiting[stage]) for stage in ("classify", "index")]
    in_flight = Range(sum(one.least for one in waits), sum(one.most for one in waits))
    accounted = sum(outcomes.values()) + dead - index.nobodys
    found = figures.published.most if figures.published is not None else _read_or_waiting(figures).most
    checks = [
        *_published(figures, accounted, in_flight),
        _through(classify),
        _between(figures),
        *_letters(figures),
        *_ledger(figures, in_flight),
    ]
    return Balance(found=found, outcomes=dict(outcomes), dead_letter=dead, in_flight=in_flight, checks=tuple(checks))


def _published(figures: Figures, accounted: int, in_flight: Range) -> list[Check]:
    if figures.published is None:
        return []
    slack = sum(figures.before[stage].uncounted for stage in ("classify", "index"))
    everywhere = Range(accounted + in_flight.least, accounted + in_flight.most + slack)
    return [
        Check(
            what="published by the spiders, and read by classify or in flight",
            first=figures.published,
            second=_read_or_waiting(figures),
        ),
        Check(
            what="found, and in an outcome, among the dead letters or in flight",
            first=figures.published,
            second=everywhere,
        ),
    ]


def _through(classify: Counts) -> Check:
    read = classify.read - classify.poison - classify.echo_letters
    return Check(
        what="read by classify and no poison, and made by it",
        first=Range(read, read),
        second=Range(classify.outputs, classify.outputs),
    )


def _between(figures: Figures) -> Check:
    index, waits = figures.before["index"], _fresh(figures.waiting["index"])
    read = _first_time(index.counts)
    return Check(
        what="made by classify, and read by index or in flight",
        first=Range(figures.before["classify"].counts.outputs, figures.after["classify"].counts.outputs),
        second=Range(read + waits.least, read + waits.most + index.uncounted),
    )


def _letters(figures: Figures) -> list[Check]:
    letters = figures.letters
    if letters is None:
        return []
    counted = [sum(group.counts.letters for group in look.values()) for look in (figures.before, figures.after)]
    checks = [
        Check(
            what="dead letters that the groups counted, and dead letters in the topics",
            first=Range(*counted),
            second=_left(letters.written, letters),
        )
    ]
    for stage in ("classify", "index"):
        group, waits = figures.before[stage], figures.waiting[stage]
        if waits.least == waits.most:
            back = group.counts.replayed + group.counts.echoes + waits.replays
            checks.append(
                Check(
                    what=f"dead letters that came back to {group.topic}, and those that were sent back",
                    first=Range(back, back + group.uncounted),
                    second=_left(letters.replayed.get(group.topic, 0), letters),
                )
            )
    return checks


def _ledger(figures: Figures, in_flight: Range) -> list[Check]:
    """Compare rows with the URLs of one crawl, which are all different ones; of two crawls, they may be the same."""
    if figures.rows is None:
        return []
    index, classify = figures.before["index"], figures.before["classify"].counts
    unknown = in_flight.most + index.counts.poison + classify.poison + index.uncounted
    least = max(0, figures.largest_crawl - unknown)
    return [
        Check(
            what="rows of the ledger, and URLs of the largest crawl of late that must be there",
            first=Range(figures.rows, figures.rows),
            second=Range(least, _WITHOUT_BOUND),
        )
    ]


def _read_or_waiting(figures: Figures) -> Range:
    classify, waits = figures.before["classify"], _fresh(figures.waiting["classify"])
    read = _first_time(classify.counts) - classify.counts.nobodys
    return Range(read + waits.least, read + waits.most + classify.uncounted)


def _first_time(counts: Counts) -> int:
    return counts.read - counts.replayed - counts.echoes


def _fresh(waits: Waiting) -> Waiting:
    """Return what waits, without the dead letters that came back."""
    return Waiting(waits.least - waits.replays, waits.most - waits.replays)


def _left(count: int, letters: Letters) -> Range:
    return Range(count, _WITHOUT_BOUND if letters.expired else count)
