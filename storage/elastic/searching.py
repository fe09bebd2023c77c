"""Searches, aggregations and walks through more hits than one answer may hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from storage.elastic.client import Connection
from storage.elastic.queries import CLUSTER_ID, WITHOUT_SEARCH_FIELDS

WINDOW = 10_000
"""Elasticsearch answers no deeper than this with an offset."""

MOST_EXACT = 40_000
"""Elasticsearch counts different values exactly up to so many, and estimates more."""

_PAGE = 1_000
_IDS = 500
KEEP_ALIVE = "2m"


class Hits(msgspec.Struct, frozen=True):
    """Documents in order, and how many match in all."""

    sources: list[dict[str, Any]]
    total: int


class Searcher:
    """Asks the cluster.

    Parameters
    ----------
    connection
        Where it is.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def firsts(self, index: str, query: Mapping[str, Any], sort: Sequence[Mapping[str, Any]], span: range) -> Hits:
        """Return the same as `hits`, of only the first document of each cluster."""
        if span.stop > WINDOW:
            seen: set[str] = set()
            firsts = (hit for hit in self.walk(index, query, sort) if _is_first(hit, seen))
            found = list(islice(firsts, span.start, span.stop))
        else:
            with self._connection.translated() as client:
                answer = client.search(
                    index=index,
                    query=query,
                    sort=sort,
                    collapse={"field": CLUSTER_ID},
                    from_=span.start,
                    size=len(span),
                    source=WITHOUT_SEARCH_FIELDS,
                    track_total_hits=False,
                    allow_partial_search_results=False,
                )
            found = [hit["_source"] for hit in answer["hits"]["hits"]]
        return Hits(found, self._distinct(index, query, CLUSTER_ID))

    def hits(self, index: str, query: Mapping[str, Any], sort: Sequence[Mapping[str, Any]], span: range) -> Hits:
        """Return the hits with these numbers in the order of ``sort``."""
        if span.stop > WINDOW:
            return Hits(list(islice(self.walk(index, query, sort), span.start, span.stop)), self.count(index, query))
        with self._connection.translated() as client:
            answer = client.search(
                index=index,
                query=query,
                sort=sort,
                from_=span.start,
                size=len(span),
                source=WITHOUT_SEARCH_FIELDS,
                track_total_hits=True,
                allow_partial_search_results=False,
            )
        found = answer["hits"]
        return Hits([hit["_source"] for hit in found["hits"]], found["total"]["value"])

    def count(self, index: str, query: Mapping[str, Any]) -> int:
        """Return how many documents match."""
        with self._connection.translated() as client:
            answer = client.search(
                index=index, query=query, size=0, track_total_hits=True, allow_partial_search_results=False
            )
        return int(answer["hits"]["total"]["value"])

    def _distinct(self, index: str, query: Mapping[str, Any], field: str) -> int:
        """Return how many values a field has, exact up to `MOST_EXACT`."""
        counted = {"cardinality": {"field": field, "precision_threshold": MOST_EXACT}}
        with self._connection.translated() as client:
            answer = _aggregated(client, index, query, counted)
        return int(answer["value"])

    def buckets(self, index: str, query: Mapping[str, Any], aggregation: Mapping[str, Any]) -> list[tuple[Any, int]]:
        """Return (key, count) of each bucket of an aggregation."""
        with self._connection.translated() as client:
            answer = _aggregated(client, index, query, aggregation)
        return [(bucket["key"], bucket["doc_count"]) for bucket in answer["buckets"]]

    def newest(self, index: str, fields: Sequence[str]) -> datetime | None:
        """Return the latest time in any of these fields, None where there is none."""
        latest = {field: {"max": {"field": field}} for field in fields}
        with self._connection.translated() as client:
            answer = client.search(index=index, size=0, aggregations=latest, allow_partial_search_results=False)
        times = [one["value"] for one in answer["aggregations"].values() if one["value"] is not None]
        return datetime.fromtimestamp(max(times) / 1000, UTC) if times else None

    def ids(self, index: str, query: Mapping[str, Any]) -> Iterator[list[str]]:
        """Yield the ids of all documents that match, all from one moment, some hundreds at a time."""
        for hits in self.states(index, query):
            yield [hit["_id"] for hit in hits]

    def states(self, index: str, query: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """Yield hits without their documents, with the index and the state of each, like `ids`."""
        usual = {"query": query, "sort": ["_shard_doc"], "size": _IDS, "source": False, "seq_no_primary_term": True}
        with self.moment(index) as moment:
            after: list[Any] | None = None
            while True:
                with self._connection.translated() as client:
                    found = _page(client, moment, usual | {"search_after": after})
                if found:
                    yield found
                if len(found) < _IDS:
                    return
                after = found[-1]["sort"]

    def walk(
        self,
        index: str,
        query: Mapping[str, Any],
        sort: Sequence[Mapping[str, Any]],
        page: int = _PAGE,
        source: Mapping[str, Any] = WITHOUT_SEARCH_FIELDS,
    ) -> Iterator[dict[str, Any]]:
        """Yield ``source`` of every hit in the order of ``sort``, all from one moment, fetched ``page`` at a time."""
        with self.moment(index) as moment:
            after: list[Any] | None = None
            while True:
                with self._connection.translated() as client:
                    wanted = {"query": query, "sort": sort, "size": page, "search_after": after, "source": source}
                    found = _page(client, moment, wanted)
                yield from (hit["_source"] for hit in found)
                if len(found) < page:
                    return
                after = found[-1]["sort"]

    @contextmanager
    def moment(self, index: str, preference: str | None = None) -> Iterator[str]:
        """Yield the id of a moment of an index; what is searched in it does not change."""
        with self._connection.translated() as client:
            moment: str = client.open_point_in_time(index=index, keep_alive=KEEP_ALIVE, preference=preference)["id"]
        try:
            yield moment
        finally:
            with self._connection.translated() as client:
                client.close_point_in_time(id=moment)


def _is_first(source: Mapping[str, Any], seen: set[str]) -> bool:
    cluster: str = source["guidewatch"]["cluster"]["id"]
    new = cluster not in seen
    seen.add(cluster)
    return new


def _aggregated(
    client: Elasticsearch, index: str, query: Mapping[str, Any], aggregation: Mapping[str, Any]
) -> dict[str, Any]:
    answer = client.search(
        index=index, query=query, size=0, aggregations={"all": aggregation}, allow_partial_search_results=False
    )
    found: dict[str, Any] = answer["aggregations"]["all"]
    return found


def _page(client: Elasticsearch, moment: str, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    usual: dict[str, Any] = {"source": WITHOUT_SEARCH_FIELDS}
    answer = client.search(
        pit={"id": moment, "keep_alive": KEEP_ALIVE},
        track_total_hits=False,
        allow_partial_search_results=False,
        **(usual | dict(wanted)),
    )
    hits: list[dict[str, Any]] = answer["hits"]["hits"]
    return hits
