"""What all crawls of one spider share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from crawlers.distributed.turns import HostTurns
from crawlers.distributed.unit import Unit
from crawlers.evidence import WarcFiles
from crawlers.extraction.process import ExtractionProcess
from crawlers.guard.resolver import Lookup
from events import Topics


class Place(NamedTuple):
    """A partition at this spider, and when it came: its last owner may have asked its hosts right before."""

    partition: int
    epoch: int
    came_at_s: float
    """On the scale of ``time.monotonic``."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the crawls of a spider share.

    Parameters
    ----------
    topics
        Names of the topics.
    put
        Takes a unit for the next transaction; the future resolves when it is committed.
    may_fetch
        Whether the group still counts on this spider.
    has_room
        Whether another request may be under way in this process.
    turns
        Turns at hosts.
    evidence
        WARC files of the process.
    documents
        Takes documents apart; one for all, since it is a process.
    clock
        Returns the time as aware UTC.
    lookup
        Name resolution, for tests; None for the system's.
    """

    topics: Topics
    put: Callable[[Unit], Future[None]]
    may_fetch: Callable[[], bool]
    has_room: Callable[[], bool]
    turns: HostTurns
    evidence: WarcFiles
    documents: ExtractionProcess
    clock: Callable[[], datetime]
    lookup: Lookup | None = None
