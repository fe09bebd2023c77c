"""Drives one run of a crawl: fetches, watches for a stop, winds down in time."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Iterator

from scrapy.crawler import Crawler
from twisted.python.failure import Failure

from crawlers.crawl import RunningCrawl
from crawlers.frontier import Frontier, Kind
from crawlers.identity import to_link
from crawlers.leftovers import refuse_leftovers
from crawlers.options import RunOptions
from crawlers.outcomes import CrawlStoppedError
from crawlers.progress import PAGES, CrawlProgress
from crawlers.settings import settings_of
from crawlers.sink import PageSink, SinkUnavailableError
from crawlers.spiders.pages import PagesSpider

_TICK_S = 0.1
_PROGRESS_S = 0.5
_SINK_GRACE_S = 0.4
_CLOSING_S = 0.3


class Driver:
    """Drives Scrapy, the progress and the stop of one run.

    Parameters
    ----------
    crawl, frontier, sink
        What is driven.
    options
        How the run sits in its process.
    """

    def __init__(self, crawl: RunningCrawl, frontier: Frontier, sink: PageSink, options: RunOptions) -> None:
        self._crawl = crawl
        self._frontier = frontier
        self._sink = sink
        self._options = options
        self._began = time.monotonic()
        self._sink_is_silent = False
        self._crawler = Crawler(PagesSpider, settings_of(crawl.plan))

    async def to_the_end(self) -> None:
        """Fetch what may be fetched, refuse what is left over a budget, save, and flush the sink.

        Raises
        ------
        FrontierError
            The frontier cannot be read; where it fails while pages are fetched, the crawl has it as ``failure``.
        """
        with self._signals():
            try:
                if not self._crawl.was_ending:
                    await self._fetch()
                if not self._crawl.stopping and not self._crawl.unended:
                    await self._refuse()
            finally:
                self._crawl.save()
                self._report()
        await self._flush()

    async def _fetch(self) -> None:
        plan = self._crawl.plan
        sources = plan.source_seeds
        links = [to_link(seed, 0, kind=Kind.SOURCE if seed in sources else Kind.PAGE) for seed in plan.seeds]
        self._crawl.add([link for link in links if link is not None])
        work = asyncio.create_task(self._crawler.crawl_async(crawl=self._crawl))
        await self._watch(work)
        if not work.done():
            await self._wind_down(work)
        if work.done() and not work.cancelled():
            work.result()

    async def _refuse(self) -> None:
        """End what is left over the budgets; a stop leaves the rest for the next run."""
        if not self._crawl.was_ending and self._frontier.left(0, 1):
            self._frontier.begin_ending(self._crawl.crawl_id, "limit reached")
        work = asyncio.create_task(refuse_leftovers(self._crawl, self._frontier))
        await self._watch(work)
        await asyncio.wait([work], timeout=_CLOSING_S)
        self._crawl.abandon()
        await work

    async def _watch(self, work: asyncio.Task[None]) -> None:
        """Return when the crawl has ended by itself or is to stop."""
        ticks = 0
        while not work.done() and not self._crawl.stopping:
            await asyncio.wait([work], timeout=_TICK_S)
            if self._options.stop is not None and self._options.stop.is_set():
                self._crawl.stop("stopped")
            ticks += 1
            if ticks % round(_PROGRESS_S / _TICK_S) == 0:
                self._crawl.save()
                self._report()

    async def _wind_down(self, work: asyncio.Task[None]) -> None:
        """Let what is under way end, for a while, if its end can be noted; then leave it."""
        grace = 0.0 if self._crawl.failure is not None else self._crawl.plan.grace_s
        for set_deadline in self._crawl.deadlines:
            set_deadline(grace)
        self._empty_slots()
        stop = asyncio.create_task(self._crawler.stop_async())
        await asyncio.wait([work], timeout=grace + _SINK_GRACE_S)
        self._sink_is_silent = self._crawl.outstanding > 0
        self._crawl.abandon()
        await asyncio.wait([work], timeout=_CLOSING_S)
        for task in (stop, work):
            if not task.done():
                task.cancel()
        await self._crawl.disconnect(_CLOSING_S)

    def _empty_slots(self) -> None:
        """Fail the requests that wait for their host's delay: they have not been sent."""
        for slot in self._crawler.engine.downloader.slots.values():
            while slot.queue:
                _, waiting = slot.queue.popleft()
                waiting.errback(Failure(CrawlStoppedError()))  # type: ignore[no-untyped-call]

    async def _flush(self) -> None:
        """Give the sink a moment to settle what it has, off this thread: it may hang."""
        if self._sink_is_silent or (self._crawl.stopping or "").startswith("sink:"):
            return
        done = threading.Event()
        threading.Thread(target=_flush, args=(self._sink, done), daemon=True).start()
        limit = time.monotonic() + _CLOSING_S
        while not done.is_set() and time.monotonic() < limit:
            await asyncio.sleep(0.01)

    def _report(self) -> None:
        if self._options.on_progress is None:
            return
        crawl, elapsed = self._crawl, time.monotonic() - self._began
        self._options.on_progress(
            CrawlProgress(
                pages=crawl.outcomes[PAGES],
                outcomes=dict(crawl.outcomes),
                queued=crawl.queued,
                in_flight=crawl.in_flight,
                rate=crawl.ended_now / elapsed if elapsed else 0.0,
                elapsed_s=elapsed,
            )
        )

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        mine = self._options.handle_signals and threading.current_thread() is threading.main_thread()
        taken = (signal.SIGTERM, signal.SIGINT) if mine else ()
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in taken}
        for number in taken:
            loop.add_signal_handler(number, self._crawl.stop, number.name)
        try:
            yield
        finally:
            for number in taken:
                loop.remove_signal_handler(number)
                signal.signal(number, before[number])


def _flush(sink: PageSink, done: threading.Event) -> None:
    with contextlib.suppress(SinkUnavailableError):
        sink.flush()
    done.set()
