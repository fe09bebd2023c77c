"""What a spider's partitions have ready, gathered into transactions: units, progress, offsets, new states of crawls."""

from __future__ import annotations

import logging
import queue
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Any

from kafka import TopicPartition
from kafka.structs import MemberState

from crawlers.distributed.ledger import PartitionLedger
from crawlers.distributed.unit import Message, Unit, done_message
from crawlers.distributed.writing import NotCommittedError, SessionLostError, TransactionWriter
from crawlers.outbox import AbandonedError
from events import CrawlState, PartitionProgress, RequestDone, Topics, encode

log = logging.getLogger(__name__)

_FULL = 500
_MOST = 4 * _FULL
_LINGER_S = 0.15
_REPORT_S = 0.5
_ATTEMPTS = 20


class Committer:
    """Commits in one thread at a time; only `put` may be called from any.

    Parameters
    ----------
    writer
        Makes the transactions.
    topics
        Names of the topics.
    instance
        Name of the spider, for people.
    spent
        Returns, by crawl, what a partition has fetched that counts against the budgets, those under way included.
    clock
        Returns the time as aware UTC.
    """

    def __init__(
        self,
        writer: TransactionWriter,
        topics: Topics,
        instance: str,
        spent: Callable[[int], Mapping[str, int]],
        clock: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._topics = topics
        self._instance = instance
        self._spent = spent
        self._clock = clock
        self._inbox: queue.SimpleQueue[Unit] = queue.SimpleQueue()
        self._units: deque[Unit] = deque()
        self._announced: list[CrawlState] = []
        self._oldest_at = 0.0
        self._reported_at = 0.0
        self._epoch = 0
        self._failures = 0
        self.transactions = 0
        """How many were committed."""
        self.aborted = 0
        """How many came to nothing."""
        self.ledgers: dict[int, PartitionLedger] = {}
        self.last_commit_at: datetime | None = None

    @property
    def is_full(self) -> bool:
        """Return whether a transaction should not wait any longer."""
        return self._inbox.qsize() + len(self._units) >= _FULL

    def put(self, unit: Unit) -> Future[None]:
        """Take a unit for the next transaction."""
        self._inbox.put(unit)
        return unit.durable

    def announce(self, states: Sequence[CrawlState]) -> None:
        """Take new states of crawls for the next transaction."""
        self._announced += states

    def open(self, partition: int, position: int, marks: Sequence[RequestDone]) -> PartitionLedger:
        """Take up a partition, with the marks of what has ended in it."""
        self._epoch += 1
        ledger = self.ledgers[partition] = PartitionLedger(position, self._epoch)
        for mark in marks:
            ledger.restore(mark)
        return ledger

    def commit(self, group: Any, *, last: bool = False) -> bool:
        """Commit what is due, or with ``last`` all that is there, bit by bit; return whether more may be there.

        Raises
        ------
        SessionLostError, KafkaRefusedError
        """
        now = time.monotonic()
        self._drain(now)
        ready = self._units and (last or len(self._units) >= _FULL or now - self._oldest_at >= _LINGER_S)
        if not self.ledgers or not (ready or self._announced or now - self._reported_at >= _REPORT_S):
            return False
        if group.generation_id < 0 or (group.state is not MemberState.STABLE and not last):
            return False
        units = self._next() if ready else []
        return self._write(units, list(self.ledgers), group, now) and bool(self._units)

    def close(self, partitions: Collection[int], group: Any) -> None:
        """Let go of partitions, after what is there of them is committed; ``group`` None where they were lost.

        Raises
        ------
        SessionLostError, KafkaRefusedError
        """
        now = time.monotonic()
        self._drain(now)
        going = [unit for unit in self._units if unit.partition in partitions]
        self._units = deque(unit for unit in self._units if unit.partition not in partitions)
        mine = [unit for unit in going if self._is_current(unit)]
        try:
            if mine and group is not None and group.generation_id >= 0:
                self._write(mine, sorted(partitions & self.ledgers.keys()), group, now)
        finally:
            self._units = deque(unit for unit in self._units if unit.partition not in partitions)
            for unit in going:
                _resolve(unit, AbandonedError())
            for partition in partitions:
                self.ledgers.pop(partition, None)

    def abandon(self) -> None:
        """Commit nothing more."""
        self._drain(time.monotonic())
        for unit in self._units:
            _resolve(unit, AbandonedError())
        self._units.clear()
        self._writer.close(1.0)

    def _drain(self, now: float) -> None:
        if not self._units:
            self._oldest_at = now
        while True:
            try:
                self._units.append(self._inbox.get_nowait())
            except queue.Empty:
                return

    def _next(self) -> list[Unit]:
        units: list[Unit] = []
        size = 0
        while self._units and size < _MOST:
            unit = self._units.popleft()
            if self._is_current(unit):
                units.append(unit)
                size += unit.size
            else:
                _resolve(unit, AbandonedError())
        self._oldest_at = time.monotonic()
        return units

    def _is_current(self, unit: Unit) -> bool:
        ledger = self.ledgers.get(unit.partition)
        return ledger is not None and ledger.epoch == unit.epoch

    def _write(self, units: list[Unit], partitions: Sequence[int], group: Any, now: float) -> bool:
        settled = [(unit, self.ledgers[unit.partition].settle(unit)) for unit in units]
        try:
            self._writer.write(self._messages(units, partitions, now), self._offsets(partitions), group)
        except NotCommittedError as error:
            for unit, ended in reversed(settled):
                self.ledgers[unit.partition].unsettle(unit, ended)
            self._units.extendleft(reversed(units))
            self._failed(error, len(units))
            return False
        self._failures = 0
        self.transactions += 1
        self._reported_at = now
        self._announced.clear()
        self.last_commit_at = self._clock()
        for unit in units:
            _resolve(unit)
        return True

    def _offsets(self, partitions: Sequence[int]) -> dict[TopicPartition, int]:
        """Return from where the next owner has to read: requests that are open, marks of crawls that go on."""
        found = {}
        for number in partitions:
            ledger = self.ledgers[number]
            found[TopicPartition(self._topics.crawl_requests, number)] = ledger.low_water()
            if ledger.marks_from is not None:
                found[TopicPartition(self._topics.crawl_ended, number)] = ledger.marks_from
        return found

    def _failed(self, error: NotCommittedError, units: int) -> None:
        self._failures += 1
        self.aborted += 1
        log.info("a transaction of %d units came to nothing and is tried again: %s", units, error)
        if self._failures >= _ATTEMPTS:
            raise SessionLostError(f"{self._failures} transactions in a row came to nothing: {error}") from error
        time.sleep(0.05)

    def _messages(self, units: Sequence[Unit], partitions: Sequence[int], now: float) -> list[Message]:
        messages: list[Message] = []
        for unit in units:
            messages += unit.messages
            messages += [done_message(done, unit.partition, self._topics) for done in unit.done]
        messages += [Message(self._topics.crawls, one.crawl_id.encode(), encode(one)) for one in self._announced]
        return [*messages, *(self._report(partition, now) for partition in partitions)]

    def _report(self, partition: int, now: float) -> Message:
        ledger = self.ledgers[partition]
        progress = PartitionProgress(
            at=self._clock(),
            partition=partition,
            position=ledger.position,
            spider=self._instance,
            crawls=ledger.shares(now, self._spent(partition)),
        )
        return Message(self._topics.crawl_progress, str(partition).encode(), encode(progress))


def _resolve(unit: Unit, error: Exception | None = None) -> None:
    """Resolve a unit that nobody has resolved, whether or not somebody waits for it."""
    if unit.durable.done() or not unit.durable.set_running_or_notify_cancel():
        return
    if error is None:
        unit.durable.set_result(None)
    else:
        unit.durable.set_exception(error)
