"""The list of items: filters with counts, a chart over time, rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from dashboards.charts import Bar, columns
from dashboards.defang import defang_host
from dashboards.excerpt import excerpt, mask_quantities
from dashboards.labels import day, label
from dashboards.review.desk import Desk, desk_of, page
from dashboards.review.filters import FACETS, PAGE_SIZE, SCORES, SORTS, STATES, Filters
from dashboards.review.paging import pages
from dashboards.review.toasts import progress_of, toast_of
from storage.port import CountField, Interval, Item, ItemQuery, TimeBucket

LIKELY = 0.5
MOST_BARS = 80
FACET_VALUES = 12


@dataclass(frozen=True)
class Choice:
    """A filter value that can be put on or taken off."""

    text: str
    count: int | None
    address: str
    chosen: bool
    value: str = ""


@dataclass(frozen=True)
class Row:
    """One item in the list."""

    item: Item
    address: str
    title: str
    excerpt: str
    tags: list[str]
    pages: int
    """How many pages its cluster has, whatever the filters."""
    cluster: str
    """Address of the list of them."""


def list_page(request: Request) -> Response:
    """Show one page of the list."""
    desk, filters = desk_of(request), Filters.read(request.query_params)
    offset = (filters.page - 1) * PAGE_SIZE
    found = desk.store.search(filters.query(offset=offset))
    sizes = _sizes(desk, found.items)
    states = _states(desk, filters)
    context = {
        "filters": filters,
        "total": sum(state.count or 0 for state in states if state.chosen),
        "clusters": None if filters.every or filters.cluster else found.total,
        "toggle": desk.url("/", filters.with_(every=not filters.every).address()),
        "rows": [_row(desk, filters, item, offset + index, sizes) for index, item in enumerate(found.items)],
        "states": states,
        "facets": _facets(desk, filters),
        "chips": _chips(desk, filters),
        "chart": _chart(desk, filters.query()),
        "pages": pages(lambda number: desk.url("/", filters.with_(page=number).address()), filters.page, found.total),
        "sorts": SORTS,
        "scores": SCORES,
        "clear": desk.url("/"),
        "toast": toast_of(request),
        "progress": progress_of(desk.store),
        "place": "/",
    }
    return page(request, "list.html", context)


def _sizes(desk: Desk, items: Sequence[Item]) -> dict[str, int]:
    ids = tuple({item.cluster_id for item in items})
    if not ids:
        return {}
    counted = desk.store.counts("cluster_id", ItemQuery(cluster_id=ids), len(ids))
    return {bucket.value: bucket.count for bucket in counted}


def _row(desk: Desk, filters: Filters, item: Item, at: int, sizes: Mapping[str, int]) -> Row:
    return Row(
        item=desk.recent.over(item),
        address=desk.url(f"/items/{item.page_id}", filters.with_().address(at=at)),
        title=mask_quantities(item.title.strip()),
        excerpt=excerpt(item),
        tags=[
            label(name)
            for odds in (item.verdict.subjects, item.verdict.techniques)
            for name, probability in odds.items()
            if probability >= LIKELY
        ],
        pages=sizes.get(item.cluster_id, 1),
        cluster=desk.url("/", Filters(cluster=item.cluster_id, decision=()).address()),
    )


def _states(desk: Desk, filters: Filters) -> list[Choice]:
    counted = {b.value: b.count for b in desk.store.counts("decision", filters.with_(decision=()).query())}
    choices = [
        Choice(
            label(state).capitalize(),
            counted.get(state, 0),
            desk.url("/", filters.with_(decision=(state,)).address()),
            state in filters.decision,
            state,
        )
        for state in STATES
    ]
    everything = desk.url("/", filters.with_(decision=()).address())
    return [*choices, Choice("All", sum(counted.values()), everything, not filters.decision, "all")]


def _facets(desk: Desk, filters: Filters) -> list[tuple[str, list[Choice]]]:
    return [(field, _facet(desk, filters, field)) for field in FACETS]


def _facet(desk: Desk, filters: Filters, field: str) -> list[Choice]:
    """Return the values of a field with the counts they would give beside the other filters."""
    others = filters.with_(**{field: ()}).query()
    buckets = desk.store.counts(cast(CountField, field), others, FACET_VALUES)
    chosen: tuple[str, ...] = getattr(filters, field)
    counted = {bucket.value: bucket.count for bucket in buckets}
    counted |= {value: 0 for value in chosen if value not in counted}
    return [
        Choice(
            defang_host(value) if field == "host" else label(value),
            count,
            desk.url("/", filters.toggled(field, value).address()),
            value in chosen,
            value,
        )
        for value, count in counted.items()
    ]


def _chips(desk: Desk, filters: Filters) -> list[tuple[str, str]]:
    """Return what each active filter says, and the address without it."""
    off: list[tuple[str, Filters]] = []
    if filters.text:
        off.append((f"“{filters.text}”", filters.with_(text="")))
    for field in FACETS:
        for value in getattr(filters, field):
            text = defang_host(value) if field == "host" else label(value)
            off.append((f"{field}: {text}", filters.toggled(field, value)))
    if filters.cluster:
        off.append(("nearly the same text", filters.with_(cluster="")))
    if filters.min_score:
        off.append((f"score ≥ {filters.min_score:g}", filters.with_(min_score=0.0)))
    if filters.since:
        off.append((f"from {filters.since.isoformat()}", filters.with_(since=None)))
    if filters.until:
        off.append((f"to {filters.until.isoformat()}", filters.with_(until=None)))
    return [(text, desk.url("/", without.address())) for text, without in off]


def _chart(desk: Desk, query: ItemQuery) -> dict[str, Any] | None:
    buckets, interval = _over_time(desk, query)
    if not buckets:
        return None
    highest = max(bucket.count for bucket in buckets)
    drawn: Markup = columns(
        [Bar(day(bucket.start), bucket.count) for bucket in buckets],
        f"Items first seen, by {interval}: {day(buckets[0].start)} to {day(buckets[-1].start)}, at most {highest}",
    )
    last = buckets[-1].start + timedelta(days={"day": 0, "week": 6, "month": 27}[interval])
    return {"svg": drawn, "first": buckets[0].start, "last": last, "highest": highest, "interval": interval}


def _over_time(desk: Desk, query: ItemQuery) -> tuple[Sequence[TimeBucket], Interval]:
    intervals: tuple[Interval, ...] = ("day", "week", "month")
    for interval in intervals:
        buckets = desk.store.counts_over_time(interval, query)
        if len(buckets) <= MOST_BARS:
            break
    return buckets[-MOST_BARS:], interval
