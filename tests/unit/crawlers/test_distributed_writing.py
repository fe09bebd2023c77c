"""A transaction of a spider ends, or is given up."""

from __future__ import annotations

import pytest
from kafka import TopicPartition

from crawlers.distributed.writing import NotCommittedError, SessionLostError, TransactionWriter
from tests.unit.crawlers.producers import Producer

OFFSETS = {TopicPartition("t", 0): 1}


def test_messages_and_offsets_are_committed_together() -> None:
    producer = Producer()
    TransactionWriter(producer, 10.0).write([], OFFSETS, None)
    assert producer.calls == ["begin_transaction", "flush", "send_offsets_to_transaction", "commit_transaction"]


@pytest.mark.parametrize("hangs", ["flush", "send_offsets_to_transaction", "commit_transaction"])
def test_transaction_that_does_not_end_is_given_up(hangs: str) -> None:
    producer = Producer(hangs=hangs)
    with pytest.raises(SessionLostError, match="no end within"):
        TransactionWriter(producer, 0.1).write([], OFFSETS, None)
    producer.gate.set()


def test_what_fails_is_aborted_and_may_be_tried_again() -> None:
    producer = Producer(fails="send_offsets_to_transaction")
    with pytest.raises(NotCommittedError):
        TransactionWriter(producer, 10.0).write([], OFFSETS, None)
    assert producer.calls[-1] == "abort_transaction"


def test_commit_of_which_nobody_knows_the_end_loses_the_session() -> None:
    with pytest.raises(SessionLostError, match="no known end"):
        TransactionWriter(Producer(fails="commit_transaction"), 10.0).write([], OFFSETS, None)
