"""Elasticsearch's query language for the port's queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage.elastic.templates import ANALYZERS
from storage.queries import Interval, ItemQuery, LedgerQuery
from storage.words import phrases, tokens

_TERMS = ("language", "subject", "technique", "context", "host", "decision", "crawl_id", "content_id", "cluster_id")
_LEDGER_TERMS = ("page_id", "host", "outcome", "crawl_id", "content_id")
_PAGE_ID = {"guidewatch.page_id": "asc"}
_SCORE = {"guidewatch.score": "desc"}
_SORT: dict[str, list[dict[str, str]]] = {
    "score": [_SCORE, _PAGE_ID],
    "newest": [{"guidewatch.first_seen_at": "desc"}, _PAGE_ID],
    "oldest": [{"guidewatch.first_seen_at": "asc"}, _PAGE_ID],
    "host": [{"guidewatch.host": "asc"}, _SCORE, _PAGE_ID],
    "relevance": [{"_score": "desc"}, _PAGE_ID],
}
LEDGER_SORT: dict[str, list[dict[str, str]]] = {
    "newest": [{"guidewatch.found_at": "desc"}, _PAGE_ID],
    "score": [_SCORE, _PAGE_ID],
}
DECISIONS_SORT = [{"@timestamp": "asc"}, {"event.id": "asc"}]
WITHOUT_SEARCH_FIELDS = {"excludes": ["guidewatch.search", "guidewatch.cluster.hashes"]}
WITHOUT_TEXTS = {"excludes": [*WITHOUT_SEARCH_FIELDS["excludes"], "guidewatch.title", "guidewatch.text"]}
CLUSTER_ID = "guidewatch.cluster.id"


def items_query(query: ItemQuery) -> dict[str, Any]:
    """Return which items match."""
    if query.text.strip() and not phrases(query.text):
        return {"match_none": {}}
    filters = _terms(query, _TERMS)
    if query.min_score > 0:
        filters.append({"range": {"guidewatch.score": {"gte": query.min_score}}})
    if query.since is not None:
        filters.append({"range": {"guidewatch.first_seen_at": {"gte": query.since}}})
    if query.until is not None:
        filters.append({"range": {"guidewatch.first_seen_at": {"lt": query.until}}})
    languages = [name for name in ANALYZERS if name in query.language] or list(ANALYZERS)
    parts = [part for part in query.text.split() if tokens(part)]
    return {"bool": {"filter": filters, "must": [_phrase(part, languages) for part in parts]}}


def items_sort(query: ItemQuery) -> list[dict[str, str]]:
    """Return the order of the query; without words, relevance is the score."""
    return _SORT["score" if query.sort == "relevance" and not phrases(query.text) else query.sort]


def ledger_query(query: LedgerQuery) -> dict[str, Any]:
    """Return which ledger rows match; a row from before there was a second queue is not in it."""
    filters = _terms(query, _LEDGER_TERMS)
    if query.worth_a_look is not None:
        filters.append(_is(query.worth_a_look, {"term": {"guidewatch.worth_a_look": True}}))
    if query.reviewed is not None:
        filters.append(_is(query.reviewed, {"exists": {"field": "guidewatch.reviewed_at"}}))
    return {"bool": {"filter": filters}}


def by_value(field: str, limit: int) -> dict[str, Any]:
    """Return the aggregation that counts by ``field``, most frequent first, then by value."""
    order = [{"_count": "desc"}, {"_key": "asc"}]
    return {"terms": {"field": _field(field), "size": limit, "order": order}}


def by_time(interval: Interval) -> dict[str, Any]:
    """Return the aggregation that counts by calendar interval in UTC, without the empty ones."""
    return {
        "date_histogram": {
            "field": "guidewatch.first_seen_at",
            "calendar_interval": interval,
            "min_doc_count": 1,
            "time_zone": "UTC",
        }
    }


def _terms(query: ItemQuery | LedgerQuery, names: Sequence[str]) -> list[dict[str, Any]]:
    return [{"terms": {_field(name): list(getattr(query, name))}} for name in names if getattr(query, name)]


def _field(name: str) -> str:
    return CLUSTER_ID if name == "cluster_id" else f"guidewatch.{name}"


def _is(wanted: bool, clause: dict[str, Any]) -> dict[str, Any]:
    return clause if wanted else {"bool": {"must_not": [clause]}}


def _phrase(part: str, languages: Sequence[str]) -> dict[str, Any]:
    """Return what finds the words of ``part`` in this order, as they stand or as an analyzer has them."""
    analysed = [f"{name}.{field}" for name in languages for field in ("title^3", "text")]
    return {"dis_max": {"queries": [_match(" ".join(tokens(part)), ("title^3", "text")), _match(part, analysed)]}}


def _match(words: str, fields: Sequence[str]) -> dict[str, Any]:
    names = [f"guidewatch.search.{field}" for field in fields]
    return {"multi_match": {"query": words, "type": "phrase", "fields": names}}
