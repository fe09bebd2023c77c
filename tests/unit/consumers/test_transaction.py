from __future__ import annotations

import threading
import time

import pytest
from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from consumers.background import Call
from consumers.connection import Membership
from consumers.transaction import TransactionalWriter, WriterClosedError
from tests.unit.consumers.producers import MemoryProducers

OFFSETS = {TopicPartition("t", 0): OffsetAndMetadata(1, "", -1)}


@pytest.fixture
def producers(monkeypatch: pytest.MonkeyPatch) -> MemoryProducers:
    return MemoryProducers(monkeypatch)


def writer() -> TransactionalWriter:
    return TransactionalWriter({}, Membership("group", "0"), timeout_s=1.0)


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
