"""A Scrapy engine for one partition's share of a crawl: it runs until it is stopped, dry or not."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from scrapy.core.engine import ExecutionEngine
from scrapy.crawler import Crawler
from twisted.python.failure import Failure

from crawlers.distributed.partition_crawl import PartitionCrawl
from crawlers.distributed.redirects import HostPagesSpider
from crawlers.outcomes import CrawlStoppedError
from crawlers.plan import CrawlPlan
from crawlers.settings import settings_of

_REDIRECTS = "crawlers.middlewares.redirects.CountedRedirectMiddleware"
_HANDLER = "crawlers.distributed.handler.PoliteDownloadHandler"
_LOOK_S = 0.02
_CLOSING_S = 0.3


class Engine:
    """Runs one crawl.

    Parameters
    ----------
    crawl
        What is run.
    """

    def __init__(self, crawl: PartitionCrawl) -> None:
        self._crawl = crawl
        self._crawler = Crawler(HostPagesSpider, _settings(crawl.plan))
        self._work = asyncio.create_task(self._crawler.crawl_async(crawl=crawl))
        self._stop: asyncio.Task[None] | None = None

    def nudge(self) -> None:
        """Have the engine ask for the next request now, instead of at its next heartbeat."""
        engine = self._engine()
        slot = engine._slot if engine is not None else None
        if slot is not None and slot.closing is None:
            slot.nextcall.schedule()

    def check(self) -> None:
        """Raise what has ended the engine, if anything has.

        Raises
        ------
        Exception
            Whatever it was.
        """
        if self._work.done() and self._stop is None:
            self._work.result()
            raise RuntimeError("the engine of a crawl has ended by itself")

    async def stop(self, because: str, grace_s: float) -> None:
        """Fetch nothing new; return when nothing is under way, or after a while.

        Endings may still wait for their transaction then: see `end`.
        """
        crawl = self._crawl
        crawl.stop(because)
        for set_deadline in crawl.deadlines:
            set_deadline(grace_s)
        self._empty_slots()
        if self._stop is None:
            self._stop = asyncio.create_task(self._crawler.stop_async())
        until = time.monotonic() + grace_s + _CLOSING_S
        while time.monotonic() < until and (crawl.in_flight or self._being_read() > crawl.committing):
            await asyncio.sleep(_LOOK_S)

    async def end(self) -> None:
        """Wait a moment for what is being committed, then wait no longer."""
        await asyncio.wait([self._work], timeout=_CLOSING_S)
        tasks = [task for task in (self._stop, self._work) if task is not None]
        for task in tasks:
            task.cancel()
        over = asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.wait([over], timeout=_CLOSING_S)  # a task that does not let itself be cancelled holds nobody up
        await self._crawl.disconnect(_CLOSING_S)

    def _engine(self) -> ExecutionEngine | None:
        """Return Scrapy's engine, or None while there is none yet."""
        try:
            return self._crawler.engine
        except RuntimeError:
            return None

    def _being_read(self) -> int:
        engine = self._engine()
        slot = engine.scraper.slot if engine is not None else None
        return 0 if slot is None else len(slot.queue) + len(slot.active)

    def _empty_slots(self) -> None:
        """Fail the requests that wait for their host's delay: they have not been sent."""
        engine = self._engine()
        for slot in engine.downloader.slots.values() if engine is not None else ():
            while slot.queue:
                _, waiting = slot.queue.popleft()
                waiting.errback(Failure(CrawlStoppedError()))  # type: ignore[no-untyped-call]


def _settings(plan: CrawlPlan) -> dict[str, Any]:
    settings = settings_of(plan)
    middlewares = dict(settings["DOWNLOADER_MIDDLEWARES"])
    middlewares["crawlers.distributed.redirects.HostRedirectMiddleware"] = middlewares.pop(_REDIRECTS)
    handlers = {"http": _HANDLER, "https": _HANDLER}
    return {**settings, "DOWNLOADER_MIDDLEWARES": middlewares, "DOWNLOAD_HANDLERS": handlers}
