"""Where an item stands in its list, what comes before and after it, and which one to look at next."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.review.filters import Filters
from dashboards.review.recent import Recent
from storage.port import Item, Store

WINDOW = 25
MAX_WINDOWS = 8


@dataclass(frozen=True)
class Place:
    """A position in a list: ``at`` counts from 0; ``page_id`` is the item there."""

    page_id: str
    at: int


@dataclass(frozen=True)
class Neighbours:
    """The places around an item; ``here`` is None where the list no longer has it."""

    before: Place | None
    here: int | None
    after: Place | None
    total: int


def neighbours(store: Store, filters: Filters, page_id: str, at: int) -> Neighbours:
    """Return what stands around an item that was seen at position ``at`` of a list, which may have moved since."""
    start = max(0, at - WINDOW // 2)
    found = store.search(filters.query(offset=start, limit=WINDOW))
    ids = [item.page_id for item in found.items]
    places = [Place(known, start + index) for index, known in enumerate(ids)]
    if page_id in ids:
        index = ids.index(page_id)
        after = places[index + 1] if index + 1 < len(places) else None
        return Neighbours(places[index - 1] if index else None, start + index, after, found.total)
    before = [place for place in places if place.at < at]
    after = next((place for place in places if place.at >= at), None)
    return Neighbours(before[-1] if before else None, None, after, found.total)


def next_open(store: Store, recent: Recent, filters: Filters, page_id: str, at: int) -> Place | None:
    """Return the next item of the list that nobody has decided, from ``at`` on and then from the top, or None."""
    for start in dict.fromkeys((at, 0)):
        for offset in range(start, start + WINDOW * MAX_WINDOWS, WINDOW):
            found = store.search(filters.query(offset=offset, limit=WINDOW)).items
            for index, item in enumerate(found):
                if item.page_id != page_id and _is_open(recent, item):
                    return Place(item.page_id, offset + index)
            if len(found) < WINDOW:
                break
    return None


def _is_open(recent: Recent, item: Item) -> bool:
    return recent.over(item).decision is None
