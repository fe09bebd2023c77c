"""The second queue: pages that are not flagged, yet score too high to pass over. Each has a ledger row, and no text."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dashboards.review.desk import Desk, desk_of, page
from dashboards.review.draft import CHOICES, Draft
from dashboards.review.filters import MAX_PAGE, PAGE_SIZE
from dashboards.review.neighbours import Listing, Part, Place, neighbours
from dashboards.review.paging import page_of, pages, position
from dashboards.review.toasts import progress_of, toast_of
from events import host_key
from storage.port import LedgerQuery, LedgerRow

PATH = "/worth-a-look"


@dataclass(frozen=True)
class Queue:
    """One view of the queue: what nobody has reviewed, or what somebody has."""

    reviewed: bool = False
    page: int = 1

    @classmethod
    def read(cls, params: QueryParams) -> Queue:
        """Return the view in an address; what cannot be understood is left out."""
        given = params.get("page", "")
        number = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 1
        return cls(reviewed=params.get("reviewed") == "yes", page=min(MAX_PAGE, max(1, number)))

    def query(self, offset: int, limit: int) -> LedgerQuery:
        """Return the query for the store, highest score first."""
        return LedgerQuery(worth_a_look=True, reviewed=self.reviewed, sort="score", offset=offset, limit=limit)

    def address(self, **extra: object) -> str:
        """Return the query string, with other fields after it."""
        own = {"reviewed": "yes"} if self.reviewed else {}
        return urlencode(own | {name: str(value) for name, value in extra.items()})


@dataclass(frozen=True)
class Entry:
    """A row of the queue; ``parent`` is the host that led to it, empty where it is a seed or on the same host."""

    row: LedgerRow
    address: str
    parent: str


def queue_page(request: Request) -> Response:
    """Show one page of the queue."""
    desk, queue = desk_of(request), Queue.read(request.query_params)
    offset = (queue.page - 1) * PAGE_SIZE
    found = desk.store.ledger(queue.query(offset, PAGE_SIZE))
    progress = progress_of(desk.store)
    other = found.total if queue.reviewed else desk.store.ledger(Queue(reviewed=True).query(0, 0)).total
    context = {
        "queue": queue,
        "entries": [_entry(desk, queue, row, offset + index) for index, row in enumerate(found.rows)],
        "states": [
            ("To review", progress["worth_a_look"], desk.url(PATH), not queue.reviewed),
            ("Reviewed", other, desk.url(PATH, Queue(reviewed=True).address()), queue.reviewed),
        ],
        "pages": pages(lambda number: desk.url(PATH, queue.address(page=number)), queue.page, found.total),
        "toast": toast_of(request, PATH),
        "progress": progress,
        "place": PATH,
    }
    return page(request, "worth_a_look.html", context)


def row_page(request: Request) -> Response:
    """Show one row of the queue, with the form of the decision."""
    return show_row(request, wanted_row(request), Draft())


def wanted_row(request: Request) -> LedgerRow:
    """Return the row in the address.

    Raises
    ------
    HTTPException
        404 if there is none, or if it does not belong to the queue.
    """
    desk = desk_of(request)
    found = desk.store.ledger(LedgerQuery(page_id=(request.path_params["page_id"],), worth_a_look=True, limit=1))
    if not found.rows:
        raise HTTPException(404, "There is no such page in this queue. It may have been judged again and left it.")
    return desk.recent.over_row(found.rows[0])


def show_row(request: Request, row: LedgerRow, draft: Draft, status: int = 200) -> Response:
    """Return the page of a row with this form."""
    desk, queue, at = desk_of(request), Queue.read(request.query_params), position(request)
    around = neighbours(rows(desk, queue), row.page_id, at)
    here = at if around.here is None else around.here
    context = {
        "row": row,
        "entry": _entry(desk, queue, row, here),
        "draft": draft,
        "choices": CHOICES,
        "around": around,
        "before": _address(desk, queue, around.before),
        "after": _address(desk, queue, around.after),
        "back": desk.url(PATH, queue.address(**({"page": page_of(here)} if here >= PAGE_SIZE else {}))),
        "own": queue.address(at=here),
        "toast": toast_of(request, PATH),
        "progress": progress_of(desk.store),
        "place": PATH,
    }
    return page(request, "row.html", context, status)


def rows(desk: Desk, queue: Queue) -> Listing:
    """Return the rows of this view of the queue as a list to walk in."""

    def part(offset: int, limit: int) -> Part:
        found = desk.store.ledger(queue.query(offset, limit))
        entries = [(row.page_id, desk.recent.over_row(row).reviewed_at is None) for row in found.rows]
        return Part(entries, found.total)

    return part


def _entry(desk: Desk, queue: Queue, row: LedgerRow, at: int) -> Entry:
    return Entry(
        row=desk.recent.over_row(row),
        address=desk.url(f"{PATH}/{row.page_id}", queue.address(at=at)),
        parent=_parent(row),
    )


def _parent(row: LedgerRow) -> str:
    try:
        host = host_key(row.parent_url) if row.parent_url else row.host
    except ValueError:
        return ""
    return host if host != row.host else ""


def _address(desk: Desk, queue: Queue, place: Place | None) -> str | None:
    return desk.url(f"{PATH}/{place.page_id}", queue.address(at=place.at)) if place else None
