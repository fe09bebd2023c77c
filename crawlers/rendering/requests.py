"""What a page that is being rendered may ask for: everything goes through the crawl's own guarded requests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from scrapy.http import Response

from crawlers.extraction.worker import Document

if TYPE_CHECKING:
    from playwright.async_api import Request, Route

logger = logging.getLogger(__name__)

Fetch = Callable[[str], Awaitable[Response]]
"""Fetches a URL as the crawl fetches pages: off-limits, robots.txt, guard, delay, size cap and evidence included."""

_WANTED = frozenset({"script", "xhr", "fetch"})
_MAX_REQUESTS = 40
_PASSED_ON = (
    "content-type",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-expose-headers",
    "x-content-type-options",
)


class PageRequests:
    """Answers the requests of one page.

    The page itself is what has been fetched already; it stays where it is. Of the rest only scripts and data are
    fetched, by GET.

    Parameters
    ----------
    document
        The page.
    fetch
        Fetches for it.
    max_bytes
        Most bytes of all answers together.
    """

    def __init__(self, document: Document, fetch: Fetch, max_bytes: int) -> None:
        self._document = document
        self._fetch = fetch
        self._bytes_left = max_bytes
        self._requests_left = _MAX_REQUESTS
        self._opened = False
        self._under_way = 0
        self._last_s = 0.0

    def quiet_s(self) -> float:
        """Return for how long nothing has been asked for or been under way, in seconds."""
        return 0.0 if self._under_way else asyncio.get_running_loop().time() - self._last_s

    async def answer(self, route: Route) -> None:
        """Answer a request of the browser, or turn it down."""
        from playwright.async_api import Error

        self._under_way += 1
        try:
            with contextlib.suppress(Error):  # the page is gone meanwhile
                await self._answer(route)
        finally:
            self._under_way -= 1
            self._last_s = asyncio.get_running_loop().time()

    async def _answer(self, route: Route) -> None:
        if not self._opened and route.request.is_navigation_request():
            self._opened = True
            kind = {"content-type": self._document.content_type or "text/html"}
            await route.fulfill(status=200, headers=kind, body=self._document.body)
            return
        if route.request.is_navigation_request():
            await route.fulfill(status=204)  # an error would put the browser's own page in place of this one
            return
        response = await self._fetched(route.request)
        if response is None:
            await route.abort("blockedbyclient")
            return
        named = {name: response.headers.get(name) for name in _PASSED_ON}
        headers = {name: value.decode("latin-1") for name, value in named.items() if value is not None}
        await route.fulfill(status=response.status, headers=headers, body=response.body)

    async def _fetched(self, request: Request) -> Response | None:
        if request.resource_type not in _WANTED or request.method != "GET" or self._requests_left <= 0:
            return None
        self._requests_left -= 1
        try:
            response = await self._fetch(request.url)
        except Exception as error:  # noqa: BLE001 the request's own edge: whatever it was, the page does without
            logger.debug("%s is not fetched for a page: %s", request.url[:200], type(error).__name__)
            return None
        self._bytes_left -= len(response.body)
        return response if self._bytes_left >= 0 else None
