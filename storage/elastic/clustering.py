"""Bringing items that are alike into one cluster, while others do the same.

The items are written first, each in a cluster of its own or in the one that it was in; the histories note the cluster
and the signature, in one index however many months of items there are. Then that is refreshed, and everybody looks for
what theirs are like. Of two writers whose items are alike, at least the later one finds both. It
moves whatever stands in a younger cluster into the oldest, refreshes, and looks again, until there is nothing to move:
so an item that somebody else put into the younger cluster meanwhile is moved too. A cluster only ever becomes an older
one, so this ends, whoever is slower.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from storage.clusters import ALIKE, HASHES, Cluster, cluster_of, merged, moved
from storage.elastic.client import RETRY_AFTER_S, Connection
from storage.elastic.entries import hash_terms
from storage.elastic.indices import Indices
from storage.elastic.pages import Pages
from storage.elastic.queries import CLUSTER_ID
from storage.elastic.searching import Searcher
from storage.merge import Held
from storage.port import StoreUnavailableError
from storage.values import Item

_ROUNDS = 100
_SEARCHES = 50
_MOST_CLUSTERS = 100
_MOST_MOVES = 1_000
_ENOUGH = HASHES - ALIKE + 1
"""Of any so many hashes, two items that are alike share one."""
_SINCE = "guidewatch.cluster.since"
_HASHES = "guidewatch.cluster.hashes"
_HAS_CLUSTER = {"exists": {"field": CLUSTER_ID}}
_NO_CLUSTER = {"bool": {"must_not": [_HAS_CLUSTER]}}


class Clustering:
    """Finds and merges clusters.

    Parameters
    ----------
    connection, indices
        Where the items are.
    pages
        Reads and changes them.
    """

    def __init__(self, connection: Connection, indices: Indices, pages: Pages) -> None:
        self._connection = connection
        self._searcher = Searcher(connection)
        self._items = indices.read("items")
        self._noted = indices.read("histories")
        self._pages = pages

    def settle(self, page_ids: Sequence[str]) -> None:
        """Bring the items among these pages together with those that they are like.

        Raises
        ------
        StoreUnavailableError
            Others change the same clusters all the time.
        """
        together: list[set[Cluster]] = []
        for _ in range(_ROUNDS):
            self._refresh()
            found = [read.held.item for read in self._pages.read(page_ids).values()]
            together += self._alike([item for item in found if item is not None])
            becomes = merged(together)
            outside = self._ids(_outside(becomes)) if becomes else []
            if not outside:
                return
            self._move(outside, becomes)
        raise StoreUnavailableError(f"clusters of {len(page_ids)} pages are being changed all the time", RETRY_AFTER_S)

    def adopt(self) -> None:
        """Give the items from before there were clusters one, by their content id, and note those not noted yet."""
        with self._connection.translated() as client:
            client.indices.refresh(index=[self._items, self._noted])
        for page_ids in self._searcher.ids(self._items, _NO_CLUSTER):
            self._pages.change(page_ids, lambda _, held: _written_again(held))
            self.settle(page_ids)
        self._refresh()
        if self._searcher.count(self._items, {"match_all": {}}) <= self._searcher.count(self._noted, _HAS_CLUSTER):
            return
        for page_ids in self._searcher.ids(self._items, {"match_all": {}}):
            self._pages.change(page_ids, lambda _, held: held)
            self.settle(page_ids)

    def _refresh(self) -> None:
        with self._connection.translated() as client:
            client.indices.refresh(index=self._noted)

    def _alike(self, items: Sequence[Item]) -> Iterator[set[Cluster]]:
        """Yield the cluster of each item with those of the items that it is like."""
        for start in range(0, len(items), _SEARCHES):
            some = items[start : start + _SEARCHES]
            searches = [
                line
                for item in some
                for line in ({"index": self._noted, "allow_partial_search_results": False}, _search(item))
            ]
            with self._connection.translated() as client:
                answers = client.msearch(searches=searches)["responses"]
            for item, answer in zip(some, answers, strict=True):
                if "error" in answer:
                    reason = answer["error"].get("reason", "no reason given")
                    raise StoreUnavailableError(f"clusters cannot be searched: {reason}", RETRY_AFTER_S)
                yield {cluster_of(item), *(_cluster(hit["_source"]) for hit in answer["hits"]["hits"])}

    def _ids(self, query: Mapping[str, Any]) -> list[str]:
        with self._connection.translated() as client:
            found = client.search(index=self._noted, query=query, size=_MOST_MOVES, source=False, sort="_doc")
        return [hit["_id"] for hit in found["hits"]["hits"]]

    def _move(self, page_ids: Sequence[str], becomes: Mapping[str, Cluster]) -> None:
        def after(_: str, held: Held) -> Held:
            if held.item is None:
                return held
            return msgspec.structs.replace(held, item=moved(held.item, becomes))

        self._pages.change(page_ids, after)


def _written_again(held: Held) -> Held:
    """Return an equal state whose item counts as another one, so that its document is written with its cluster."""
    return msgspec.structs.replace(held, item=msgspec.structs.replace(held.item)) if held.item is not None else held


def _search(item: Item) -> dict[str, Any]:
    """Return the search for the clusters of all that an item is like.

    Where none of the first hashes occur, the server looks up no others.
    """
    terms = hash_terms(item.minhash)
    wanted: list[dict[str, Any]] = [{"term": {CLUSTER_ID: item.cluster_id}}]
    if terms:
        same_hash = [{"term": {_HASHES: term}} for term in terms]
        first = {"terms": {_HASHES: terms[:_ENOUGH]}}
        wanted.append({"bool": {"filter": [first, {"bool": {"should": same_hash, "minimum_should_match": ALIKE}}]}})
    return {
        "query": {"bool": {"filter": [{"bool": {"should": wanted}}]}},
        "collapse": {"field": CLUSTER_ID},
        "sort": [{_SINCE: "asc"}],
        "size": _MOST_CLUSTERS,
        "_source": [CLUSTER_ID, _SINCE],
    }


def _outside(becomes: Mapping[str, Cluster]) -> dict[str, Any]:
    """Return which items stand in a cluster that has become another one."""
    targets = {(target.id, target.since.isoformat()) for target in becomes.values()}
    inside = [{"bool": {"filter": [{"term": {CLUSTER_ID: name}}, {"term": {_SINCE: at}}]}} for name, at in targets]
    return {"bool": {"filter": [{"terms": {CLUSTER_ID: list(becomes)}}], "must_not": inside}}


def _cluster(source: Mapping[str, Any]) -> Cluster:
    own = source["guidewatch"]["cluster"]
    return msgspec.convert((own["since"], own["id"]), Cluster)
