"""Reading batches from the partitions that the group gives us, and going back where a batch came to nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka import ConsumerRebalanceListener, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import MemberState, OffsetAndMetadata

from consumers.counting import Counts, Tally, read_counts, written
from consumers.stage import Record

log = logging.getLogger(__name__)

Offsets = Mapping[TopicPartition, OffsetAndMetadata]
"""What to commit: the next offset to read, by partition."""

POLL_RECORDS = 64
"""Most records of one poll: a batch may exceed its limit of bytes by less than this many."""


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """When a batch is full: at the first of these.

    Parameters
    ----------
    records
        Most records; 500 or more make the transaction's own cost disappear.
    max_bytes
        Size of the values, in bytes; also what is held in memory at once.
    linger_s
        Longest wait for more records after the first, in seconds.
    """

    records: int = 500
    max_bytes: int = 16 * 1024 * 1024
    linger_s: float = 0.2


@dataclass(slots=True)
class Batch:
    """Records in the order they are handled, and the membership under which they were read."""

    group: Any
    """``KafkaConsumer.group_metadata()`` of the first poll: an older generation cannot commit (KIP-447)."""
    records: list[Record] = field(default_factory=list)
    size_bytes: int = 0
    counts: dict[TopicPartition, Counts] = field(default_factory=dict)
    """What the group had counted of each partition before these records."""

    def add(self, message: Any) -> None:
        """Append what the consumer returned."""
        value = message.value or b""
        headers = tuple((name, content or b"") for name, content in message.headers)
        place = (message.topic, message.partition, message.offset)
        self.records.append(Record(*place, message.key, value, headers, timestamp_ms=message.timestamp))
        self.size_bytes += len(value)

    @property
    def whence(self) -> str:
        """Where its records are read, for people."""
        starts = first_offsets(self.records).items()
        return ", ".join(f"{place.topic}/{place.partition} from offset {offset}" for place, offset in starts)

    def offsets(self, records: Iterable[Record], tallies: Mapping[TopicPartition, Tally]) -> Offsets:
        """Return what to commit once ``records``, a beginning of the batch in each partition, are done."""
        return {
            place: OffsetAndMetadata(offset, written(self.counts[place].with_tally(tallies[place])), -1)
            for place, offset in next_offsets(records).items()
        }


def first_offsets(records: Iterable[Record]) -> dict[TopicPartition, int]:
    """Return where to go back to, by partition, to read these again."""
    found: dict[TopicPartition, int] = {}
    for record in records:
        found.setdefault(TopicPartition(record.topic, record.partition), record.offset)
    return found


def next_offsets(records: Iterable[Record]) -> dict[TopicPartition, int]:
    """Return what to commit, by partition, once these are done."""
    return {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}


class Reader:
    """Reads from the topics of a stage as a member of its group.

    Parameters
    ----------
    consumer
        A ``KafkaConsumer`` that is not subscribed yet.
    limits
        When a batch is full.
    """

    def __init__(self, consumer: Any, limits: BatchLimits) -> None:
        self._consumer = consumer
        self._limits = limits
        self._changes = _Changes()
        self._behind: dict[TopicPartition, int] = {}
        self._counts: dict[TopicPartition, Counts] = {}

    def subscribe(self, topics: Iterable[str]) -> None:
        """Join the group for these topics."""
        self._consumer.subscribe(list(topics), listener=self._changes)

    def read(self, stopping: Callable[[], bool], wait_s: float = 0.2) -> Batch | None:
        """Return the next batch, or None where none came within ``wait_s`` seconds or the group is rebalancing.

        Raises
        ------
        kafka.errors.KafkaError
            Reading failed; nothing is lost, the next call starts where the last commit ended.
        """
        self._rewind()
        for place in self._changes.lost:
            self._counts.pop(place, None)
        self._changes.lost.clear()
        batch = self._gather(stopping, wait_s)
        if batch is None:
            return None
        try:
            batch.counts = {place: self._counted(place) for place in first_offsets(batch.records)}
        except KafkaError:
            self.give_back(batch.records)
            raise
        if self._is_current(batch):
            return batch
        self.give_back(batch.records)
        return None

    def _counted(self, place: TopicPartition) -> Counts:
        """Return what the group has counted of a partition; it is asked once after each move of the partition."""
        if place not in self._counts:
            found = self._consumer.committed(place, metadata=True, timeout_ms=5000)
            if found is None:
                self._counts[place] = Counts()
            else:
                self._counts[place] = read_counts(found.metadata) or Counts(since=found.offset)
        return self._counts[place]

    def done(self, batch: Batch, tallies: Mapping[TopicPartition, Tally]) -> None:
        """Note that a batch was committed with these counts."""
        for place, tally in tallies.items():
            self._counts[place] = batch.counts[place].with_tally(tally)

    def _gather(self, stopping: Callable[[], bool], wait_s: float) -> Batch | None:
        batch: Batch | None = None
        deadline = time.monotonic() + wait_s
        while not stopping():
            left_s = deadline - time.monotonic()
            room = self._limits.records - (len(batch.records) if batch else 0)
            found = self._consumer.poll(max(0.0, left_s) * 1000, max_records=min(room, POLL_RECORDS))
            if found and batch is None:
                batch = Batch(self._consumer.group_metadata())
                deadline = time.monotonic() + self._limits.linger_s
            if batch is not None:
                for message in _in_order(found):
                    batch.add(message)
                if len(batch.records) >= self._limits.records or batch.size_bytes >= self._limits.max_bytes:
                    break
            if time.monotonic() >= deadline:
                break
        return batch

    def _is_current(self, batch: Batch) -> bool:
        """Return whether no rebalance came between: else some records may be another member's by now."""
        now = self._consumer.group_metadata()
        return (
            now.state is MemberState.STABLE
            and now.generation_id >= 0
            and now.generation_id == batch.group.generation_id
            and not self._changes.lost
        )

    def give_back(self, records: Iterable[Record]) -> None:
        """Have these records read again, by us or by whoever has their partitions then."""
        for partition, offset in first_offsets(records).items():
            self._behind[partition] = min(offset, self._behind.get(partition, offset))

    def _rewind(self) -> None:
        """Seek the partitions that were given back.

        What is committed may be further on: by a commit of ours that succeeded and was never answered, or by another
        member that had the partition meanwhile.
        """
        for partition, offset in list(self._behind.items()):
            self._counts.pop(partition, None)
            if partition in self._consumer.assignment():
                committed = self._consumer.committed(partition, timeout_ms=5000)
                self._consumer.seek(partition, max(offset, committed or 0))
            del self._behind[partition]

    def stay(self, seconds: float) -> None:
        """Stay in the group for a while without reading: heartbeats and rebalances go on, partitions are paused."""
        deadline = time.monotonic() + seconds
        while True:
            self._consumer.pause(*self._consumer.assignment())
            left_s = deadline - time.monotonic()
            for partition, messages in self._consumer.poll(max(0.0, min(left_s, 0.2)) * 1000).items():
                self._behind.setdefault(partition, messages[0].offset)
            if left_s <= 0:
                break

    def resume(self) -> None:
        """Read again after `stay`."""
        self._consumer.resume(*self._consumer.paused())

    def lag(self) -> dict[tuple[str, int], int]:
        """Return messages not read yet, by topic and partition, where known."""
        found = {}
        for partition in self._consumer.assignment():
            try:
                position = self._consumer.position(partition, timeout_ms=0)
                end = self._consumer.highwater(partition)
            except KafkaError:
                continue
            if end is not None and position is not None:
                found[partition.topic, partition.partition] = max(0, end - self._behind.get(partition, position))
        return found

    def heard_at_s(self) -> float:
        """Return when the group's coordinator last answered, on the scale of ``time.monotonic``."""
        heartbeat = self._consumer._coordinator.heartbeat
        return float(max(heartbeat.last_receive, heartbeat.last_reset))

    def close(self, timeout_s: float) -> None:
        """Leave the group (a static member keeps its place in it) and close."""
        self._consumer.close(autocommit=False, timeout_ms=timeout_s * 1000)


class _Changes(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes the partitions that went away; called on the consumer's own thread."""

    def __init__(self) -> None:
        self.lost: set[TopicPartition] = set()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.lost.update(revoked)

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        self.lost.update(lost)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        log.info("assigned: %s", ", ".join(f"{one.topic}/{one.partition}" for one in sorted(assigned)))


def _in_order(found: Mapping[TopicPartition, list[Any]]) -> Iterable[Any]:
    for messages in found.values():
        yield from messages
