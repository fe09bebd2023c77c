"""Where an entry stands in its list, what comes before and after it, and which one to look at next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashboards.review.desk import Desk
from dashboards.review.filters import Filters

WINDOW = 25
MAX_WINDOWS = 8


@dataclass(frozen=True)
class Part:
    """A part of a list: page id of each entry and whether nobody has decided on it; ``total`` is of the whole list."""

    entries: list[tuple[str, bool]]
    total: int


Listing = Callable[[int, int], Part]
"""Returns the part of a list from an offset on, of at most so many entries."""


@dataclass(frozen=True)
class Place:
    """A position in a list: ``at`` counts from 0; ``page_id`` is the entry there."""

    page_id: str
    at: int


@dataclass(frozen=True)
class Neighbours:
    """The places around an entry; ``here`` is None where the list no longer has it."""

    before: Place | None
    here: int | None
    after: Place | None
    total: int


def items(desk: Desk, filters: Filters) -> Listing:
    """Return the list of items with these filters."""

    def part(offset: int, limit: int) -> Part:
        found = desk.store.search(filters.query(offset=offset, limit=limit))
        return Part([(one.page_id, desk.recent.over(one).decision is None) for one in found.items], found.total)

    return part


def neighbours(listing: Listing, page_id: str, at: int) -> Neighbours:
    """Return what stands around an entry that was seen at position ``at`` of a list, which may have moved since."""
    start = max(0, at - WINDOW // 2)
    found = listing(start, WINDOW)
    places = [Place(known, start + index) for index, (known, _) in enumerate(found.entries)]
    ids = [place.page_id for place in places]
    if page_id in ids:
        index = ids.index(page_id)
        after = places[index + 1] if index + 1 < len(places) else None
        return Neighbours(places[index - 1] if index else None, start + index, after, found.total)
    before = [place for place in places if place.at < at]
    after = next((place for place in places if place.at >= at), None)
    return Neighbours(before[-1] if before else None, None, after, found.total)


def next_open(listing: Listing, page_id: str, at: int) -> Place | None:
    """Return the next entry of the list that nobody has decided, from ``at`` on and then from the top, or None."""
    for start in dict.fromkeys((at, 0)):
        for offset in range(start, start + WINDOW * MAX_WINDOWS, WINDOW):
            found = listing(offset, WINDOW).entries
            for index, (known, is_open) in enumerate(found):
                if is_open and known != page_id:
                    return Place(known, offset + index)
            if len(found) < WINDOW:
                break
    return None
