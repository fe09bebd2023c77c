"""The state of one running crawl, shared by the Scrapy components: what to fetch next, and how each URL ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError

from crawlers.evidence import DurableEvidence, EvidenceError, WarcFiles
from crawlers.extraction.process import ExtractionProcess
from crawlers.focus import OF_CONCERN, Focus
from crawlers.frontier import Frontier, FrontierError, Kind, Link, Row
from crawlers.frontier.rotation import Rotation
from crawlers.frontier.traps import Traps
from crawlers.guard import AddressPolicy
from crawlers.guard.resolver import Lookup
from crawlers.history import Bounds, History, NoHistory, Seen
from crawlers.history.revisits import Revisits
from crawlers.identity import identify
from crawlers.manners import Manners
from crawlers.outbox import AbandonedError, Outbox
from crawlers.plan import CrawlPlan
from crawlers.progress import PAGES
from crawlers.reading import Ending, Reader
from crawlers.sink import PageSink, SinkUnavailableError
from events import PageFound, UrlEnded

_MAX_SOURCES_PER_HOST = 50
_AHEAD = 4
"""A focused crawl has so many times as many URLs that have not ended as it has requests at once."""
_Ended = tuple[Row, PageFound | UrlEnded, bool]


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
        self._focus = _focus(plan, frontier)
        self._rotation = self._focus.queue if self._focus is not None else _rotation(plan, frontier)
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

        A focused crawl starts slowly and never runs far ahead of the verdicts, so that they count.
        """
        if self.stopping or self.outstanding > self.plan.max_outstanding:
            return None
        if self._focus is not None and self.unended > self._ahead():
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

    def _ahead(self) -> int:
        """Return how many URLs of a focused crawl may be under way or wait for their verdicts."""
        fetching = self.plan.concurrency
        return min(max(fetching, self.ended_now // 4), _AHEAD * fetching)

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
        try:
            ended = self._decide(ending)
        except FrontierError as error:
            self.fail(error)
            return
        if await self._delivered(ended):
            self._open.discard(ending.row.id)
            self.ended_now += len(ended)
            self._remember(ending, ended)

    def _remember(self, ending: Ending, ended: Sequence[_Ended]) -> None:
        """Note the visit of a page that has ended; one whose text another page has is asked for all of it next time."""
        event = next((event for _, event, _ in ended if event.page_id == ending.event.page_id), None)
        seen = ending.seen
        if isinstance(event, UrlEnded) and event.outcome == "failed":
            seen = Seen(page_id=event.page_id, at=event.at, what="nothing")
        elif isinstance(event, UrlEnded) and event.reason == "same text" and seen is not None:
            seen = replace(seen, etag="", last_modified="")
        if event is None or self.failure is not None:
            return
        try:
            if seen is not None:
                self.revisits.note(seen)
            else:
                self.revisits.doubt([event.page_id])
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
        ended: list[_Ended] = []
        for row in rows:
            reason = self._left_for(row.host)
            ended.append((row, self.reader.ended(row, outcome="refused", reason=reason, url=row.url, at=at), False))
        if await self._delivered(ended):
            self._refused += len(ended)
            self._doubt(rows)

    async def _delivered(self, ended: Sequence[_Ended]) -> bool:
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
            self._frontier.finish([(row.id, _outcome(event), counts) for row, event, counts in ended])
            self._take_in(ended, scores)
        except FrontierError as error:
            self.fail(error)
            return False
        for _, event, _ in ended:
            self.outcomes[_outcome(event)] += 1
            if isinstance(event, UrlEnded):
                self.reasons[f"{event.outcome}: {event.reason}"] += 1
        return True

    def _take_in(self, ended: Sequence[_Ended], scores: Sequence[float | None]) -> None:
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

    def _decide(self, ending: Ending) -> list[_Ended]:
        row, event = ending.row, ending.event
        ended: list[_Ended] = []
        owner: Row | None = row
        if event.page_id != row.page_id:
            owner = self._claim(event.url, row)
            ended.append((row, self.reader.redirect(row, event.page_id, event.at), False))
        passed = self._hops(ending.chain[1:], ending)
        ended += [(hop, self.reader.redirect(hop, event.page_id, event.at), False) for hop in passed]
        given_up = self._hops(ending.given_up, ending)
        ended += [(hop, self.reader.alike(hop, event), False) for hop in given_up]
        if row.kind is Kind.PAGE and (owner is not row or not ending.counts):
            self._rotation.refund(row.host)
        self.beyond_depth += ending.beyond_depth
        self.too_long += ending.too_long
        if self._focus is not None:
            self._focus.reach(row, owner or row)
        new = self.add([*ending.links, *self.revisits.leave(ending.unchanged)], (owner or row).id)
        if owner is None:
            return ended
        counts = ending.counts and owner.kind is Kind.PAGE
        if owner is not row and counts:
            self._rotation.spend(owner.host, 1)
        if isinstance(event, PageFound):
            if self._focus is not None:
                self._focus.read(owner, ending.known, event.title, event.text)
            first = self._frontier.first_with(event.content_id, event.page_id)
            text = f"{event.title}\n{event.text}"
            self._traps.learn(event.host, event.url, text, [link.url for link in new], repeated=first is not None)
            if first is not None:
                event = self.reader.repeated(event, first)
        else:
            self._traps.learn_end(event.host, event.outcome, event.reason, leads_on=bool(new))
            if event.reason == "not modified" and event.content_id is not None:
                self._frontier.first_with(event.content_id, event.page_id)
        return [*ended, (owner, event, counts)]

    def _hops(self, urls: Sequence[str], ending: Ending) -> list[Row]:
        """Return the rows of the URLs passed on the way, as far as they are ours to end."""
        hops: dict[str, Row | None] = {ending.event.page_id: None, ending.row.page_id: None}
        for url in urls:
            found = identify(url)
            if found is not None and found.page_id not in hops:
                hops[found.page_id] = self._claim(url, ending.row)
        return [hop for hop in hops.values() if hop is not None]

    def _claim(self, url: str, row: Row) -> Row | None:
        """Take the row of a URL that ``row`` redirected to, unless it has its own way to an end."""
        found = identify(url)
        if found is None:
            return None
        known = self._frontier.knows(found.page_id)
        link = Link(url, found.page_id, found.host, row.depth, -float(row.depth), row.kind)
        claimed = self._frontier.claim(link, row.id)
        if claimed is not None and known:
            self._rotation.drop(found.host)
        return claimed


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


def _rotation(plan: CrawlPlan, frontier: Frontier) -> Rotation:
    return Rotation(
        frontier.load,
        per_host=plan.concurrency_per_host,
        host_budget=plan.max_pages_per_host,
        budget=plan.max_pages,
    )


def _focus(plan: CrawlPlan, frontier: Frontier) -> Focus | None:
    if plan.focus == "off":
        return None
    return Focus(
        frontier,
        plan.focus,
        per_host=plan.concurrency_per_host,
        host_budget=plan.max_pages_per_host,
        budget=plan.max_pages,
    )


def _outcome(event: PageFound | UrlEnded) -> str:
    return PAGES if isinstance(event, PageFound) else event.outcome
