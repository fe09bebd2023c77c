"""The other pages with nearly the same text as an item, and which of them a decision may take with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.review.desk import Desk
from dashboards.review.filters import Filters
from storage.clusters import likeness
from storage.port import Item, ItemQuery

MOST_SHOWN = 20
MOST_TOGETHER = 200
"""Items that one decision takes along; of a larger cluster the oldest ones, and the others with the next decision."""


@dataclass(frozen=True)
class Mirror:
    """Another item of the cluster; ``likeness`` is 1 for the same text, and None where it cannot be told."""

    item: Item
    likeness: float | None


def others_of(desk: Desk, item: Item) -> list[Item]:
    """Return the other items in the cluster of this one, oldest first, at most `MOST_TOGETHER`."""
    query = ItemQuery(cluster_id=(item.cluster_id,), sort="oldest", limit=MOST_TOGETHER + 1)
    found = desk.store.search(query).items
    return [desk.recent.over(one) for one in found if one.page_id != item.page_id][:MOST_TOGETHER]


def undecided(item: Item, others: Sequence[Item]) -> list[Item]:
    """Return which of the others a decision on ``item`` may take with it: open ones, and those decided as it was.

    What somebody has decided otherwise stays as it is.
    """
    return [one for one in others if one.decision in (None, item.decision)]


def fingerprint(items: Sequence[Item]) -> str:
    """Return what tells a form that was made for these items, as judged then, from one made for others."""
    seen = ",".join(sorted(f"{one.page_id} {one.judged_at.isoformat()}" for one in items))
    return hashlib.sha256(seen.encode()).hexdigest()[:32]


def cluster_context(desk: Desk, item: Item) -> dict[str, Any]:
    """Return what the page of an item says of its cluster."""
    others = others_of(desk, item)
    together = undecided(item, others)
    every = ItemQuery(cluster_id=(item.cluster_id,), limit=0)
    return {
        "mirrors": [Mirror(one, _likeness(item, one)) for one in others[:MOST_SHOWN]],
        "cluster_size": max(len(others) + 1, desk.store.search(every).total),
        "cluster_list": desk.url("/", Filters(cluster=item.cluster_id, decision=()).address()),
        "together": {"count": len(together), "fingerprint": fingerprint(together)},
    }


def _likeness(item: Item, other: Item) -> float | None:
    if other.content_id == item.content_id:
        return 1.0
    return likeness(item.minhash, other.minhash) if item.minhash and other.minhash else None
