"""The state of one running crawl, shared by the Scrapy components: what to fetch next, and how each URL ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError

from crawlers.deciding import Decisions, Ended, outcome_of
from crawlers.endings import Ending
from crawlers.evidence import DurableEvidence, EvidenceError, WarcFiles
from crawlers.extraction.process import ExtractionProcess
from crawlers.focus import OF_CONCERN
from crawlers.frontier import Frontier, FrontierError, Kind, Link, Row
from crawlers.frontier.traps import Traps
from crawlers.guard import AddressPolicy
from crawlers.guard.resolver import Lookup
from crawlers.history import Bounds, History, NoHistory
from crawlers.history.revisits import Revisits
from crawlers.manners import Manners
from crawlers.outbox import AbandonedError, Outbox
from crawlers.plan import CrawlPlan
from crawlers.reading import Reader
from crawlers.sink import PageSink, SinkUnavailableError
from crawlers.turns import turns_of
from events import PageFound, UrlEnded

_MAX_SOURCES_PER_HOST = 50
_MAX_WAITING_CHARS = 16_000_000
"""Texts in memory that wait to be judged and stored: many pages in a row may be dear to judge."""
_AHEAD = 4
"""A young focused crawl has so many times as many URLs that have not ended as it has requests at once."""
_AHEAD_OF_ENDED = 8
"""An older one has one for so many that have ended: the more it has learned, the less the next verdict changes."""


class RunningCrawl:
    """One crawl from start to end, in one thread.

    Parameters
    ----------
    plan, frontier, sink, evidence
        What to do, with what.
    crawl_id
        The crawl's name, which is not the plan's where an earlier crawl is resumed.
    clock
        Returns the time as aware UTC.
    lookup
        Name resolution, for tests; None for the system's.
    history
        What earlier crawls have seen; None where nothing is remembered.
    """

    def __init__(
        self,
        plan: CrawlPlan,
        frontier: Frontier,
        sink: PageSink,
        evidence: WarcFiles,
        *,
        crawl_id: str,
        clock: Callable[[], datetime],
        lookup: Lookup | None = None,
        history: History | None = None,
    ) -> None:
        self.plan = plan
        self.crawl_id = crawl_id
        self.evidence = evidence
        self.clock = clock
        self.lookup = lookup
        self.policy = AddressPolicy(plan.allow_private, public=bool(plan.contact), ports=plan.ports)
        self.manners = Manners(plan.delay_s)
        self.revisits = Revisits(
            history or NoHistory(),
            Bounds(plan.revisit_min_s, plan.revisit_max_s),
            max_depth=plan.max_depth,
            due_only=plan.due_only,
            clock=clock,
        )
        self.reader = Reader(
            crawl_id,
            max_bytes=plan.max_bytes,
            max_depth=plan.max_depth,
            knows=frontier.knows,
            focused=plan.focus != "off",
            revisits=self.revisits,
        )
        self.documents = ExtractionProcess()
        self.was_ending = frontier.ending(crawl_id) is not None
        self.stopping: str | None = None
        self.failure: FrontierError | None = None
        self.deadlines: list[Callable[[float], None]] = [self.documents.stop_within]
        self.connections: list[Callable[[], Awaitable[None]]] = []
        """Close what the download handlers have open; each may be called again."""
        self.responses = 0
        self.beyond_depth = 0
        self.too_long = 0
        self.ended_now = 0
        self.outcomes = Counter(frontier.outcomes())
        self.reasons: Counter[str] = Counter()
        self._frontier = frontier
        self._outbox = Outbox(sink)
        self._durable = DurableEvidence(evidence)
        self._traps = Traps(counts=frontier.shapes(), year=clock().year)
        self._under_way: set[int] = set()
        self._open: set[int] = set()
        self._sources: Counter[str] = Counter()
        self._refused = 0
        self._judged = 0
        self._of_concern = 0
        self._focus, self._rotation = turns_of(plan, frontier)
        self._decisions = Decisions(
            frontier,
            self._rotation,
            self.reader,
            traps=self._traps,
            revisits=self.revisits,
            focus=self._focus,
            add=lambda links, parent: self.add(links, parent),
        )
        for host, count in frontier.spent_by_host().items():
            self._rotation.spend(host, count)
        for host, count in frontier.queued_by_host().items():
            self._rotation.add(host, count)

    @property
    def outstanding(self) -> int:
        """How many events wait to become durable."""
        return len(self._outbox)

    @property
    def unended(self) -> int:
        """How many URLs were taken and have not ended."""
        return len(self._open)

    @property
    def queued(self) -> int:
        """How many URLs wait to be fetched."""
        return max(0, self._rotation.queued - self._refused)

    @property
    def in_flight(self) -> int:
        """How many URLs are being fetched."""
        return self._rotation.active

    @property
    def harvest(self) -> float | None:
        """Share of the judged pages that scored 0.5 or more; None where the sink returns no scores."""
        return self._of_concern / self._judged if self._judged else None

    @property
    def hosts(self) -> int:
        """How many hosts the crawl knows in this run."""
        return self._rotation.hosts

    def add(self, links: Iterable[Link], parent: int | None = None) -> list[Link]:
        """Queue the links that are new and within depth and source limits; return those."""
        kept = []
        for link in links if parent is None else self.revisits.wanted(links):
            if link.kind is Kind.SOURCE:
                if self._frontier.knows(link.page_id) or self._sources[link.host] >= _MAX_SOURCES_PER_HOST:
                    continue
                self._sources[link.host] += 1
            kept.append(link)
        if self._focus is not None:
            return self._focus.enqueue(kept, parent)
        new = self._frontier.add(kept, parent)
        for host, count in Counter(link.host for link in new).items():
            self._rotation.add(host, count)
        return new

    def next_row(self) -> Row | None:
        """Return the next row to fetch, or None for now.

        A focused crawl starts slowly and runs ahead of the verdicts by a share of those it has, so that they count.
        """
        if self.stopping or self.unended >= self._most_unended() or self._outbox.chars > _MAX_WAITING_CHARS:
            return None
        try:
            row = self._rotation.take()
        except FrontierError as error:
            self.fail(error)
            return None
        if row is not None:
            self._under_way.add(row.id)
            self._open.add(row.id)
        return row

    def _most_unended(self) -> int:
        """Return how many URLs may be under way, or wait to be read, judged and stored."""
        fetching = self.plan.concurrency
        most = max(self.plan.max_unended, 2 * fetching)
        if self._focus is None:
            return most
        young = min(max(fetching, self.ended_now // 4), _AHEAD * fetching)
        return min(max(young, self.ended_now // _AHEAD_OF_ENDED), most)

    def has_next(self) -> bool:
        """Return whether anything is left that this crawl may still fetch."""
        return not self.stopping and self._rotation.has_next()

    def refusal(self, row: Row) -> str | None:
        """Return why ``row`` shall not be fetched after all, or None."""
        return self._traps.refusal(row.host, row.url)

    def conditions(self, page_id: str, depth: int) -> dict[str, str]:
        """Return the headers that ask for a page only if it is not the one that an earlier crawl has seen."""
        try:
            return self.revisits.conditions(page_id, depth)
        except FrontierError as error:
            self.fail(error)
            return {}

    def release(self, row: Row) -> None:
        """Note that the request of ``row`` is over; its host may be asked again."""
        if row.id in self._under_way:
            self._under_way.discard(row.id)
            self._rotation.release(row.host)

    def stop(self, because: str) -> None:
        """Fetch nothing new from now on."""
        if self.stopping is None:
            self.stopping = because

    def fail(self, error: FrontierError) -> None:
        """Stop, since the frontier cannot be read or written; nothing can be settled any more."""
        self.failure = self.failure or error
        self.stop(f"frontier: {error}")

    def abandon(self) -> None:
        """Wait no longer for the sink: what is not durable is left for the next run."""
        self._outbox.abandon()

    def save(self) -> None:
        """Commit the frontier; where that is not possible, stop."""
        if self.failure is not None:
            return
        try:
            self.revisits.commit()
            self._frontier.save_shapes(self._traps.changed())
            self._frontier.commit()
        except FrontierError as error:
            self.fail(error)

    def judged(self, page_id: str, score: float) -> None:
        """Take in the score of a page of this crawl that was read some time ago, where the sink does not return it."""
        if self._focus is None or self.failure is not None:
            return
        try:
            self._focus.judged(page_id, score)
        except FrontierError as error:
            self.fail(error)

    async def disconnect(self, within_s: float) -> None:
        """Close the connections that are open, where the engine was cut off before it could."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(close() for close in self.connections))

    async def settle(self, ending: Ending) -> None:
        """Bring a row to its end: links into the frontier, events into the sink, and when they are durable, done."""
        self.release(ending.row)
        if self.failure is not None:
            return
        self.beyond_depth += ending.beyond_depth
        self.too_long += ending.too_long
        try:
            ended = self._decisions.on(ending)
        except FrontierError as error:
            self.fail(error)
            return
        if await self._delivered(ended):
            self._open.discard(ending.row.id)
            self.ended_now += len(ended)
            self._remember(ending, ended)

    def _remember(self, ending: Ending, ended: Sequence[Ended]) -> None:
        """Note the visit of a page that has ended."""
        event = next((event for _, event, _ in ended if event.page_id == ending.event.page_id), None)
        if event is None or self.failure is not None:
            return
        try:
            self.revisits.take_in(event, ending.seen)
        except FrontierError as error:
            self.fail(error)

    def _doubt(self, rows: Sequence[Row]) -> None:
        try:
            self.revisits.doubt(row.page_id for row in rows)
        except FrontierError as error:
            self.fail(error)

    async def refuse(self, rows: Sequence[Row]) -> None:
        """End rows that were never fetched: their host's budget is spent, or that of the crawl."""
        at = self.clock()
        ended: list[Ended] = []
        for row in rows:
            reason = self._left_for(row.host)
            ended.append((row, self.reader.ended(row, outcome="refused", reason=reason, url=row.url, at=at), False))
        if await self._delivered(ended):
            self._refused += len(ended)
            self._doubt(rows)

    async def _delivered(self, ended: Sequence[Ended]) -> bool:
        """Put the events into the sink once their evidence is on the disk; when they are durable, mark their rows."""
        try:
            if any(event.evidence is not None for _, event, _ in ended):
                await self._durable.wait()
            scores = await self._outbox.put([event for _, event, _ in ended])
        except AbandonedError:
            return False
        except SinkUnavailableError as error:
            self.stop(f"sink: {error}")
            return False
        except EvidenceError as error:
            self.stop(f"evidence: {error}")
            return False
        try:
            self._frontier.finish([(row.id, outcome_of(event), counts) for row, event, counts in ended])
            self._take_in(ended, scores)
        except FrontierError as error:
            self.fail(error)
            return False
        for _, event, _ in ended:
            self.outcomes[outcome_of(event)] += 1
            if isinstance(event, UrlEnded):
                self.reasons[f"{event.outcome}: {event.reason}"] += 1
        return True

    def _take_in(self, ended: Sequence[Ended], scores: Sequence[float | None]) -> None:
        for (row, event, _), score in zip(ended, scores, strict=True):
            if score is not None:
                self._judged += 1
                self._of_concern += score >= OF_CONCERN
            if self._focus is None:
                continue
            if not isinstance(event, PageFound):
                self._focus.forget(row)
            elif score is not None:
                self._focus.judged(event.page_id, score)

    def _left_for(self, host: str) -> str:
        """Return why what is left of ``host`` is not fetched."""
        if self._rotation.is_spent(host):
            return "budget: host"
        return "budget: pages" if self._rotation.exhausted else "focus"


def crawl_of(crawler: Crawler) -> RunningCrawl:
    """Return the running crawl that the spider of ``crawler`` carries, for the other components.

    Raises
    ------
    UsageError
        The spider was started by ``scrapy crawl``, which knows neither limits nor sink.
    """
    crawl = getattr(crawler.spider, "crawl", None)
    if not isinstance(crawl, RunningCrawl):
        raise UsageError("start this spider with `guidewatch run` or `guidewatch work spider`")
    return crawl
