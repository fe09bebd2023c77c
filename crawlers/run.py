"""Run one crawl in this process, to an end that always comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import uvloop
from scrapy.crawler import Crawler
from twisted.python.failure import Failure

from crawlers.crawl import RunningCrawl
from crawlers.evidence import EvidenceError, WarcFiles
from crawlers.frontier import Frontier, FrontierError, State
from crawlers.guard.resolver import Lookup
from crawlers.identity import to_link
from crawlers.leftovers import refuse_leftovers
from crawlers.outcomes import CrawlStoppedError
from crawlers.plan import CrawlPlan
from crawlers.progress import PAGES, CrawlProgress, CrawlSummary, ProgressCallback
from crawlers.settings import settings_of
from crawlers.sink import PageSink, SinkUnavailableError
from crawlers.spiders.pages import PagesSpider

_TICK_S = 0.1
_PROGRESS_S = 0.5
_SINK_GRACE_S = 0.7
_CLOSING_S = 0.5
_LEFTOVERS_S = 3.0


class DataFolderError(Exception):
    """The data folder cannot be used; the message is one line for the user."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run sits in its process.

    Parameters
    ----------
    on_progress
        Called about twice a second, in the thread of `run_crawl`.
    stop
        When set, by whatever thread, the crawl stops as on SIGTERM.
    handle_signals
        Take SIGTERM and SIGINT for the time of the run; only possible in the main thread.
    clock
        Returns the time as aware UTC.
    lookup
        Name resolution; None for the system's.
    """

    on_progress: ProgressCallback | None = None
    stop: threading.Event | None = None
    handle_signals: bool = True
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    lookup: Lookup | None = None


def run_crawl(
    plan: CrawlPlan,
    sink: PageSink,
    *,
    on_progress: ProgressCallback | None = None,
    stop: threading.Event | None = None,
    options: RunOptions | None = None,
) -> CrawlSummary:
    """Crawl by ``plan`` until the frontier is dry, a limit is reached, or a stop.

    A crawl in the same data folder that has not ended is taken up again, under its own name, with the plan's seeds
    added. After a stop nothing new is fetched; what is under way has ``plan.grace_s`` seconds, then it is left for the
    next run. The sink is flushed, not closed.

    When the crawl ends by itself, URLs over a budget end as refused (``budget: pages``, ``budget: host``). What is not
    durable after 3 s of this is left, and the crawl is not finished: the next run refuses that first, then begins a
    new crawl. Links deeper than ``plan.max_depth`` are only counted, since there is no end to them.

    Parameters
    ----------
    plan
        What to crawl.
    sink
        Where events go.
    on_progress, stop
        Short for those of ``options``.
    options
        How the run sits in its process.

    Raises
    ------
    DataFolderError
        The data folder cannot be written to, or another crawl uses it.
    """
    options = options or RunOptions(on_progress=on_progress, stop=stop)
    began = time.monotonic()
    try:
        frontier = Frontier(plan.data_dir / "crawl" / "frontier.sqlite")
    except FrontierError as error:
        raise DataFolderError(str(error)) from error
    with contextlib.closing(frontier):
        crawl_id, resumed = frontier.open_crawl(plan.crawl_id, options.clock())
        crawl = _carry_out(plan, crawl_id, frontier, sink, options)
        if resumed and crawl.was_ending:
            summary = _close(crawl, frontier, resumed, began)
            if not summary.finished:
                return summary
            began = time.monotonic()
            crawl_id, resumed = frontier.open_crawl(plan.crawl_id, options.clock())
            crawl = _carry_out(plan, crawl_id, frontier, sink, options)
        return _close(crawl, frontier, resumed, began)


def _carry_out(plan: CrawlPlan, crawl_id: str, frontier: Frontier, sink: PageSink, options: RunOptions) -> RunningCrawl:
    """Run the crawl, or refuse what an earlier run of it has left."""
    try:
        evidence = _warc_files(plan, crawl_id, options.clock)
    except EvidenceError as error:
        raise DataFolderError(str(error)) from error
    with contextlib.closing(evidence):
        crawl = RunningCrawl(
            plan, frontier, sink, evidence, crawl_id=crawl_id, clock=options.clock, lookup=options.lookup
        )
        run = _Run(crawl, frontier, sink, options)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run.to_the_end())
    crawl.save()
    return crawl


def _warc_files(plan: CrawlPlan, crawl_id: str, clock: Callable[[], datetime]) -> WarcFiles:
    name = f"guidewatch-{clock():%Y%m%dT%H%M%S%f}-{os.getpid()}-{crawl_id[:12]}"
    return WarcFiles(plan.data_dir / "warc", name, software=plan.user_agent, clock=clock)


def _close(crawl: RunningCrawl, frontier: Frontier, resumed: bool, began: float) -> CrawlSummary:
    left, in_flight = frontier.count(State.QUEUED), frontier.count(State.IN_FLIGHT)
    because = crawl.stopping or frontier.ending(crawl.crawl_id) or "frontier dry"
    if crawl.unended and crawl.stopping is None:
        because = f"{crawl.unended} URLs came to no end"
    finished = crawl.stopping is None and not crawl.unended and not left + in_flight
    if finished:
        frontier.end_crawl(crawl.crawl_id, because, crawl.clock())
    elapsed = time.monotonic() - began
    return CrawlSummary(
        crawl_id=crawl.crawl_id,
        resumed=resumed,
        finished=finished,
        ended_because=because,
        pages=crawl.outcomes[PAGES],
        outcomes=dict(crawl.outcomes),
        reasons=dict(crawl.reasons),
        hosts=crawl.hosts,
        left_queued=left + in_flight,
        beyond_depth=crawl.beyond_depth,
        too_long=crawl.too_long,
        fetched=crawl.responses,
        rate=crawl.ended_now / elapsed if elapsed else 0.0,
        elapsed_s=elapsed,
    )


class _Run:
    """Drives Scrapy, the progress and the stop of one run."""

    def __init__(self, crawl: RunningCrawl, frontier: Frontier, sink: PageSink, options: RunOptions) -> None:
        self._crawl = crawl
        self._frontier = frontier
        self._sink = sink
        self._options = options
        self._began = time.monotonic()
        self._crawler = Crawler(PagesSpider, settings_of(crawl.plan))

    async def to_the_end(self) -> None:
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
        links = [to_link(seed, 0) for seed in self._crawl.plan.seeds]
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
        limit_s = None if self._crawl.was_ending else _LEFTOVERS_S
        work = asyncio.create_task(refuse_leftovers(self._crawl, self._frontier, limit_s=limit_s))
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
        """Let what is under way end, for a while; then leave it."""
        grace = self._crawl.plan.grace_s
        for set_deadline in self._crawl.deadlines:
            set_deadline(grace)
        self._empty_slots()
        stop = asyncio.create_task(self._crawler.stop_async())
        await asyncio.wait([work], timeout=grace + _SINK_GRACE_S)
        self._crawl.abandon()
        await asyncio.wait([work], timeout=_CLOSING_S)
        for task in (stop, work):
            if not task.done():
                task.cancel()

    def _empty_slots(self) -> None:
        """Fail the requests that wait for their host's delay: they have not been sent."""
        for slot in self._crawler.engine.downloader.slots.values():
            while slot.queue:
                _, waiting = slot.queue.popleft()
                waiting.errback(Failure(CrawlStoppedError()))  # type: ignore[no-untyped-call]

    async def _flush(self) -> None:
        """Give the sink a moment to settle what it has, off this thread: it may hang."""
        if self._crawl.stopping is not None and self._crawl.stopping.startswith("sink:"):
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
