"""One partition's share of a crawl is a crawl of its own: hosts do not span partitions, so nothing else is shared."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from crawlers.crawl import RunningCrawl
from crawlers.deciding import Ended, outcome_of
from crawlers.distributed.surroundings import Place, Surroundings
from crawlers.distributed.unit import Message, Unit, found_message, link_of, mark_of, request_message
from crawlers.endings import Ending
from crawlers.evidence import EvidenceError
from crawlers.frontier import Frontier, FrontierError, Kind, Link, Row
from crawlers.outbox import AbandonedError
from crawlers.plan import CrawlPlan
from crawlers.progress import PAGES
from events import CrawlRequest, PageFound, RequestDone, UrlEnded, new_id

_REFUSED_AT_ONCE = 500
_ELSEWHERE = 0
"""Number of no row: of a page that another owner has ended, or that a request was found on, whoever read it."""


class KnowingFrontier(Frontier):
    """A frontier that also knows URLs which ended under another owner: they are never queued and never claimed."""

    def know(self, page_ids: Iterable[str]) -> None:
        """Note URLs that have ended."""
        for page_id in page_ids:
            self._numbers.setdefault(bytes.fromhex(page_id), _ELSEWHERE)


class _Asked(NamedTuple):
    offset: int
    parent_url: str | None


class PartitionCrawl(RunningCrawl):
    """The share of a crawl in one partition.

    Links do not go into its frontier but out as requests, in the transaction that ends their page; those of its own
    hosts come back like all others.

    Parameters
    ----------
    plan
        Limits of the whole crawl.
    frontier
        Fresh.
    around
        What is shared.
    place
        Where its requests come from.
    """

    def __init__(
        self,
        plan: CrawlPlan,
        frontier: KnowingFrontier,
        around: Surroundings,
        place: Place,
    ) -> None:
        frontier.open_crawl(plan.crawl_id, around.clock())
        super().__init__(
            plan,
            frontier,
            _NoSink(),
            around.evidence,
            crawl_id=plan.crawl_id,
            clock=around.clock,
            lookup=around.lookup,
        )
        self.documents.close()
        self.deadlines.remove(self.documents.stop_within)
        self.documents = around.documents
        self._around = around
        self._table = frontier
        self._partition = place.partition
        self._epoch = place.epoch
        self.opens_at_s = place.came_at_s + plan.delay_s
        self.turns = around.turns
        self.allowance: Callable[[], int] = lambda: plan.max_pages - self.spent
        """Returns how many more pages this spider may take of the whole crawl, as far as it knows."""
        self._asked: dict[str, _Asked] = {}
        self._sent: set[bytes] = set()
        self._outgoing: list[Message] = []
        self._waiting = 0
        self._abandoned = False
        self._settling: str | None = None
        self._busy: set[int] = set()
        self.committing = 0

    @property
    def may_fetch(self) -> bool:
        """Return whether the group still counts on this spider."""
        return self._around.may_fetch()

    @property
    def outstanding(self) -> int:
        """How many endings wait to become durable."""
        return self._waiting

    @property
    def spent(self) -> int:
        """Fetches that count against the budgets, those under way included."""
        return self._rotation.spent

    @property
    def open(self) -> int:
        """Requests that have not ended."""
        return len(self._asked)

    def restore(self, marks: Sequence[RequestDone]) -> None:
        """Take in what has ended in this partition under its earlier owners."""
        self._table.know(mark.page_id for mark in marks)
        for mark in marks:
            if mark.counts:
                self._rotation.spend(mark.host, 1)
            if mark.content_id is not None and mark.outcome == PAGES:
                self._table.first_with(mark.content_id, mark.page_id)

    def receive(self, requests: Sequence[tuple[int, CrawlRequest]]) -> None:
        """Queue requests; those of URLs that are known end at once, with the offset alone."""
        known = []
        seeds = super().add(link_of(request) for _, request in requests if request.parent_url is None)
        links = super().add((link_of(request) for _, request in requests if request.parent_url is not None), _ELSEWHERE)
        new = {link.page_id for link in (*seeds, *links)}
        for offset, request in requests:
            if request.page_id in new:
                new.discard(request.page_id)
                parent = sys.intern(request.parent_url) if request.parent_url else None
                self._asked[request.page_id] = _Asked(offset, parent)
            else:
                known.append(offset)
        if known and not self._abandoned:
            self._around.put(Unit(self._partition, self._epoch, known))

    def add(self, links: Iterable[Link], parent: int | None = None) -> list[Link]:
        """Let the links that are new go out as requests with the next ending; return those."""
        parent_url = None if parent is None else self._settling
        new = []
        for link in links:
            key = bytes.fromhex(link.page_id)
            if key in self._sent or self._table.knows(link.page_id):
                continue
            self._sent.add(key)
            new.append(link)
            request = CrawlRequest(
                id=new_id(),
                at=self.clock(),
                url=link.url,
                page_id=link.page_id,
                host=link.host,
                crawl_id=self.crawl_id,
                depth=link.depth,
                parent_url=parent_url,
                priority=link.priority,
                source=link.kind is Kind.SOURCE,
                features=link.features,
            )
            self._outgoing.append(request_message(request, self._around.topics))
        return new

    async def settle(self, ending: Ending) -> None:
        """Bring a row to its end: links and events go out together."""
        self._settling = ending.event.url  # until the first await, which comes after `add`
        links = [link.page_id for link in ending.links]  # those of this partition have come back before the verdict
        await super().settle(replace(ending, known=[*ending.known, *links]))

    def next_row(self) -> Row | None:
        """Return the next row to fetch, or None for now."""
        if not self._around.has_room() or not self.may_fetch or self.at_limit:
            return None
        row = super().next_row()
        return None if row is None else self._with_parent(row)

    def has_next(self) -> bool:
        """Return whether requests may still come: until somebody stops it."""
        return not self.stopping

    @property
    def at_limit(self) -> bool:
        """Return whether this spider may take no more pages of the whole crawl now."""
        return self.allowance() <= 0

    @property
    def is_stuck(self) -> bool:
        """Return whether all that is left is over the budget of its host."""
        idle = not self.in_flight and not self.unended and not self._waiting
        return bool(self._asked) and idle and not self.at_limit and not self._rotation.has_next()

    def abandon(self) -> None:
        """Wait no longer for anything, and publish nothing more."""
        self._abandoned = True

    def let_go(self) -> None:
        """Note that no request is under way any more: what has not been handed over is open again."""
        self._open.clear()

    async def refuse_rest(self, reason: str | None = None) -> None:
        """End all that is open and not under way as refused; without a ``reason``, for that of each host."""
        rows = self._table.left(0, _REFUSED_AT_ONCE)
        while rows and not self._abandoned:
            rest = [row for row in rows if row.id not in self._open and row.id not in self._busy]
            at = self.clock()
            ended = [
                (row, self._refused_row(row, reason or self._left_for(row.host), at), False)
                for row in map(self._with_parent, rest)
            ]
            if (ended and not await self._delivered(ended)) or self._abandoned:
                return
            for row in rest:
                self._rotation.drop(row.host)
            rows = self._table.left(rows[-1].id, _REFUSED_AT_ONCE)

    def _refused_row(self, row: Row, reason: str, at: datetime) -> UrlEnded:
        return self.reader.ended(row, outcome="refused", reason=reason, url=row.url, at=at)

    async def _delivered(self, ended: Sequence[Ended]) -> bool:
        """Commit the events, the marks and the links in one transaction; then mark the rows."""
        outgoing, self._outgoing = self._outgoing, []
        self._waiting += 1
        try:
            if any(event.evidence is not None for _, event, _ in ended):
                await self._durable.wait()
            if self._abandoned:
                return False
            await self._committed(ended, outgoing)
        except AbandonedError:
            return False
        except EvidenceError as error:
            self.stop(f"evidence: {error}")
            return False
        finally:
            self._waiting -= 1
        return self.failure is None

    async def _committed(self, ended: Sequence[Ended], outgoing: list[Message]) -> None:
        """Put a unit and wait for it; what follows from its end does so even where nobody waits any more."""
        self._busy.update(row.id for row, _, _ in ended)
        durable = asyncio.wrap_future(self._around.put(self._unit(ended, outgoing)))
        durable.add_done_callback(lambda done: self._finish(done, ended))
        self.committing += 1
        try:
            await asyncio.shield(durable)
        finally:
            self.committing -= 1

    def _finish(self, done: asyncio.Future[None], ended: Sequence[Ended]) -> None:
        self._busy.difference_update(row.id for row, _, _ in ended)
        if done.cancelled() or done.exception() is not None or self._abandoned:
            return
        try:
            self._table.finish([(row.id, outcome_of(event), counts) for row, event, counts in ended])
            self._take_in(ended, [None] * len(ended))
        except FrontierError as error:
            self.fail(error)
            return
        for row, event, _ in ended:
            self._open.discard(row.id)
            self.outcomes[outcome_of(event)] += 1

    def _unit(self, ended: Sequence[Ended], outgoing: list[Message]) -> Unit:
        messages, offsets = list(outgoing), []
        done: list[RequestDone] = []
        for row, event, counts in ended:
            message, event = found_message(event, self._around.topics)
            messages.append(message)
            done.append(mark_of(row, event, counts=counts, requested=0 if done else len(outgoing)))
            asked = self._asked.pop(row.page_id, None)
            if asked is not None:
                offsets.append(asked.offset)
        return Unit(self._partition, self._epoch, offsets, messages, done)

    def _with_parent(self, row: Row) -> Row:
        asked = self._asked.get(row.page_id)
        return row if asked is None else row._replace(parent_url=asked.parent_url)


class _NoSink:
    """Endings go out in transactions instead."""

    def put(self, event: PageFound | UrlEnded) -> Future[float | None]:
        raise NotImplementedError

    def flush(self) -> None: ...

    def close(self) -> None: ...
