"""A spider's place in the group, on a thread of its own: reads requests, commits what has become of them.

One thread polls and writes by turns, so no rebalance comes between the look at the membership and the commit; the only
calls from elsewhere are kafka-python's on a rebalance, and those take the same lock.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any

from kafka import ConsumerRebalanceListener, TopicPartition
from kafka.errors import KafkaError

from crawlers.distributed.clients import Clients
from crawlers.distributed.committing import Committer
from crawlers.distributed.connection import KafkaRefusedError, Membership
from crawlers.distributed.fetching import Fetching
from crawlers.distributed.intake import Intake
from crawlers.distributed.unit import Unit
from crawlers.distributed.writing import SessionLostError
from events import Topics

log = logging.getLogger(__name__)

_POLL_MS = 40
_MOST_RECORDS = 2_000
_CLOSING_S = 3.0
_SILENCE = 0.7
"""Share of the session timeout for which the group may be silent while hosts are still asked."""


class Member(ConsumerRebalanceListener):
    """Runs one session in the group, until it is told to stop or the session is lost.

    Parameters
    ----------
    clients
        Connected; they are closed at the end.
    topics
        Names of the topics.
    member
        Who this spider is in the group.
    fetching
        The other half.
    clock
        Returns the time as aware UTC.
    """

    def __init__(
        self,
        clients: Clients,
        topics: Topics,
        member: Membership,
        fetching: Fetching,
        clock: Callable[[], datetime],
    ) -> None:
        self._clients = clients
        self._consumer = clients.consumer
        self._topics = topics
        self._silence_s = _SILENCE * member.session_timeout_s
        self._fetching = fetching
        self._clock = clock
        self._lock = threading.Lock()
        self._committer = Committer(clients.writer, topics, member.instance, fetching.spent, clock)
        self._intake = Intake(topics, clock)
        self._stop = threading.Event()
        self._failure: Exception | None = None
        self._heard_at_s = float("-inf")
        self.turned_at_s = time.monotonic()

    @property
    def partitions(self) -> tuple[int, ...]:
        """Partitions that this spider works on."""
        return tuple(self._committer.ledgers)

    @property
    def open(self) -> int:
        """How many requests have not ended."""
        return sum(ledger.open for ledger in list(self._committer.ledgers.values()))

    @property
    def heard_at_s(self) -> float:
        """When the last heartbeat was sent that the group has answered, on the scale of ``time.monotonic``."""
        return self._heard_at_s

    @property
    def counts(self) -> Counter[str]:
        """What was committed and what came to nothing."""
        committer = self._committer
        return Counter(
            transactions=committer.transactions, aborted=committer.aborted, dead_letters=self._intake.letters
        )

    @property
    def last_commit_at(self) -> datetime | None:
        """When something was last committed."""
        return self._committer.last_commit_at

    def put(self, unit: Unit) -> Future[None]:
        """Take a unit for the next transaction, from any thread."""
        return self._committer.put(unit)

    def may_fetch(self) -> bool:
        """Return whether the group still counts on this spider: else somebody else may have its hosts by now.

        What counts is when the last heartbeat that was answered was sent, as the group counts from then: a process that
        was asleep finds an old answer waiting for it.
        """
        heartbeat = self._consumer._coordinator.heartbeat
        if heartbeat.last_receive >= heartbeat.last_send:
            self._heard_at_s = max(self._heard_at_s, heartbeat.last_send)
        return time.monotonic() - self._heard_at_s < self._silence_s

    def end(self) -> None:
        """Commit what is there and leave, from any thread; `run` returns then."""
        self._stop.set()

    def run(self) -> None:
        """Work until `end`.

        Raises
        ------
        SessionLostError
            Begin again, with a new member.
        KafkaRefusedError, kafka.errors.KafkaError
        """
        watch = self._clients.watch
        try:
            watch.catch_up()
            for state in watch.view.crawls.values():
                self._fetching.changed(state)
            self._consumer.subscribe([self._topics.crawl_requests], listener=self)
            while not self._stop.is_set() and self._failure is None:
                self._turn()
            if self._failure is not None:
                raise self._failure
            with self._lock:
                while self._committer.commit(self._consumer.group_metadata(), last=True):
                    pass
        finally:
            self._close()

    def _turn(self) -> None:
        self.turned_at_s = time.monotonic()
        self.may_fetch()
        found = self._consumer.poll(0 if self._committer.is_full else _POLL_MS, max_records=_MOST_RECORDS)
        positions = self._positions()
        with self._lock:
            self._receive(found, positions)
        for state in self._clients.watch.read():
            self._fetching.changed(state)
            if state.phase == "ended":
                self._forget(state.crawl_id)
        if verdicts := self._clients.verdicts.read():
            self._fetching.judged(verdicts)
        self._load()
        decided = self._clients.watch.decide(self.partitions, self._clock())
        with self._lock:
            self._committer.announce(decided)
            self._committer.commit(self._consumer.group_metadata())

    def _forget(self, crawl_id: str) -> None:
        """Drop a crawl that is over; where no other has marks, the next owner need not read those that are there."""
        ledgers = dict(self._committer.ledgers)
        ends = self._clients.watch.ends([TopicPartition(self._topics.crawl_ended, number) for number in ledgers])
        with self._lock:
            for number, ledger in ledgers.items():
                ledger.forget(crawl_id)
                if not ledger.has_marks:
                    ledger.marks_from = ends[TopicPartition(self._topics.crawl_ended, number)]

    def _positions(self) -> dict[int, int]:
        found = {}
        for place in self._consumer.assignment():
            if place.partition in self._committer.ledgers:
                try:
                    position = self._consumer.position(place, timeout_ms=0)
                except KafkaError:
                    continue
                if position is not None:
                    found[place.partition] = position
        return found

    def _receive(self, found: dict[TopicPartition, list[Any]], positions: dict[int, int]) -> None:
        """Take in what was read; what is of a partition that has gone meanwhile is its next owner's."""
        ledgers = self._committer.ledgers
        for place, messages in found.items():
            if place.partition in ledgers:
                for unit in self._intake.take(place.partition, messages, ledgers[place.partition]):
                    self.put(unit)
        for partition, position in positions.items():
            if partition in ledgers:
                ledgers[partition].position = position
        for (partition, epoch), requests in self._intake.ready(self._clients.watch.view.crawls).items():
            self._fetching.received(partition, epoch, requests)
        for unit in self._intake.orphans():
            self.put(unit)

    def _load(self) -> None:
        """Take up partitions that have come, once all marks of their last owner can be read."""
        for partition, marks in self._clients.marks.read().items():
            place = TopicPartition(self._topics.crawl_requests, partition)
            if place not in self._consumer.assignment():
                continue
            position = self._consumer.position(place, timeout_ms=5_000)
            over = self._clients.watch.view.over
            marks = [mark for mark in marks if not over(mark.crawl_id)]
            with self._lock:
                ledger = self._committer.open(partition, position or 0, marks)
            self._fetching.opened(partition, ledger.epoch, marks)
            self._consumer.resume(place)
        loading = {place.partition for place in self._consumer.assignment()} - self._committer.ledgers.keys()
        for partition in self._clients.marks.missing(loading):
            ended = TopicPartition(self._topics.crawl_ended, partition)
            start = self._consumer.committed(ended, timeout_ms=5_000) or 0
            self._clients.marks.begin(partition, start, self._clients.watch.ends([ended])[ended])

    def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Read nothing of them before their marks are read."""
        self._heard_at_s = time.monotonic()
        log.info("assigned: %s", sorted(place.partition for place in assigned))
        self._consumer.pause(*assigned)

    def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Let what is under way end, commit it, and only then let go."""
        if self._stop.is_set():
            return
        log.info("revoked: %s", sorted(place.partition for place in revoked))
        self._let_go([place.partition for place in revoked], lost=False)

    def on_partitions_lost(self, lost: Sequence[TopicPartition]) -> None:
        """Drop them: somebody else may have them by now."""
        log.warning("lost: %s", sorted(place.partition for place in lost))
        self._clients.assignor.forget()
        self._let_go([place.partition for place in lost], lost=True)

    def _let_go(self, partitions: list[int], *, lost: bool) -> None:
        closing = [self._fetching.closed(partition, lost=lost) for partition in partitions]
        deadline = time.monotonic() + _CLOSING_S
        for future in closing:
            try:
                future.result(max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                log.warning("what is under way does not end; it is not published by this spider")
        with self._lock:
            try:
                self._committer.close(set(partitions), None if lost else self._consumer.group_metadata())
            except (SessionLostError, KafkaRefusedError) as error:
                self._failure = error
            for partition in partitions:
                self._intake.drop(partition)

    def _close(self) -> None:
        self._stop.set()
        self._committer.abandon()
        self._clients.watch.close()
        self._clients.marks.close()
        self._clients.verdicts.close()
        try:
            self._consumer.close(autocommit=False, timeout_ms=1_000)
        except KafkaError as error:
            log.info("the group was not left in good order: %s", error)
