"""Handing out an item's real address, to those who ask twice."""

from __future__ import annotations

import logging

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dashboards.review.desk import page, visit_of
from dashboards.review.forms import own_form
from dashboards.review.item_page import wanted_item

_log = logging.getLogger(__name__)


def ask_address(request: Request) -> Response:
    """Ask whether the reader really wants the address."""
    return page(request, "address.html", {"item": wanted_item(request), "address": None})


async def give_address(request: Request) -> Response:
    """Show the address as text, for copying."""
    await own_form(request)
    item = await run_in_threadpool(wanted_item, request)
    _log.info("analyst %s took the address of page %s", visit_of(request).analyst, item.page_id)
    return page(request, "address.html", {"item": item, "address": item.url})
