"""Which items have nearly the same text, and what becomes of their clusters (ADR 0020): pure, the same in both stores.

Two items are alike if at least `ALIKE` of the 128 hashes of their texts are equal. A cluster is everything that
likeness connects, across hosts and across time; it is named by the oldest of the texts in it. So which items are
together, and under which name, does not depend on the order in which they arrive.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import eq
from typing import NamedTuple

import msgspec

from storage.values import Item

HASHES = 128
ALIKE = 77
"""Of `HASHES`, a similarity of 0.6: more than different texts ever reached, less than most edited copies keep."""


class Cluster(NamedTuple):
    """The name of a cluster: since when its oldest text is known, and that text's content id. Older ones sort first."""

    since: datetime
    id: str


def cluster_of(item: Item) -> Cluster:
    """Return the cluster of an item."""
    return Cluster(item.cluster_since, item.cluster_id)


def hashes(minhash: str) -> tuple[int, ...]:
    """Return the hashes in a signature (see `events.messages.MinHash`), none in an empty one."""
    data = base64.b64decode(minhash)
    return tuple(int.from_bytes(data[start : start + 4], "little") for start in range(0, len(data), 4))


def likeness(one: str, other: str) -> float:
    """Return the estimated similarity of the texts behind two signatures, from 0 to 1; 0 if one is not known."""
    equal: int = sum(map(eq, hashes(one), hashes(other)))
    return equal / HASHES


def are_alike(one: str, other: str) -> bool:
    """Return whether two signatures put their items into one cluster."""
    return likeness(one, other) >= ALIKE / HASHES


def merged(together: Iterable[Iterable[Cluster]]) -> dict[str, Cluster]:
    """Return what becomes of clusters, by id: each group of ``together`` is one, and so are groups that overlap.

    The oldest of them takes in the others. Its own id is there too where it is known with several dates.
    """
    groups: list[set[Cluster]] = []
    for clusters in together:
        joined = set(clusters)
        ids = {cluster.id for cluster in joined}
        apart = []
        for group in groups:
            if ids.isdisjoint(cluster.id for cluster in group):
                apart.append(group)
            else:
                joined |= group
        groups = [*apart, joined]
    oldest = [(min(group), group) for group in groups]
    return {cluster.id: first for first, group in oldest for cluster in group if cluster != first}


def moved(item: Item, becomes: Mapping[str, Cluster]) -> Item:
    """Return the item in the cluster that took in its own, or the item itself."""
    target = becomes.get(item.cluster_id)
    if target is None or target == cluster_of(item):
        return item
    return msgspec.structs.replace(item, cluster_id=target.id, cluster_since=target.since)
