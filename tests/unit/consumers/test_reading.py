"""The reader on a consumer in memory, for what a real broker does too seldom."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

from kafka import TopicPartition
from kafka.structs import ConsumerGroupMetadata, MemberState, OffsetAndMetadata

from consumers.counting import Counts, Tally, read_counts, written
from consumers.reading import BatchLimits, Reader, first_offsets, next_offsets

Message = namedtuple("Message", ["topic", "partition", "offset", "key", "value", "headers", "timestamp"])
ONE, TWO = TopicPartition("t", 1), TopicPartition("t", 2)


class MemoryConsumer:
    """Holds messages by partition; a poll may be preceded by something that happens in the group."""

    def __init__(self, counts: dict[TopicPartition, int], size: int = 10) -> None:
        self.log = {
            one: [Message(*one, offset, b"k", b"x" * size, [], 1_700_000_000_000 + offset) for offset in range(count)]
            for one, count in counts.items()
        }
        self.positions = dict.fromkeys(counts, 0)
        self.commits: dict[TopicPartition, int] = {}
        self.notes: dict[TopicPartition, str] = {}
        """Metadata of the committed offsets."""
        self.asked = 0
        self.paused_now: set[TopicPartition] = set()
        self.group = ConsumerGroupMetadata("g", 1, "m", None, MemberState.STABLE)
        self.before_poll: list[Callable[[], None]] = []
        self.polls = 0
        self.listener: Any = None

    def subscribe(self, topics: list[str], listener: Any) -> None:
        self.listener = listener

    def poll(self, timeout_ms: float, max_records: int = 500) -> dict[TopicPartition, list[Message]]:
        self.polls += 1
        if self.before_poll:
            self.before_poll.pop(0)()
        for one in sorted(self.positions.keys() - self.paused_now):
            found = self.log[one][self.positions[one] :][:max_records]
            if found:
                self.positions[one] += len(found)
                return {one: found}
        return {}

    def assignment(self) -> set[TopicPartition]:
        return set(self.positions)

    def committed(self, partition: TopicPartition, metadata: bool = False, timeout_ms: float = 0) -> Any:
        self.asked += metadata
        offset = self.commits.get(partition)
        if offset is None or not metadata:
            return offset
        return OffsetAndMetadata(offset, self.notes.get(partition, ""), -1)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    def pause(self, *partitions: TopicPartition) -> None:
        self.paused_now.update(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self.paused_now.difference_update(partitions)

    def paused(self) -> set[TopicPartition]:
        return set(self.paused_now)

    def group_metadata(self) -> Any:
        return self.group

    def rebalanced(self, state: str = MemberState.STABLE) -> None:
        self.group = self.group._replace(generation_id=self.group.generation_id + 1, state=state)


def reader(consumer: MemoryConsumer, **limits: Any) -> Reader:
    made = Reader(consumer, BatchLimits(**({"records": 500, "linger_s": 0.01} | limits)))
    made.subscribe(["t"])
    return made


def read(one: Reader) -> list[tuple[int, int]]:
    batch = one.read(lambda: False, wait_s=0.01)
    return [] if batch is None else [(record.partition, record.offset) for record in batch.records]


def test_batch_ends_at_its_number_of_records() -> None:
    one = reader(MemoryConsumer({ONE: 100}), records=70)
    assert len(read(one)) == 70
    assert len(read(one)) == 30
    assert read(one) == []


def test_batch_ends_within_a_poll_of_its_size() -> None:
    assert len(read(reader(MemoryConsumer({ONE: 500}, size=100), max_bytes=3000))) == 64


def test_batch_ends_with_the_wait_for_more() -> None:
    assert read(reader(MemoryConsumer({ONE: 2, TWO: 1}))) == [(1, 0), (1, 1), (2, 0)]


def test_stop_ends_the_wait() -> None:
    assert reader(MemoryConsumer({ONE: 2})).read(lambda: True, wait_s=60.0) is None


def test_records_given_back_are_read_again() -> None:
    one = reader(MemoryConsumer({ONE: 2, TWO: 1}))
    batch = one.read(lambda: False)
    assert batch is not None
    one.give_back(batch.records)
    assert read(one) == [(1, 0), (1, 1), (2, 0)]


def test_records_given_back_but_committed_after_all_are_not_read_again() -> None:
    consumer = MemoryConsumer({ONE: 3})
    one = reader(consumer)
    batch = one.read(lambda: False)
    assert batch is not None
    consumer.commits[ONE] = 2
    one.give_back(batch.records)
    assert read(one) == [(1, 2)]


def test_batch_read_across_a_rebalance_is_given_back() -> None:
    consumer = MemoryConsumer({ONE: 100})
    consumer.before_poll = [lambda: None, consumer.rebalanced]
    one = reader(consumer)
    assert read(one) == []
    assert read(one)[0] == (1, 0)


def test_batch_read_while_the_group_rebalances_is_given_back() -> None:
    consumer = MemoryConsumer({ONE: 10})
    consumer.group = consumer.group._replace(state=MemberState.REBALANCING)
    one = reader(consumer)
    assert read(one) == []
    consumer.group = consumer.group._replace(state=MemberState.STABLE)
    assert len(read(one)) == 10


def test_member_that_was_put_out_commits_nothing() -> None:
    consumer = MemoryConsumer({ONE: 10})
    consumer.group = consumer.group._replace(generation_id=-1)
    assert read(reader(consumer)) == []


def test_partition_that_came_back_continues_where_the_other_member_left_it() -> None:
    consumer = MemoryConsumer({ONE: 10})
    one = reader(consumer)

    def away_and_back() -> None:
        consumer.listener.on_partitions_revoked([ONE])
        consumer.commits[ONE] = 7
        consumer.positions[ONE] = 7
        consumer.listener.on_partitions_assigned([ONE])

    consumer.before_poll = [lambda: None, away_and_back]
    assert read(one) == []
    assert read(one) == [(1, 7), (1, 8), (1, 9)]


def test_staying_in_the_group_reads_nothing_and_loses_nothing() -> None:
    consumer = MemoryConsumer({ONE: 3, TWO: 0})
    one = reader(consumer)
    one.stay(0)
    assert (consumer.polls, consumer.paused_now) == (1, {ONE, TWO})
    one.resume()
    assert read(one) == [(1, 0), (1, 1), (1, 2)]


def test_partition_that_arrives_during_a_stay_is_read_from_its_beginning() -> None:
    consumer = MemoryConsumer({ONE: 3})
    one = reader(consumer)
    consumer.before_poll = [consumer.paused_now.clear]
    one.stay(0)
    one.resume()
    assert read(one) == [(1, 0), (1, 1), (1, 2)]


def test_offsets_of_a_batch() -> None:
    batch = reader(MemoryConsumer({ONE: 3, TWO: 2})).read(lambda: False)
    assert batch is not None
    assert first_offsets(batch.records) == {ONE: 0, TWO: 0}
    assert next_offsets(batch.records) == {ONE: 3, TWO: 2}


def commit(consumer: MemoryConsumer, one: Reader) -> None:
    """Read a batch and commit it, with its counts."""
    batch = one.read(lambda: False, wait_s=0.01)
    assert batch is not None
    tallies = {place: Tally() for place in first_offsets(batch.records)}
    for record in batch.records:
        tallies[TopicPartition(record.topic, record.partition)].read += 1
    for place, position in batch.offsets(batch.records, tallies).items():
        consumer.commits[place], consumer.notes[place] = position.offset, position.metadata
    one.done(batch, tallies)


def test_counts_go_on_from_batch_to_batch_and_are_asked_for_once() -> None:
    consumer = MemoryConsumer({ONE: 5})
    one = reader(consumer, records=2)
    for _ in range(3):
        commit(consumer, one)
    assert read_counts(consumer.notes[ONE]) == Counts(read=5)
    assert consumer.asked == 1


def test_counts_go_on_where_the_last_owner_of_a_partition_stopped() -> None:
    consumer = MemoryConsumer({ONE: 5})
    consumer.commits[ONE], consumer.notes[ONE] = 3, written(Counts(read=2, poison=1))
    consumer.positions[ONE] = 3
    commit(consumer, reader(consumer))
    assert read_counts(consumer.notes[ONE]) == Counts(read=4, poison=1)


def test_counts_of_a_partition_that_was_away_are_asked_for_again() -> None:
    consumer = MemoryConsumer({ONE: 10})
    one = reader(consumer, records=2)
    commit(consumer, one)
    consumer.listener.on_partitions_revoked([ONE])
    consumer.commits[ONE], consumer.notes[ONE] = 7, written(Counts(read=7))
    consumer.positions[ONE] = 7
    commit(consumer, one)
    assert read_counts(consumer.notes[ONE]) == Counts(read=9)


def test_counts_after_a_commit_whose_answer_was_lost_are_those_that_were_committed() -> None:
    consumer = MemoryConsumer({ONE: 3})
    one = reader(consumer, records=2)
    batch = one.read(lambda: False)
    assert batch is not None
    consumer.commits[ONE], consumer.notes[ONE] = 2, written(Counts(read=2))
    one.give_back(batch.records)
    commit(consumer, one)
    assert read_counts(consumer.notes[ONE]) == Counts(read=3)


def test_counting_begins_where_somebody_else_committed_last() -> None:
    consumer = MemoryConsumer({ONE: 5})
    consumer.commits[ONE] = consumer.positions[ONE] = 3
    commit(consumer, reader(consumer))
    assert read_counts(consumer.notes[ONE]) == Counts(since=3, read=2)


def test_backlog_goes_in_transactions_of_five_hundred_records() -> None:
    one = Reader(MemoryConsumer({ONE: 1200}), BatchLimits())
    one.subscribe(["t"])
    assert [len(read(one)) for _ in range(3)] == [500, 500, 200]


def test_trickle_waits_a_fifth_of_a_second_for_company() -> None:
    assert BatchLimits().linger_s == 0.2
