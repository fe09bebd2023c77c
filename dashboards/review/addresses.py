"""Handing out a page's real address, to those who ask twice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dashboards.review.desk import page, visit_of
from dashboards.review.forms import own_form
from dashboards.review.item_page import wanted_item
from dashboards.review.worth_a_look import PATH, wanted_row

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Wanted:
    """The page that is asked for: its address, and where and as what it stands in this app."""

    page_id: str
    url: str
    path: str
    kind: str


def ask_item_address(request: Request) -> Response:
    """Ask whether the reader really wants the address of an item."""
    return _ask(request, _item)


async def give_item_address(request: Request) -> Response:
    """Show the address of an item as text, for copying."""
    return await _give(request, _item)


def ask_row_address(request: Request) -> Response:
    """Ask whether the reader really wants the address of a page in the second queue."""
    return _ask(request, _row)


async def give_row_address(request: Request) -> Response:
    """Show the address of a page in the second queue as text, for copying."""
    return await _give(request, _row)


def _item(request: Request) -> _Wanted:
    item = wanted_item(request)
    return _Wanted(item.page_id, item.url, f"/items/{item.page_id}", "item")


def _row(request: Request) -> _Wanted:
    row = wanted_row(request)
    return _Wanted(row.page_id, row.url, f"{PATH}/{row.page_id}", "page")


def _ask(request: Request, find: Callable[[Request], _Wanted]) -> Response:
    wanted = find(request)
    return page(request, "address.html", {"path": wanted.path, "kind": wanted.kind, "address": None})


async def _give(request: Request, find: Callable[[Request], _Wanted]) -> Response:
    await own_form(request)
    wanted = await run_in_threadpool(find, request)
    _log.info("analyst %s took the address of page %s", visit_of(request).analyst, wanted.page_id)
    return page(request, "address.html", {"path": wanted.path, "kind": wanted.kind, "address": wanted.url})
