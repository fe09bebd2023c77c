"""Reading ``crawls`` and ``crawl.progress``, and deciding for the crawls that are this spider's to close."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from kafka import TopicPartition
from kafka.errors import LeaderNotAvailableError
from kafka.partitioner.default import murmur2

from crawlers.distributed.view import CrawlsView, Doubt, is_over, looks_dry
from events import CrawlState, PartitionProgress, PoisonError, Topics, decode, new_id

log = logging.getLogger(__name__)

_CATCH_UP_S = 30.0
_DECIDE_S = 0.15


class Watch:
    """Follows the two topics.

    Parameters
    ----------
    reader
        Consumer of committed messages, outside of any group.
    ends_reader
        Consumer of all messages, which is asked for the ends of partitions.
    topics
        Names of the topics.
    """

    def __init__(self, reader: Any, ends_reader: Any, topics: Topics) -> None:
        self._reader = reader
        self._ends = ends_reader
        self._topics = topics
        self._places = [TopicPartition(name, 0) for name in (topics.crawls, topics.crawl_progress)]
        self.view = CrawlsView()
        self.partitions = len(reader.partitions_for_topic(topics.crawl_requests) or ())
        self._doubts: dict[str, Doubt] = {}
        self._said: dict[str, str] = {}
        self._decided_at = 0.0
        reader.assign(self._places)
        reader.seek_to_beginning(*self._places)

    def catch_up(self, timeout_s: float = _CATCH_UP_S) -> None:
        """Read all that was there when this was called and is committed; give up waiting after a while."""
        ends = self._reader.end_offsets(self._places)
        deadline = time.monotonic() + timeout_s
        while any(self._reader.position(place) < ends[place] for place in self._places):
            self.read(100)
            if time.monotonic() > deadline:
                break

    def read(self, wait_ms: int = 0) -> list[CrawlState]:
        """Read on; return the crawls whose state has changed."""
        changed = {}
        for messages in self._reader.poll(wait_ms, max_records=5_000).values():
            for message in messages:
                try:
                    event = decode(message.value or b"", CrawlState, PartitionProgress)
                except PoisonError as error:
                    place = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
                    log.warning("%s offset=%d cannot be read: %s", message.topic, message.offset, error, extra=place)
                    continue
                self.view.apply(event)
                if isinstance(event, CrawlState):
                    changed[event.crawl_id] = event
        return list(changed.values())

    def ends(self, places: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the end of each partition, uncommitted messages included.

        Raises
        ------
        kafka.errors.LeaderNotAvailableError
            Nobody leads one of them now; kafka-python 3.0.12 fails with a `KeyError` there.
        """
        try:
            found: dict[TopicPartition, int] = self._ends.end_offsets(list(places))
        except KeyError as error:
            raise LeaderNotAvailableError(f"nobody leads {error.args[0]} now") from error
        return found

    def owner(self, crawl_id: str) -> int:
        """Return the partition whose spider closes the crawl."""
        hashed: int = murmur2(crawl_id.encode()) & 0x7FFFFFFF
        return hashed % max(1, self.partitions)

    def decide(self, mine: Collection[int], at: datetime) -> list[CrawlState]:
        """Return new states of crawls that are this spider's to close: at their limit, or over."""
        if time.monotonic() - self._decided_at < _DECIDE_S:
            return []
        self._decided_at = time.monotonic()
        said = []
        for state in list(self.view.crawls.values()):
            if state.phase == "ended" or self.owner(state.crawl_id) not in mine:
                self._doubts.pop(state.crawl_id, None)
            elif self._said.get(state.crawl_id) != state.id and (new := self._next(state, at)) is not None:
                self._said[state.crawl_id] = state.id
                said.append(new)
        return said

    def close(self) -> None:
        """Close the consumers."""
        for consumer in (self._reader, self._ends):
            consumer.close(autocommit=False, timeout_ms=500)

    def _next(self, state: CrawlState, at: datetime) -> CrawlState | None:
        if not looks_dry(self.view, state.crawl_id, self.partitions):
            self._doubts.pop(state.crawl_id, None)
            spent = sum(share.ended_spent for _, share in self.view.shares(state.crawl_id))
            if state.phase == "running" and spent >= state.max_pages:
                return msgspec.structs.replace(state, id=new_id(), at=at, phase="ending", because="limit reached")
            return None
        totals = self.view.totals(state.crawl_id)
        doubt = self._doubts.get(state.crawl_id)
        if doubt is None or (doubt.revision, doubt.requested) != (state.id, totals.requested):
            places = [TopicPartition(self._topics.crawl_requests, number) for number in range(self.partitions)]
            ends = {place.partition: end for place, end in self.ends(places).items()}
            self._doubts[state.crawl_id] = Doubt(state.id, totals.requested, ends)
            return None
        if not is_over(self.view, state.crawl_id, doubt):
            return None
        return msgspec.structs.replace(
            state,
            id=new_id(),
            at=at,
            phase="ended",
            because=state.because or "frontier dry",
            ended_at=at,
            outcomes=dict(totals.outcomes),
            reasons=dict(totals.reasons),
            hosts=totals.hosts,
        )
