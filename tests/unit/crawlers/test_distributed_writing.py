"""A transaction of a spider ends, or is given up."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import CoordinatorNotAvailableError

from crawlers.distributed.writing import NotCommittedError, SessionLostError, TransactionWriter

OFFSETS = {TopicPartition("t", 0): 1}


class Producer:
    """Notes what it is asked for, hangs in one call, and fails in another."""

    def __init__(self, *, hangs: str = "", fails: str = "") -> None:
        self.calls: list[str] = []
        self.gate = threading.Event()
        self._hangs, self._fails = hangs, fails

    def __getattr__(self, name: str) -> Any:
        def call(*_: Any) -> None:
            if name == self._hangs:
                assert self.gate.wait(10)
            self.calls.append(name)
            if name == self._fails:
                raise CoordinatorNotAvailableError

        return call


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
