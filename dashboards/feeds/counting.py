"""Counting texts, and keeping small numbers out of public editions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from dashboards.feeds.edition import Cell, Interval, OverTime
from dashboards.feeds.facts import Facts

OTHER = "other"
Cluster = Sequence[Facts]


def table(clusters: Iterable[Cluster], values: Callable[[Facts], Iterable[str]], smallest: int) -> tuple[Cell, ...]:
    """Return how many texts and pages have each value, most frequent first, small numbers put together.

    A text counts once for a value, at however many addresses it stands.
    """
    texts: Counter[str] = Counter()
    pages: Counter[str] = Counter()
    for cluster in clusters:
        found = [value for one in cluster for value in set(values(one))]
        pages.update(found)
        texts.update(set(found))
    cells = [Cell(value=value, texts=texts[value], pages=pages[value]) for value in texts]
    return grouped(sorted(cells, key=lambda cell: (-(cell.texts or 0), cell.value)), smallest)


def grouped(cells: Sequence[Cell], smallest: int) -> tuple[Cell, ...]:
    """Return the cells with those of fewer than ``smallest`` texts put together as ``other``.

    Where only one cell is that small, or all of them together still are, the next larger one joins them, so that
    nobody gets the small number back by subtraction. What stays too small loses its numbers.
    """
    kept = list(cells)
    small = [cell for cell in kept if (cell.texts or 0) < smallest]
    kept = [cell for cell in kept if cell not in small]
    while small and kept and (len(small) == 1 or _texts(small) < smallest):
        small.append(kept.pop())
    if not small:
        return tuple(kept)
    enough = _texts(small) >= smallest
    together = Cell(
        value=OTHER,
        texts=_texts(small) if enough else None,
        pages=sum(cell.pages or 0 for cell in small) if enough else None,
        values=len(small),
    )
    return (*kept, together)


def shown(number: int, smallest: int) -> int | None:
    """Return the number, or None if it is small; nothing at all is no secret."""
    return number if number == 0 or number >= smallest else None


def over_time(clusters: Iterable[Cluster], smallest: int) -> OverTime:
    """Return texts by week of first sight, or by month where weeks would single one out, or nothing."""
    seen = [min(one.first_seen_at for one in cluster) for cluster in clusters]
    starts: tuple[tuple[Literal["week", "month"], Callable[[datetime], datetime]], ...] = (
        ("week", _week),
        ("month", _month),
    )
    for by, start_of in starts:
        counted = Counter(start_of(at) for at in seen)
        if counted and min(counted.values()) >= smallest:
            return OverTime(by=by, intervals=tuple(_filled(counted, start_of)))
    return OverTime(by="", intervals=())


def _texts(cells: Iterable[Cell]) -> int:
    return sum(cell.texts or 0 for cell in cells)


def _filled(counted: Counter[datetime], start_of: Callable[[datetime], datetime]) -> Iterable[Interval]:
    at, last = min(counted), max(counted)
    while at <= last:
        yield Interval(at, counted[at])
        at = start_of(at + timedelta(days=7 if start_of is _week else 31))


def _week(at: datetime) -> datetime:
    day = datetime(at.year, at.month, at.day, tzinfo=UTC)
    return day - timedelta(days=day.weekday())


def _month(at: datetime) -> datetime:
    return datetime(at.year, at.month, 1, tzinfo=UTC)
