"""The Scrapy scheduler: rows become requests only when they are about to be fetched."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError

from crawlers.frontier import Row
from crawlers.spiders.pages import PagesSpider

_LATE_S = 0.01
_UNUSABLE = "http://unusable.invalid/"


class FrontierScheduler(BaseScheduler):
    """Takes rows from the running crawl; redirects and retries under way are kept in memory, their rows stay in flight.

    Parameters
    ----------
    spider
        Has the running crawl, and the callbacks.
    """

    def __init__(self, spider: PagesSpider) -> None:
        self._parse = spider.parse
        self._fail = spider.fail
        self._crawl = spider.crawl
        self._continued: deque[Request] = deque()
        self._held: list[tuple[float, int, Request]] = []
        self._number = count()
        self._wake: Callable[[], None] = lambda: None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FrontierScheduler:
        """Build it for the spider of ``crawler``."""
        if not isinstance(crawler.spider, PagesSpider):
            raise UsageError("this scheduler works with the spider `pages` only")
        scheduler = cls(crawler.spider)
        scheduler._wake = lambda: _wake(crawler)
        return scheduler

    def open(self, spider: Spider) -> None:
        """Nothing to open: the frontier is open before the spider."""

    def close(self, reason: str) -> None:  # noqa: ARG002 Scrapy's names
        """Drop what was to be continued; its rows go back into the queue with the frontier's closing."""
        self._continued.clear()
        self._held.clear()

    def has_pending_requests(self) -> bool:
        """Return whether the crawl may go on."""
        return not self._crawl.stopping and (bool(self._continued) or bool(self._held) or self._crawl.has_next())

    def enqueue_request(self, request: Request) -> bool:
        """Take a redirect or retry of a request under way; hold it while its host is to be left alone."""
        if self._crawl.stopping:
            return False
        wait = self._crawl.manners.wait_s(request.meta.get("download_slot", ""))
        if wait > 0:
            loop = asyncio.get_running_loop()
            heapq.heappush(self._held, (loop.time() + wait, next(self._number), request))
            loop.call_later(wait + _LATE_S, self._wake)
        else:
            self._continued.append(request)
        return True

    def next_request(self) -> Request | None:
        """Return the next request, or None for now."""
        if self._crawl.stopping:
            return None
        if self._held and self._held[0][0] <= asyncio.get_running_loop().time():
            return heapq.heappop(self._held)[2]
        if self._continued:
            return self._continued.popleft()
        row = self._crawl.next_row()
        return None if row is None else self._request(row)

    def _request(self, row: Row) -> Request:
        try:
            return self._made(row.url, {"row": row})
        except ValueError:
            return self._made(_UNUSABLE, {"row": row, "unusable": True})

    def _made(self, url: str, meta: dict[str, Any]) -> Request:
        return Request(url, self._parse, errback=self._fail, meta=meta, dont_filter=True)


def _wake(crawler: Crawler) -> None:
    """Have the engine ask for the next request now, instead of at its next heartbeat."""
    slot = crawler.engine._slot if crawler.engine is not None else None
    if slot is not None and slot.closing is None:
        slot.nextcall.schedule()
