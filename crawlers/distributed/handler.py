"""The download handler of a spider among others: the last look before a packet leaves."""

from __future__ import annotations

import asyncio

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawlers.crawl import crawl_of
from crawlers.distributed.partition_crawl import PartitionCrawl
from crawlers.handler import GuardedDownloadHandler
from crawlers.identity import identify
from crawlers.outcomes import CrawlStoppedError

_LOOK_S = 0.1


class PoliteDownloadHandler(GuardedDownloadHandler):
    """Takes turns at hosts with the other crawls of the process, and asks nobody while the group may have moved on."""

    _crawl: PartitionCrawl

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> PoliteDownloadHandler:
        """Build it for the running crawl."""
        handler = super().from_crawler(crawler)
        crawl = crawl_of(crawler)
        if not isinstance(handler, cls) or not isinstance(crawl, PartitionCrawl):
            raise TypeError("this handler works for a share of a distributed crawl only")
        handler._crawl = crawl
        return handler

    async def download_request(self, request: Request) -> Response:
        """Fetch ``request`` when it is its host's turn.

        Raises
        ------
        GuardRefusedError
            The guard forbids the URL or an address behind it.
        CrawlStoppedError
            The crawl stopped first, or the partition went.
        """
        found = identify(request.url)
        host = found.host if found else request.url
        async with self._crawl.turns.turn(host, self._crawl.plan.delay_s, self._crawl.opens_at_s):
            while not self._crawl.may_fetch:
                if self._crawl.stopping:
                    raise CrawlStoppedError
                await asyncio.sleep(_LOOK_S)
            return await super().download_request(request)
