"""Asks servers for pages that earlier crawls have seen only if they have been modified (RFC 9110, 13.1)."""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler

from crawlers.crawl import RunningCrawl, crawl_of
from crawlers.identity import identify


class ConditionalMiddleware:
    """Sets If-None-Match and If-Modified-Since at each hop anew, since a redirect takes the headers along.

    Parameters
    ----------
    crawl
        Knows the visits of earlier crawls.
    """

    def __init__(self, crawl: RunningCrawl) -> None:
        self._crawl = crawl

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ConditionalMiddleware:
        """Build it for the running crawl."""
        return cls(crawl_of(crawler))

    def process_request(self, request: Request) -> None:
        """Set the conditions of a page, sitemap or feed."""
        row = request.meta.get("row")
        found = identify(request.url) if row is not None else None
        for name in ("If-None-Match", "If-Modified-Since"):
            request.headers.pop(name, None)
        if row is not None and found is not None:
            request.headers.update(self._crawl.conditions(found.page_id, row.depth))
