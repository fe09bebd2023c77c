"""A spider among others: joins the group, fetches what is its own, and begins anew where it was left behind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from kafka.errors import KafkaError

from crawlers.collecting import sparing_what_stays
from crawlers.distributed.background import in_thread
from crawlers.distributed.clients import Clients, connect
from crawlers.distributed.connection import (
    ClientOptions,
    KafkaRefusedError,
    KafkaUnavailableError,
    Membership,
    brief,
    is_permanent,
)
from crawlers.distributed.folders import session_folder
from crawlers.distributed.member import Member
from crawlers.distributed.session import Session
from crawlers.distributed.surroundings import Surroundings
from crawlers.distributed.turns import HostTurns
from crawlers.distributed.writing import SessionLostError
from crawlers.evidence import WarcFiles
from crawlers.extraction.process import ExtractionProcess
from crawlers.guard import DEFAULT_PORTS
from crawlers.guard.off_limits import OffLimits
from crawlers.guard.resolver import Lookup
from crawlers.plan import CrawlPlan
from events import CrawlState, Topics

log = logging.getLogger(__name__)

_TICK_S = 0.05
_BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0)
_LEAVING_S = 1.5


@dataclass(frozen=True, kw_only=True)
class SpiderOptions:
    """What a spider's own installation decides; what a crawl decides is in its `CrawlState`.

    Parameters
    ----------
    warc_dir
        Folder for WARC files.
    allow_private
        ``host:port`` keys that the address guard lets pass, or ``"*"``: never a crawl's own choice, since whoever may
        write to the topic could reach this spider's network with it.
    off_limits, ports
        What is never asked; ports of public hosts that may be connected to.
    concurrency
        Requests under way at once in this process.
    grace_s
        How long a request under way may go on after a stop.
    clock, lookup
        Time as aware UTC; name resolution, None for the system's.
    """

    warc_dir: Path
    allow_private: frozenset[str] = frozenset()
    off_limits: OffLimits = field(default_factory=OffLimits)
    ports: frozenset[int] = DEFAULT_PORTS
    concurrency: int = 16
    grace_s: float = 1.2
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    lookup: Lookup | None = None


@dataclass(frozen=True, kw_only=True)
class SpiderSummary:
    """What a spider has published."""

    outcomes: dict[str, int]
    """URLs by outcome, ``page`` for pages to judge."""
    sessions: int
    """How often it joined the group."""
    elapsed_s: float

    def __str__(self) -> str:
        counts = ", ".join(
            f"{count} {name.replace('_', ' ')}" for name, count in sorted(self.outcomes.items()) if count
        )
        return f"{counts or 'nothing fetched'} in {self.elapsed_s:.0f} s"


@dataclass(frozen=True, kw_only=True)
class SpiderStatus:
    """How a spider is doing, for health checks; any thread may read it."""

    state: str = "starting"
    """``starting``, ``running``, ``waiting`` (to begin anew) or ``stopped``."""
    failure: str = ""
    partitions: tuple[int, ...] = ()
    under_way: int = 0
    open: int = 0
    """Requests that have not ended."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """URLs by outcome, since the process began."""
    counts: Counter[str] = field(default_factory=Counter)
    """``transactions``, ``aborted`` ones, ``dead_letters`` and ``lost_sessions``, since the process began."""
    last_commit_at: datetime | None = None
    turned_at_s: float = field(default_factory=time.monotonic)
    """When it last showed that it is alive, on the scale of ``time.monotonic``."""
    heard_at_s: float = float("-inf")
    """When Kafka last answered it, on the scale of ``time.monotonic``."""


class Spider:
    """One process of the group.

    Parameters
    ----------
    kafka
        Client options of kafka-python.
    topics
        Names of the topics.
    member
        Group and instance.
    options
        What this installation decides.
    """

    def __init__(self, kafka: ClientOptions, topics: Topics, member: Membership, options: SpiderOptions) -> None:
        self._kafka = kafka
        self._topics = topics
        self._member = member
        self._options = options
        self._turns = HostTurns()
        self._outcomes: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._sessions = 0
        self._status = SpiderStatus()

    def status(self) -> SpiderStatus:
        """Return how it is doing."""
        return self._status

    def run(self, stop: threading.Event) -> SpiderSummary:
        """Fetch until ``stop`` is set, then return within seconds.

        Raises
        ------
        KafkaUnavailableError
            Kafka does not answer at the start.
        KafkaRefusedError
            It refuses us, or a topic is missing.
        crawlers.evidence.EvidenceError, OSError, crawlers.frontier.FrontierError
            The disk does not take evidence or the local frontier.
        """
        began = time.monotonic()
        with (
            sparing_what_stays(),
            contextlib.closing(self._warc_files()) as evidence,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(self._sessions_until(stop, evidence))
        self._status = SpiderStatus(state="stopped")
        return SpiderSummary(outcomes=dict(self._outcomes), sessions=self._sessions, elapsed_s=time.monotonic() - began)

    async def _sessions_until(self, stop: threading.Event, evidence: WarcFiles) -> None:
        failures = 0
        while not stop.is_set():
            try:
                await self._session(stop, evidence)
                failures = 0
            except (SessionLostError, KafkaUnavailableError, KafkaError) as error:
                if isinstance(error, KafkaError) and is_permanent(error):
                    raise KafkaRefusedError(f"Kafka refuses {self._member.instance}: {brief(error)}") from error
                if isinstance(error, KafkaUnavailableError) and not self._sessions:
                    raise
                seconds = _BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)]
                failures += 1
                log.warning("the session is over, another begins in %.1f s: %s", seconds, error)
                self._counts["lost_sessions"] += 1
                self._status = SpiderStatus(
                    state="waiting", failure=str(error), outcomes=self._outcomes.copy(), counts=self._counts.copy()
                )
                await asyncio.sleep(0 if stop.is_set() else seconds)

    async def _session(self, stop: threading.Event, evidence: WarcFiles) -> None:
        connecting = in_thread(lambda: connect(self._kafka, self._topics, self._member), "spider-connect")
        while not connecting.done() and not stop.is_set():
            await asyncio.wait([connecting], timeout=_TICK_S)
        if not connecting.done():
            return
        clients = connecting.result()
        self._sessions += 1
        with (
            session_folder() as folder,
            contextlib.closing(ExtractionProcess()) as documents,
        ):
            session = self._made_session(folder, evidence, documents, clients)
            try:
                await self._attend(session, self._joined(clients, session), stop)
            finally:
                await session.release()
                self._outcomes.update(session.ended)
                self._counts.update(self._current.counts)

    def _made_session(
        self, folder: Path, evidence: WarcFiles, documents: ExtractionProcess, clients: Clients
    ) -> Session:
        around = Surroundings(
            topics=self._topics,
            put=lambda unit: self._current.put(unit),
            may_fetch=lambda: self._current.may_fetch(),
            has_room=lambda: True,
            turns=self._turns,
            evidence=evidence,
            documents=documents,
            clock=self._options.clock,
            lookup=self._options.lookup,
        )
        session = Session(around, self._plan_of, folder, self._options.grace_s)
        session.concurrency = self._options.concurrency
        session.view = clients.watch.view
        return session

    def _joined(self, clients: Clients, session: Session) -> Member:
        self._current = Member(clients, self._topics, self._member, session, self._options.clock)
        return self._current

    async def _attend(self, session: Session, member: Member, stop: threading.Event) -> None:
        """Tick until the stop, or until the member ends by an error; raise that."""
        work = in_thread(member.run, "spider-member")
        try:
            while not work.done() and not stop.is_set():
                await asyncio.wait([work], timeout=_TICK_S)
                session.tick()
                self._note(session, member)
            await session.stop(self._options.grace_s if not work.done() else 0.0)
        finally:
            member.end()
            await asyncio.wait([work], timeout=_LEAVING_S)
        if work.done():
            work.result()

    def _note(self, session: Session, member: Member) -> None:
        self._status = SpiderStatus(
            state="running",
            partitions=member.partitions,
            under_way=session.under_way,
            open=member.open,
            outcomes=self._outcomes + session.ended,
            counts=self._counts + member.counts,
            last_commit_at=member.last_commit_at,
            turned_at_s=member.turned_at_s,
            heard_at_s=member.heard_at_s,
        )

    def _plan_of(self, state: CrawlState) -> CrawlPlan:
        return CrawlPlan(
            seeds=state.seeds,
            crawl_id=state.crawl_id,
            data_dir=self._options.warc_dir,
            user_agent=state.user_agent,
            contact=state.contact,
            max_pages=state.max_pages,
            max_pages_per_host=state.max_pages_per_host,
            max_depth=state.max_depth,
            delay_s=state.delay_s,
            concurrency=self._options.concurrency,
            timeout_s=state.timeout_s,
            max_bytes=state.max_bytes,
            allow_private=self._options.allow_private,
            off_limits=self._options.off_limits,
            ports=self._options.ports,
            grace_s=self._options.grace_s,
            focus=state.focus,
        )

    def _warc_files(self) -> WarcFiles:
        name = f"guidewatch-{self._options.clock():%Y%m%dT%H%M%S%f}-{os.getpid()}-spider"
        return WarcFiles(self._options.warc_dir, name, software="guidewatch", clock=self._options.clock)
