"""The Scrapy scheduler: rows become requests only when they are about to be fetched."""

from __future__ import annotations

from collections import deque
from typing import Any

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError

from crawlers.frontier import Row
from crawlers.spiders.pages import PagesSpider

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

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FrontierScheduler:
        """Build it for the spider of ``crawler``."""
        if not isinstance(crawler.spider, PagesSpider):
            raise UsageError("this scheduler works with the spider `pages` only")
        return cls(crawler.spider)

    def open(self, spider: Spider) -> None:
        """Nothing to open: the frontier is open before the spider."""

    def close(self, reason: str) -> None:  # noqa: ARG002 Scrapy's names
        """Drop what was to be continued; its rows go back into the queue with the frontier's closing."""
        self._continued.clear()

    def has_pending_requests(self) -> bool:
        """Return whether the crawl may go on."""
        return not self._crawl.stopping and (bool(self._continued) or self._crawl.has_next())

    def enqueue_request(self, request: Request) -> bool:
        """Take a redirect or retry of a request under way."""
        if self._crawl.stopping:
            return False
        self._continued.append(request)
        return True

    def next_request(self) -> Request | None:
        """Return the next request, or None for now."""
        if self._crawl.stopping:
            return None
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
