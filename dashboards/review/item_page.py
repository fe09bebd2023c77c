"""One item: why it was flagged, its text, its evidence, its history, and the decision."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboards.labels import label
from dashboards.quantities import mask_quantities
from dashboards.review.cluster import cluster_context
from dashboards.review.desk import Desk, desk_of, page
from dashboards.review.draft import CHOICES, Draft
from dashboards.review.filters import Filters
from dashboards.review.highlights import explained, moving_words, paragraphs
from dashboards.review.neighbours import Place, items, neighbours
from dashboards.review.paging import page_of, position
from dashboards.review.toasts import progress_of, toast_of
from storage.port import Item, LedgerQuery

MOST_CHECKS = 20


def item_page(request: Request) -> Response:
    """Show an item."""
    item = wanted_item(request)
    return show(request, item, Draft.of(item))


def wanted_item(request: Request) -> Item:
    """Return the item in the address.

    Raises
    ------
    HTTPException
        404 if there is none.
    """
    desk = desk_of(request)
    item = desk.store.item(request.path_params["page_id"])
    if item is None:
        raise HTTPException(404, "There is no such item. It may have been judged anew and passed, or be too old.")
    return desk.recent.over(item)


def show(request: Request, item: Item, draft: Draft, status: int = 200) -> Response:
    """Return the page of an item with this form."""
    desk, filters, at = desk_of(request), Filters.read(request.query_params), position(request)
    around = neighbours(items(desk, filters), item.page_id, at)
    here = at if around.here is None else around.here
    verdict = item.verdict
    context = {
        "item": item,
        "draft": draft,
        "around": around,
        "before": _address(desk, filters, around.before),
        "after": _address(desk, filters, around.after),
        "back": desk.url("/", filters.with_(page=page_of(here)).address()),
        "own": filters.address(at=here),
        "paragraphs": paragraphs(item.text, verdict.passages),
        "words": [(mask_quantities(word), effect) for word, effect in moving_words(verdict.passages)],
        "heads": _heads(item),
        "explained": explained(verdict.passages),
        "row": next(iter(desk.store.ledger(LedgerQuery(page_id=(item.page_id,), limit=1)).rows), None),
        **cluster_context(desk, item),
        "checks": desk.store.checks(item.page_id, MOST_CHECKS),
        "choices": CHOICES,
        "toast": toast_of(request),
        "progress": progress_of(desk.store),
        "place": "/",
    }
    return page(request, "item.html", context, status)


def _address(desk: Desk, filters: Filters, place: Place | None) -> str | None:
    return desk.url(f"/items/{place.page_id}", filters.address(at=place.at)) if place else None


def _heads(item: Item) -> list[tuple[str, list[tuple[str, float]]]]:
    verdict = item.verdict
    groups = (("Subject", verdict.subjects), ("Technique", verdict.techniques), ("Method", verdict.methods))
    return [
        (name, sorted(((label(key), p) for key, p in odds.items()), key=lambda pair: -pair[1]))
        for name, odds in groups
        if odds
    ]
