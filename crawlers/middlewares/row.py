"""Nearest to the engine: last refusals before a row is fetched, its host's slot, and the release of its place."""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawlers.crawl import RunningCrawl, crawl_of
from crawlers.identity import identify
from crawlers.limits import MAX_URL_CHARS
from crawlers.outcomes import CrawlStoppedError, RefusedError


class RowMiddleware:
    """Sets the download slot to host and port, so that delay and concurrency are kept at redirects too.

    Parameters
    ----------
    crawl
        The running crawl.
    """

    def __init__(self, crawl: RunningCrawl) -> None:
        self._crawl = crawl

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RowMiddleware:
        """Build it for the running crawl."""
        return cls(crawl_of(crawler))

    def process_request(self, request: Request) -> None:
        """Refuse what has become unwanted since it was queued.

        Raises
        ------
        CrawlStoppedError
            Nothing new is fetched any more.
        RefusedError
            Off-limits, a trap, or a URL that cannot be used.
        """
        if self._crawl.stopping:
            raise CrawlStoppedError
        if request.meta.get("unusable"):
            raise RefusedError("malformed URL")
        if len(request.url) > MAX_URL_CHARS:
            raise RefusedError("url too long")
        if self._crawl.plan.off_limits.forbids(request.url):
            raise RefusedError("off-limits")
        row = request.meta.get("row")
        if row is not None and (reason := self._crawl.refusal(row)) is not None:
            raise RefusedError(reason)
        found = identify(request.url)
        request.meta["download_slot"] = found.host if found else request.url

    def process_response(self, request: Request, response: Response) -> Response:
        """Give the row's place to the next of its host."""
        self._release(request)
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:  # noqa: ARG002 Scrapy's names
        """Give the row's place to the next of its host."""
        self._release(request)

    def _release(self, request: Request) -> None:
        row = request.meta.get("row")
        if row is not None:
            self._crawl.release(row)
