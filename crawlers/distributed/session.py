"""The fetching half of a spider, on the event loop: one crawl for each partition and crawl."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from crawlers.distributed.engine import Engine
from crawlers.distributed.partition_crawl import KnowingFrontier, PartitionCrawl
from crawlers.distributed.surroundings import Place, Surroundings
from crawlers.distributed.unit import Unit
from crawlers.distributed.verdicts import Judged
from crawlers.distributed.view import CrawlsView, allowance
from crawlers.plan import CrawlPlan, PlanError
from events import CrawlRequest, CrawlState, RequestDone

log = logging.getLogger(__name__)

REFUSED_AS = {"limit reached": "budget: pages"}
"""What is left ends as refused for this reason, or for the very reason why the crawl ends (``stopped``)."""

_SAVE_EVERY = 10
Result = TypeVar("Result")
Key = tuple[int, str]


@dataclass(frozen=True)
class _Share:
    crawl: PartitionCrawl
    frontier: KnowingFrontier
    engine: Engine | None


@dataclass(frozen=True)
class _Partition:
    place: Place
    marks: dict[str, list[RequestDone]]


class Session:
    """Everything that is fetched between joining the group and leaving it.

    Parameters
    ----------
    around
        What the crawls share.
    plan_of
        Makes a crawl's state into a plan.
    folder
        For the local frontiers; they are of no use to anybody later.
    grace_s
        How long a request may go on when its crawl stops or its partition goes.
    """

    def __init__(
        self, around: Surroundings, plan_of: Callable[[CrawlState], CrawlPlan], folder: Path, grace_s: float
    ) -> None:
        self._around = replace(around, has_room=lambda: self.under_way < self.concurrency)
        self._plan_of = plan_of
        self._folder = folder
        self._grace_s = grace_s
        self._loop = asyncio.get_running_loop()
        self._partitions: dict[int, _Partition] = {}
        self._shares: dict[Key, _Share] = {}
        self._states: dict[str, CrawlState] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._failure: Exception | None = None
        self._made = 0
        self._ticks = 0
        self.view = CrawlsView()
        self.concurrency = 16
        self.outcomes: Counter[str] = Counter()
        """Of the crawls that have ended here."""
        self._uncounted: list[PartitionCrawl] = []

    @property
    def ended(self) -> Counter[str]:
        """URLs that have ended, by outcome."""
        return sum((crawl.outcomes for crawl in self._uncounted), self.outcomes.copy())

    @property
    def under_way(self) -> int:
        """How many requests are under way in this process."""
        return sum(share.crawl.in_flight for share in self._shares.values())

    def opened(self, partition: int, epoch: int, marks: Sequence[RequestDone]) -> None:
        """Take up a partition."""
        by_crawl = defaultdict(list)
        for mark in marks:
            by_crawl[mark.crawl_id].append(mark)
        came = _Partition(Place(partition, epoch, time.monotonic()), dict(by_crawl))
        self._loop.call_soon_threadsafe(self._partitions.__setitem__, partition, came)

    def received(self, partition: int, epoch: int, requests: Sequence[tuple[int, CrawlRequest]]) -> None:
        """Queue requests."""
        self._soon(self._receive, partition, epoch, requests)

    def changed(self, state: CrawlState) -> None:
        """Heed a crawl's new state."""
        self._soon(self._change, state)

    def judged(self, verdicts: Sequence[Judged]) -> None:
        """Learn from the scores of pages."""
        self._soon(self._judge, verdicts)

    def closed(self, partition: int, *, lost: bool) -> Future[None]:
        """Stop a partition."""
        quiet: Future[None] = Future()
        self._loop.call_soon_threadsafe(self._close, partition, lost, quiet)
        return quiet

    def spent(self, partition: int) -> dict[str, int]:
        """Return fetches that count against the budgets, by crawl."""
        return {
            crawl_id: share.crawl.spent
            for (number, crawl_id), share in list(self._shares.items())
            if number == partition
        }

    def tick(self) -> None:
        """Do what time brings; to be called some twenty times a second.

        Raises
        ------
        Exception
            A crawl has ended by an error.
        """
        self._ticks += 1
        if self._failure is not None:
            raise self._failure
        for key, share in list(self._shares.items()):
            if share.engine is not None:
                share.engine.nudge()
            if self._ticks % _SAVE_EVERY == 0:
                share.crawl.save()
                self._check(share)
                self._refuse(key, share)

    async def stop(self, grace_s: float) -> None:
        """Stop all crawls and wait until nothing is under way."""
        await asyncio.gather(
            *(share.engine.stop("stopped", grace_s) for share in self._shares.values() if share.engine)
        )

    async def release(self) -> None:
        """Let go of everything."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), *self._leaving, return_exceptions=True)
        await asyncio.gather(*(self._drop(key) for key in list(self._shares)))

    def _soon(self, function: Callable[..., None], *values: Any) -> None:
        """Call a function on the event loop; where that fails, the next tick raises."""

        def call() -> None:
            try:
                function(*values)
            except Exception as error:  # noqa: BLE001 raised by the tick
                self._failure = error

        self._loop.call_soon_threadsafe(call)

    def _judge(self, verdicts: Sequence[Judged]) -> None:
        learning = [share.crawl for share in self._shares.values() if share.crawl.plan.focus != "off"]
        for crawl in learning:
            for verdict in verdicts:
                if verdict.crawl_id == crawl.crawl_id:
                    crawl.judged(verdict.page_id, verdict.score)

    def _receive(self, partition: int, epoch: int, requests: Sequence[tuple[int, CrawlRequest]]) -> None:
        here = self._partitions.get(partition)
        if here is None or here.place.epoch != epoch:
            return
        by_crawl = defaultdict(list)
        for entry in requests:
            by_crawl[entry[1].crawl_id].append(entry)
        for crawl_id, some in by_crawl.items():
            share = self._share(partition, here, self._states[crawl_id])
            if share is None:
                log.warning("crawl %s is over: %d requests for it came too late", crawl_id, len(some))
                self._around.put(Unit(partition, epoch, [offset for offset, _ in some]))
            else:
                share.crawl.receive(some)

    def _share(self, partition: int, here: _Partition, state: CrawlState) -> _Share | None:
        key = (partition, state.crawl_id)
        if state.phase == "ended":
            return None
        if (share := self._shares.get(key)) is not None:
            return share
        try:
            plan = self._plan_of(state)
        except PlanError as error:
            log.warning("crawl %s cannot be carried out: %s", state.crawl_id, error)
            return None
        self._made += 1
        frontier = KnowingFrontier(self._folder / f"{self._made}.sqlite")
        crawl = PartitionCrawl(plan, frontier, self._around, here.place)
        crawl.restore(here.marks.pop(state.crawl_id, []))
        crawl.allowance = lambda: self._allowance(state.crawl_id, plan.max_pages)
        self._uncounted.append(crawl)
        share = self._shares[key] = _Share(crawl, frontier, Engine(crawl) if state.phase == "running" else None)
        return share

    def _allowance(self, crawl_id: str, max_pages: int) -> int:
        """Return how many more pages may be taken here."""
        here = {number: share.crawl.spent for (number, one), share in self._shares.items() if one == crawl_id}
        said = {number: share.spent for number, share in self.view.shares(crawl_id)}
        return allowance(max_pages, here, said, len({progress.spider for progress in self.view.progress.values()}))

    def _change(self, state: CrawlState) -> None:
        self._states[state.crawl_id] = state
        for key, share in list(self._shares.items()):
            if key[1] != state.crawl_id:
                continue
            if state.phase == "ended":
                self._begin(key, self._drop(key))
            elif state.phase == "ending" and share.engine is not None and not share.crawl.stopping:
                self._begin(key, self._wind_up(share, state.because))

    async def _wind_up(self, share: _Share, because: str) -> None:
        if share.engine is not None:
            await share.engine.stop(because, self._grace_s)
            await share.engine.end()
        share.crawl.let_go()

    def _refuse(self, key: Key, share: _Share) -> None:
        """Refuse what is not fetched: all when the crawl ends, else what budgets or verdicts leave no place for."""
        state = self._states[key[1]]
        if key in self._tasks and not self._tasks[key].done():
            return
        if state.phase == "ending" and share.crawl.open:
            self._begin(key, share.crawl.refuse_rest(REFUSED_AS.get(state.because, state.because)))
        elif state.phase == "running" and share.crawl.is_stuck:
            self._begin(key, share.crawl.refuse_rest())

    def _check(self, share: _Share) -> None:
        if share.crawl.failure is not None:
            raise share.crawl.failure
        if (share.crawl.stopping or "").startswith("evidence: "):
            raise OSError(share.crawl.stopping)
        if share.engine is not None:
            share.engine.check()

    def _begin(self, key: Key, work: Coroutine[Any, Any, None]) -> None:
        before = self._tasks.get(key)

        async def then() -> None:
            if before is not None:
                await asyncio.wait([before])
            try:
                await work
            except Exception as error:  # noqa: BLE001 raised by the tick
                self._failure = error

        self._tasks[key] = asyncio.create_task(then())

    def _close(self, partition: int, lost: bool, quiet: Future[None]) -> None:
        """Take a partition's crawls out at once, since it may come again before they have ended."""
        self._partitions.pop(partition, None)
        going = [self._shares.pop(key) for key in list(self._shares) if key[0] == partition]
        for share in going if lost else ():
            share.crawl.abandon()
        task = asyncio.create_task(self._go(going, 0.0 if lost else self._grace_s, quiet))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _go(self, going: Sequence[_Share], grace_s: float, quiet: Future[None]) -> None:
        engines = [share.engine for share in going if share.engine is not None]
        try:
            await asyncio.gather(*(engine.stop("moved", grace_s) for engine in engines))
        finally:
            quiet.set_result(None)
        await asyncio.gather(*map(self._end, going))

    async def _drop(self, key: Key) -> None:
        share = self._shares.pop(key, None)
        if share is not None:
            await self._end(share)

    async def _end(self, share: _Share) -> None:
        if share.engine is not None:
            if not share.crawl.stopping:
                await share.engine.stop("over", self._grace_s)
            await share.engine.end()
        share.crawl.abandon()
        self._uncounted.remove(share.crawl)
        self.outcomes.update(share.crawl.outcomes)
        share.frontier.close()
