"""The item pipeline: an ending goes to the frontier and the sink, and is over when it is durable."""

from __future__ import annotations

from scrapy.crawler import Crawler
from scrapy.statscollectors import StatsCollector

from crawlers.crawl import RunningCrawl, crawl_of
from crawlers.endings import Ending
from events import PageFound


class SettlePipeline:
    """Settles endings; Scrapy keeps the request in progress meanwhile, which is the back-pressure.

    Parameters
    ----------
    crawl
        The running crawl.
    stats
        Counts ``guidewatch/pages`` and ``guidewatch/<outcome>``.
    """

    def __init__(self, crawl: RunningCrawl, stats: StatsCollector) -> None:
        self._crawl = crawl
        self._stats = stats

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> SettlePipeline:
        """Build it for the running crawl."""
        return cls(crawl_of(crawler), crawler.stats)

    async def process_item(self, item: Ending) -> Ending:
        """Settle ``item`` and count it."""
        await self._crawl.settle(item)
        outcome = "pages" if isinstance(item.event, PageFound) else item.event.outcome
        self._stats.inc_value(f"guidewatch/{outcome}")
        return item
