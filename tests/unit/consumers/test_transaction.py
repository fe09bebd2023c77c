from __future__ import annotations

import threading
import time

import pytest
from kafka import TopicPartition
from kafka.errors import CoordinatorNotAvailableError, KafkaTimeoutError
from kafka.structs import OffsetAndMetadata

from consumers.background import Call
from consumers.connection import Membership
from consumers.transaction import TransactionalWriter, WriterClosedError
from tests.unit.consumers.producers import MemoryProducer, MemoryProducers

OFFSETS = {TopicPartition("t", 0): OffsetAndMetadata(1, "", -1)}


@pytest.fixture
def producers(monkeypatch: pytest.MonkeyPatch) -> MemoryProducers:
    return MemoryProducers(monkeypatch)


def writer(*, timeout_s: float = 1.0, transaction_timeout_s: float = 30.0) -> TransactionalWriter:
    member = Membership("group", "0")
    return TransactionalWriter({}, member, timeout_s=timeout_s, transaction_timeout_s=transaction_timeout_s)


def test_offsets_are_committed_in_one_transaction(producers: MemoryProducers) -> None:
    writer().write([], OFFSETS, None)
    assert producers.done == ["open", "init", "begin", "flush", "offsets", "commit"]


def test_closed_writer_opens_nothing_and_commits_nothing(producers: MemoryProducers) -> None:
    one = writer()
    one.open()
    one.close(timeout_s=1.0)
    before = list(producers.done)
    with pytest.raises(WriterClosedError, match="group-0 commits nothing any more"):
        one.write([], OFFSETS, None)
    assert producers.done == before


@pytest.mark.parametrize("held", ["open", "init", "begin", "flush", "offsets"])
def test_writer_closed_in_the_middle_of_a_transaction_does_not_commit_it(producers: MemoryProducers, held: str) -> None:
    gate = producers.held[held] = threading.Event()
    one = writer()
    call = Call(lambda: one.write([], OFFSETS, None), "write")
    assert producers.reached.wait(10)
    one.close(timeout_s=1.0)
    gate.set()
    assert call.wait(10)
    with pytest.raises(WriterClosedError):
        call.result()
    assert "commit" not in producers.done
    assert producers.done.count("close") == 1


def test_close_waits_for_a_commit_that_has_begun(producers: MemoryProducers) -> None:
    gate = producers.held["commit"] = threading.Event()
    one = writer()
    call = Call(lambda: one.write([], OFFSETS, None), "write")
    assert producers.reached.wait(10)
    closing = Call(lambda: one.close(timeout_s=10.0), "close")
    assert not closing.wait(0.1)
    gate.set()
    assert closing.wait(10)
    assert call.wait(10)
    call.result()
    assert producers.done[-2:] == ["commit", "close"]


def test_close_does_not_wait_for_ever_for_a_commit(producers: MemoryProducers) -> None:
    gate = producers.held["commit"] = threading.Event()
    one = writer()
    call = Call(lambda: one.write([], OFFSETS, None), "write")
    assert producers.reached.wait(10)
    started = time.monotonic()
    one.close(timeout_s=0.1)
    assert time.monotonic() - started < 5.0
    assert producers.done[-1] == "close"
    gate.set()
    assert call.wait(10)


@pytest.mark.parametrize("held", ["flush", "offsets", "commit"])
def test_transaction_that_does_not_end_is_left_and_the_next_one_has_a_producer_of_its_own(
    producers: MemoryProducers, held: str
) -> None:
    gate = producers.held[held] = threading.Event()
    one = writer(transaction_timeout_s=0.2)
    with pytest.raises(KafkaTimeoutError, match="no transaction within"):
        one.write([], OFFSETS, None)
    del producers.held[held]
    again = Call(lambda: one.write([], OFFSETS, None), "write")
    assert again.wait(5)  # while the other one is still held
    again.result()
    assert producers.done.count("init") == 2
    assert producers.done[-1] == "commit"
    one.close(timeout_s=1.0)
    gate.set()


def test_transaction_that_was_left_does_not_commit_when_it_goes_on_after_all(producers: MemoryProducers) -> None:
    gate = producers.held["offsets"] = threading.Event()
    one = writer(transaction_timeout_s=0.2)
    with pytest.raises(KafkaTimeoutError):
        one.write([], OFFSETS, None)
    went_on = threading.Event()
    producers.on["offsets"] = went_on.set
    gate.set()
    assert went_on.wait(10)
    time.sleep(0.2)
    assert "commit" not in producers.done


def test_abort_that_does_not_end_is_left_too(producers: MemoryProducers, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = producers.held["abort"] = threading.Event()
    monkeypatch.setattr(MemoryProducer, "send_offsets_to_transaction", _fail)
    one = writer(timeout_s=0.2)
    with pytest.raises(CoordinatorNotAvailableError):
        one.write([], OFFSETS, None)
    assert producers.done[-1] == "close"
    gate.set()


def _fail(*_: object) -> None:
    raise CoordinatorNotAvailableError
