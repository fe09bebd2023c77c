from __future__ import annotations

from concurrent.futures import Future
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.structs import MemberState

from crawlers.distributed.committing import Committer
from crawlers.distributed.unit import Message, Unit
from crawlers.distributed.writing import NotCommittedError, SessionLostError
from crawlers.outbox import AbandonedError
from events import PartitionProgress, RequestDone, Topics, decode, page_id

TOPICS = Topics("t")
GROUP = SimpleNamespace(generation_id=3, state=MemberState.STABLE)


class Writer:
    """Fails as often as it is told to, then commits."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.written: list[tuple[list[Message], dict[TopicPartition, int]]] = []
        self.closed = False

    def write(self, messages: list[Message], offsets: dict[TopicPartition, int], group: Any) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.written.append((messages, offsets))

    def close(self, timeout_s: float) -> None:
        self.closed = True


def committer_with(writer: Writer, *offsets: int, partition: int = 0) -> Committer:
    made = Committer(writer, TOPICS, "s1", lambda _: {}, lambda: datetime(2026, 3, 1, tzinfo=UTC))
    ledger = made.open(partition, 0, [])
    for offset in offsets:
        ledger.read(offset, "c", "example.org")
    return made


def unit(offset: int, *, partition: int = 0, epoch: int = 1) -> Unit:
    done = RequestDone(crawl_id="c", page_id=page_id(f"http://h/{offset}"), host="h", outcome="page", requested=1)
    return Unit(partition, epoch, [offset], [Message(TOPICS.pages_found, b"k", b"v")], [done])


def test_events_marks_progress_and_offsets_are_in_one_transaction() -> None:
    writer = Writer()
    committer = committer_with(writer, 4, 5)
    future = committer.put(unit(4))
    committer.commit(GROUP, last=True)
    (messages, offsets), *more = writer.written
    assert more == []
    assert [message.topic for message in messages] == [TOPICS.pages_found, TOPICS.crawl_ended, TOPICS.crawl_progress]
    assert messages[1].partition == 0
    assert offsets == {TopicPartition(TOPICS.crawl_requests, 0): 5}
    share = decode(messages[2].value, PartitionProgress).crawls["c"]
    assert (share.open, share.requested, share.outcomes) == (1, 1, {"page": 1})
    assert future.done()


def test_what_was_not_committed_is_not_done_and_is_tried_again() -> None:
    writer = Writer(NotCommittedError("rebalance"))
    committer = committer_with(writer, 4, 5)
    future = committer.put(unit(4))
    committer.commit(GROUP, last=True)
    assert not future.done()
    assert committer.ledgers[0].low_water() == 4
    assert (committer.transactions, committer.aborted) == (0, 1)
    committer.commit(GROUP, last=True)
    assert future.done()
    assert writer.written[0][1] == {TopicPartition(TOPICS.crawl_requests, 0): 5}
    assert (committer.transactions, committer.aborted) == (1, 1)


def test_transactions_that_never_succeed_end_the_session() -> None:
    writer = Writer(*(NotCommittedError("no") for _ in range(50)))
    committer = committer_with(writer, 4)
    committer.put(unit(4))
    with pytest.raises(SessionLostError, match="20 transactions in a row"):
        for _ in range(50):
            committer.commit(GROUP, last=True)


@pytest.mark.parametrize(
    "group", [SimpleNamespace(generation_id=-1, state=MemberState.STABLE), GROUP.__class__(generation_id=3, state="x")]
)
def test_nothing_is_committed_outside_of_a_stable_membership(group: Any) -> None:
    writer = Writer()
    committer = committer_with(writer, 4)
    committer.put(unit(4))
    assert committer.commit(group) is False
    assert writer.written == []


def test_a_partition_that_goes_is_committed_and_one_that_was_lost_is_not() -> None:
    writer = Writer()
    committer = committer_with(writer, 4)
    ledger = committer.open(1, 0, [])
    ledger.read(9, "c", "example.org")
    going, lost = committer.put(unit(4)), committer.put(unit(9, partition=1, epoch=2))
    committer.close({1}, None)
    committer.close({0}, GROUP)
    assert (going.exception(0), type(lost.exception(0))) == (None, AbandonedError)
    (_messages, offsets), *more = writer.written
    assert more == []
    assert offsets == {TopicPartition(TOPICS.crawl_requests, 0): 5}
    assert committer.ledgers == {}


def test_a_unit_from_before_the_partition_went_and_came_again_is_dropped() -> None:
    writer = Writer()
    committer = committer_with(writer, 4)
    committer.close({0}, GROUP)
    committer.open(0, 0, []).read(4, "c", "example.org")
    late = committer.put(unit(4, epoch=1))
    committer.commit(GROUP, last=True)
    assert isinstance(late.exception(0), AbandonedError)
    assert committer.ledgers[0].low_water() == 4
    assert all(message.topic == TOPICS.crawl_progress for messages, _ in writer.written for message in messages)


def test_what_is_there_at_the_end_is_abandoned() -> None:
    writer = Writer()
    committer = committer_with(writer, 4)
    future: Future[None] = committer.put(unit(4))
    committer.abandon()
    assert isinstance(future.exception(0), AbandonedError)
    assert writer.closed
