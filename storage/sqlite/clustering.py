"""Finding items that are alike, and bringing them into one cluster, inside one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime

from storage.clusters import ALIKE, HASHES, Cluster, are_alike, cluster_of, hashes, merged
from storage.sqlite.rows import stamp
from storage.values import Item

ENOUGH_BANDS = HASHES // 2 - (HASHES - ALIKE)
"""Of the 64 pairs of hashes in which two items that are alike agree at least: each hash that differs spoils one."""

_SAME_NAME = "SELECT DISTINCT cluster_id, cluster_since FROM items WHERE cluster_id = ?"
_CANDIDATES = (
    "SELECT DISTINCT cluster_id, cluster_since, minhash FROM items WHERE number IN "
    "(SELECT item FROM item_bands WHERE band IN ({}) GROUP BY item HAVING count(*) >= ?)"
)
_MOVE = (
    "UPDATE items SET cluster_id = ?, cluster_since = ? WHERE cluster_id = ? AND (cluster_id, cluster_since) != (?, ?)"
)


def bands(minhash: str) -> list[int]:
    """Return the pairs of hashes in a signature as signed 64-bit numbers, each once; none without a signature."""
    values = hashes(minhash)
    pairs = {first << 32 | second for first, second in zip(values[::2], values[1::2], strict=True)}
    return [pair - (pair >> 63 << 64) for pair in pairs]


def cluster(connection: sqlite3.Connection, items: Iterable[Item]) -> None:
    """Bring these items, as they are in the table, together with those that they are like."""
    together = [{cluster_of(item), *_alike(connection, item)} for item in items]
    for name, target in merged(together).items():
        cells = (target.id, stamp(target.since))
        connection.execute(_MOVE, (*cells, name, *cells))


def _alike(connection: sqlite3.Connection, item: Item) -> Iterator[Cluster]:
    for row in connection.execute(_SAME_NAME, (item.cluster_id,)):
        yield _cluster(row)
    found = set()
    wanted = bands(item.minhash)
    sql = _CANDIDATES.format(", ".join("?" * len(wanted)))
    for row in connection.execute(sql, (*wanted, ENOUGH_BANDS)):
        one = _cluster(row)
        if one not in found and are_alike(item.minhash, row["minhash"]):
            found.add(one)
            yield one


def _cluster(row: sqlite3.Row) -> Cluster:
    return Cluster(datetime.fromisoformat(row["cluster_since"]), row["cluster_id"])
