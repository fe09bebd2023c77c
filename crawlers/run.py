"""Run one crawl in this process, to an end that always comes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import uvloop

from crawlers.collecting import sparing_what_stays
from crawlers.crawl import RunningCrawl
from crawlers.driver import Driver
from crawlers.evidence import EvidenceError, WarcFiles
from crawlers.frontier import Frontier, FrontierError, FrontierFailedError, State
from crawlers.history import History
from crawlers.options import RunOptions
from crawlers.plan import CrawlPlan
from crawlers.progress import PAGES, CrawlSummary, ProgressCallback
from crawlers.sink import PageSink


class DataFolderError(Exception):
    """The data folder cannot be used; the message is one line for the user."""


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

    When the crawl ends by itself, URLs over a budget end as refused (``budget: pages``, ``budget: host``). Where a stop
    or a silent sink cuts this off, the crawl is not finished, and the next run only refuses the rest. Links deeper than
    ``plan.max_depth`` are only counted, since there is no end to them.

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
    FrontierFailedError
        The frontier is damaged, or its disk full or failing. What was not settled is fetched again by the next run.
    """
    options = options or RunOptions(on_progress=on_progress, stop=stop)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        try:
            frontier = stack.enter_context(contextlib.closing(Frontier(_folder(plan) / f"{plan.frontier}.sqlite")))
            history = stack.enter_context(contextlib.closing(History(_folder(plan) / "history.sqlite")))
        except FrontierFailedError:
            raise
        except FrontierError as error:
            raise DataFolderError(str(error)) from error
        crawl_id, resumed = frontier.open_crawl(plan.crawl_id, options.clock())
        crawl = _carry_out(plan, crawl_id, _Memory(frontier, history), sink, options)
        return _close(crawl, frontier, resumed, began)


class _Memory(NamedTuple):
    """What is left to do, and what was done before."""

    frontier: Frontier
    history: History


def _folder(plan: CrawlPlan) -> Path:
    return plan.data_dir / "crawl"


def _carry_out(plan: CrawlPlan, crawl_id: str, memory: _Memory, sink: PageSink, options: RunOptions) -> RunningCrawl:
    """Run the crawl, or refuse what an earlier run of it has left."""
    try:
        evidence = _warc_files(plan, crawl_id, options.clock)
    except EvidenceError as error:
        raise DataFolderError(str(error)) from error
    with contextlib.closing(evidence):
        crawl = RunningCrawl(
            plan,
            memory.frontier,
            sink,
            evidence,
            crawl_id=crawl_id,
            clock=options.clock,
            lookup=options.lookup,
            history=memory.history,
        )
        driver = Driver(crawl, memory.frontier, sink, options)
        with (
            sparing_what_stays(),
            contextlib.closing(crawl.documents),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(driver.to_the_end())
    crawl.save()
    if crawl.failure is not None:
        raise crawl.failure
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
        not_due=crawl.revisits.left,
        fetched=crawl.responses,
        harvest=crawl.harvest,
        rate=crawl.ended_now / elapsed if elapsed else 0.0,
        elapsed_s=elapsed,
    )
