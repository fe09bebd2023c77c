"""URLs over a budget are refused when the crawl ends, and none vanishes."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

import crawlers.leftovers
from crawlers.frontier import Frontier, State
from crawlers.plan import CrawlPlan
from crawlers.run import run_crawl
from events import PageFound, UrlEnded
from tests.integration.crawlers.sinks import ListSink
from tests.integration.crawlers.site import Answer, Site, html

Start = Callable[..., Site]
Plan = Callable[..., CrawlPlan]


def star(path: str) -> Answer:
    return html(f"the page {path}", *(f"/{n}" for n in range(30)))


class DeafSink(ListSink):
    """Answers for pages and ``good`` other events; not for the rest."""

    def __init__(self, good: int = 0) -> None:
        super().__init__()
        self._good = good
        self.left_waiting = threading.Event()

    def put(self, event: PageFound | UrlEnded) -> Future[None]:
        if isinstance(event, UrlEnded):
            self._good -= 1
            if self._good < 0:
                self.left_waiting.set()
                return Future()
        return super().put(event)


class SteadySink(ListSink):
    """Settles up to 32 events at a time, each time after a pause, and waits a moment to fill them: as a store does."""

    def __init__(self, pause_s: float) -> None:
        super().__init__()
        self.batches: list[list[PageFound | UrlEnded]] = []
        self._pause_s = pause_s
        self._queue: queue.Queue[tuple[PageFound | UrlEnded, Future[None]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def put(self, event: PageFound | UrlEnded) -> Future[None]:
        future: Future[None] = Future()
        self._queue.put((event, future))
        return future

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            with contextlib.suppress(queue.Empty):
                while len(batch) < 32 and (following := self._queue.get(timeout=0.25)) is not None:
                    batch.append(following)
            time.sleep(self._pause_s)
            self.batches.append([event for event, _ in batch])
            for event, future in batch:
                super().put(event)
                future.set_result(None)


def test_urls_over_the_page_limit_are_refused(start_site: Start, plan_for: Plan) -> None:
    site, sink = start_site({}, fallback=star), ListSink()
    summary = run_crawl(plan_for(site, max_pages=7), sink)
    assert Counter(sink.outcomes().values()) == {"page": 7, "refused: budget: pages": 24}
    assert summary.reasons == {"refused: budget: pages": 24}
    assert summary.outcomes == {"page": 7, "refused": 24}
    assert (summary.ended_because, summary.finished, summary.left_queued) == ("limit reached", True, 0)
    assert len({event.id for event in sink.events}) == 31


def test_urls_over_the_limit_of_their_host_are_refused(start_site: Start, plan_for: Plan) -> None:
    site, other, sink = start_site({}, fallback=star), start_site({"/": html("alone")}), ListSink()
    summary = run_crawl(plan_for(site, other, max_pages_per_host=4), sink)
    assert summary.reasons == {"refused: budget: host": 27}
    assert {event.host for event in sink.events if isinstance(event, UrlEnded)} == {site.key}
    assert (summary.ended_because, summary.finished, summary.pages) == ("limit reached", True, 5)


def test_what_a_silent_sink_cuts_off_is_refused_by_the_next_run_which_fetches_nothing(
    start_site: Start, plan_for: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crawlers.leftovers, "_BATCH", 10)
    monkeypatch.setattr(crawlers.leftovers, "_ANSWER_S", 1.0)
    site, deaf = start_site({}, fallback=star), DeafSink(good=10)
    summary = run_crawl(plan_for(site, max_pages=7), deaf)
    assert (summary.finished, summary.left_queued, summary.ended_because) == (False, 14, "limit reached")
    asked = len(site.asked())

    sink = ListSink()
    summary = run_crawl(plan_for(site, crawl_id="next", max_pages=7), sink)
    assert len(sink.events) == 14
    assert {event.crawl_id for event in sink.events} == {"test"}
    assert {event.reason for event in sink.events if isinstance(event, UrlEnded)} == {"budget: pages"}
    assert {event.url for event in sink.events}.isdisjoint(event.url for event in deaf.events)
    assert (summary.crawl_id, summary.resumed, summary.finished) == ("test", True, True)
    assert summary.outcomes == {"page": 7, "refused": 24}
    assert len(site.asked()) == asked


def test_thousands_of_leftovers_are_refused_however_slow_the_sink(start_site: Start, plan_for: Plan) -> None:
    links = [f"/{n}" for n in range(5_000)]
    site, sink = start_site({"/": html("start", *links)}), SteadySink(pause_s=0.04)
    summary = run_crawl(plan_for(site, max_pages=1), sink)
    sink.close()
    assert (summary.finished, summary.ended_because, summary.left_queued) == (True, "limit reached", 0)
    assert summary.outcomes == {"page": 1, "refused": 5_000}
    assert Counter(sink.outcomes().values()) == {"page": 1, "refused: budget: pages": 5_000}
    assert sum(summary.outcomes.values()) == sum(map(len, sink.batches)) == 5_001


def test_a_stop_while_leftovers_are_refused_leaves_the_rest(start_site: Start, plan_for: Plan, tmp_path: Path) -> None:
    site, deaf, stop = start_site({}, fallback=star), DeafSink(), threading.Event()

    def stop_then() -> None:
        deaf.left_waiting.wait(10)
        stop.set()

    threading.Thread(target=stop_then).start()
    summary = run_crawl(plan_for(site, max_pages=7), deaf, stop=stop)
    assert (summary.finished, summary.ended_because, summary.left_queued) == (False, "stopped", 24)
    frontier = Frontier(tmp_path / "data" / "crawl" / "frontier.sqlite")
    assert frontier.count(State.QUEUED) == 24
    frontier.close()
