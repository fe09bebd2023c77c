"""Short notices after a decision, and how far the review has come."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request

from dashboards.labels import label
from dashboards.review.desk import desk_of
from dashboards.review.filters import Filters
from events import DECISIONS
from storage.port import ItemQuery, LedgerQuery, Store

_PAGE_ID = re.compile(r"^[0-9a-f]{32}$")


def toast_of(request: Request, path: str = "/items") -> dict[str, Any] | None:
    """Return the notice that the address asks for: which decision was recorded, on how many pages, and where that is.

    ``path`` is where such pages stand.
    """
    decision, was = request.query_params.get("recorded", ""), request.query_params.get("was", "")
    if decision not in DECISIONS or not _PAGE_ID.match(was):
        return None
    filters = Filters.read(request.query_params).with_(decision=())
    pages = request.query_params.get("pages", "")
    number = int(pages) if pages.isascii() and pages.isdigit() and len(pages) < 9 else 1
    return {
        "decision": label(decision),
        "pages": number,
        "address": desk_of(request).url(f"{path}/{was}", filters.address()),
    }


def progress_of(store: Store) -> dict[str, Any]:
    """Return how many items there are, how many have a decision, and how many pages wait in the second queue."""
    counted = {bucket.value: bucket.count for bucket in store.counts("decision", ItemQuery())}
    total = sum(counted.values())
    waiting = store.ledger(LedgerQuery(worth_a_look=True, reviewed=False, limit=0)).total
    return {"total": total, "decided": total - counted.get("open", 0), "worth_a_look": waiting}
