from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaConnectionError

from consumers.connection import Membership
from consumers.counting import Counts
from consumers.loop import ConsumeLoop, LoopSettings, Timing
from consumers.reading import Batch
from consumers.stage import Handled, Record, StageUnavailableError
from events import PageJudged
from storage.port import StoreRejectedError
from tests.contract.samples import NOON, judged
from tests.unit.consumers.producers import MemoryProducers
from tests.unit.consumers.records import record


class OneRecordReader:
    """Gives one record until it is read for good; the stop is set when there is nothing left."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._left = [record(judged())]
        self.ends_by_itself = True
        self.on_read: Callable[[], object] = lambda: None
        self.on_stay: Callable[[], object] = lambda: None

    def read(self, stopping: Callable[[], bool]) -> Batch | None:
        self.on_read()
        if not self._left:
            if self.ends_by_itself:
                self._stop.set()
            return None
        batch = Batch(None, self._left, counts={TopicPartition("t", 0): Counts()})
        self._left = []
        return batch

    def done(self, batch: Batch, tallies: object) -> None:
        return

    def give_back(self, records: Iterable[Record]) -> None:
        self._left = list(records)

    def stay(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.02))
        self.on_stay()

    def resume(self) -> None:
        return

    def lag(self) -> dict[tuple[str, int], int]:
        return {}

    def heard_at_s(self) -> float:
        return time.monotonic()

    def close(self, timeout_s: float) -> None:
        return


class ListWriter:
    """Keeps the offsets that were written."""

    def __init__(self) -> None:
        self.written: list[int] = []

    def write(self, outputs: object, offsets: dict[Any, int], group: object) -> None:
        self.written.extend(position.offset for position in offsets.values())

    def close(self, timeout_s: float) -> None:
        return


class CallingStage:
    """Does what it is told to."""

    name = "calling"
    topics = ("t",)
    writes = ()
    accepts = (PageJudged,)
    slice_size = 10

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call

    def handle(self, records: Sequence[Record]) -> Handled:
        self._call()
        return Handled()


class OpenLoop(ConsumeLoop):
    """Reads from a reader in memory."""

    def __init__(
        self, reader: OneRecordReader, call: Callable[[], object], writer: Any = None, **timing: float
    ) -> None:
        patience = {"backoff_base_s": 0.01, "backoff_cap_s": 0.1} | timing
        settings = LoopSettings(timing=Timing(**patience))
        super().__init__(CallingStage(call), {}, Membership("group", "0"), lambda: NOON, settings)
        self._given = reader
        if writer is not None:
            self._writer = writer

    def _open(self) -> Any:
        self._reader = self._given
        return self._given


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def reader(stop: threading.Event) -> OneRecordReader:
    return OneRecordReader(stop)


def end_of_the_work() -> None:
    for thread in threading.enumerate():
        if thread.name == "calling-work":
            thread.join(10)
            assert not thread.is_alive()


def test_failure_to_stay_in_the_group_starts_no_second_attempt_beside_the_first(
    reader: OneRecordReader, stop: threading.Event
) -> None:
    third, stays, writer = threading.Event(), [], ListWriter()

    def fail() -> None:
        stays.append(1)
        if len(stays) == 3:
            third.set()
        raise KafkaConnectionError("the broker is away")

    reader.on_stay = fail
    summary = OpenLoop(reader, lambda: third.wait(10), writer, keep_alive_s=0.0).run(stop)
    end_of_the_work()
    assert writer.written == [1]
    assert (summary.records, summary.retries) == (1, 0)


@pytest.mark.parametrize("error", [None, ValueError("unknown")])
def test_work_that_was_left_behind_commits_nothing_later(
    reader: OneRecordReader, stop: threading.Event, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    producers, gate = MemoryProducers(monkeypatch), threading.Event()

    def stay() -> None:
        stop.set()
        if error is not None:
            raise error

    reader.on_stay = stay
    loop = OpenLoop(reader, lambda: gate.wait(10), keep_alive_s=0.0, grace_s=0.05)
    try:
        if error is None:
            assert loop.run(stop).records == 0
        else:
            with pytest.raises(ValueError, match="unknown"):
                loop.run(stop)
    finally:
        gate.set()
    end_of_the_work()
    assert producers.done == []


def test_loop_shows_that_it_is_alive_while_a_batch_is_worked_on(reader: OneRecordReader, stop: threading.Event) -> None:
    seen: set[float] = set()

    def work() -> None:
        deadline = time.monotonic() + 5
        while len(seen) < 3 and time.monotonic() < deadline:
            seen.add(loop.status().turned_at_s)
            time.sleep(0.01)

    loop = OpenLoop(reader, work, ListWriter())
    loop.run(stop)
    assert len(seen) == 3
    assert max(seen) <= loop.status().turned_at_s <= time.monotonic()


def test_loop_shows_that_it_is_alive_while_it_waits_after_a_failure(
    reader: OneRecordReader, stop: threading.Event
) -> None:
    seen: list[float] = []

    def fail_once() -> None:
        if not seen:
            raise StageUnavailableError("not now", retry_after_s=0.2)

    loop = OpenLoop(reader, fail_once, ListWriter())
    reader.on_stay = lambda: seen.append(loop.status().turned_at_s)
    assert loop.run(stop).records == 1
    assert len(seen) > 1
    assert seen == sorted(set(seen))


def test_a_store_that_refuses_is_waited_for_and_the_batch_comes_again(
    reader: OneRecordReader, stop: threading.Event
) -> None:
    said: list[str] = []
    writer = ListWriter()

    def refuse_twice() -> None:
        if len(said) < 2:
            raise StoreRejectedError("does not accept the user name or the password")

    loop = OpenLoop(reader, refuse_twice, writer)
    reader.on_stay = lambda: said.append(loop.status().failure)
    summary = loop.run(stop)
    assert (summary.records, writer.written) == (1, [1])
    assert set(said) == {"does not accept the user name or the password"}


def test_loop_that_is_stuck_does_not_look_alive(reader: OneRecordReader, stop: threading.Event) -> None:
    seen: list[tuple[float, float]] = []

    def stuck() -> None:
        before = loop.status().turned_at_s
        time.sleep(0.3)
        seen.append((before, loop.status().turned_at_s))

    loop = OpenLoop(reader, lambda: None, ListWriter())
    reader.on_read = stuck
    loop.run(stop)
    assert [before for before, _ in seen] == [after for _, after in seen]
    assert seen[0] < seen[1]


def test_a_failure_to_read_is_over_when_there_is_nothing_left(reader: OneRecordReader, stop: threading.Event) -> None:
    states: list[tuple[str, str]] = []

    def fail_then_look() -> None:
        states.append((loop.status().state, loop.status().failure))
        if len(states) == 2:
            raise KafkaConnectionError("the broker is away")
        if len(states) == 4:
            stop.set()

    loop = OpenLoop(reader, lambda: None, ListWriter())
    reader.on_read = fail_then_look
    reader.ends_by_itself = False
    loop.run(stop)
    assert [state for state, _ in states] == ["running", "running", "waiting", "running"]
    assert "the broker is away" in states[2][1]
    assert states[3][1] == ""


def test_a_failure_matters_while_something_is_left(reader: OneRecordReader, stop: threading.Event) -> None:
    loop = OpenLoop(reader, lambda: None, ListWriter())
    loop._change(state="waiting", failure="the store is away")
    loop._rest({("t", 0): 0, ("t", 1): 3})
    assert (loop.status().state, loop.status().lag) == ("waiting", {("t", 0): 0, ("t", 1): 3})
    loop._rest({("t", 0): 0})
    assert (loop.status().state, loop.status().failure) == ("running", "")


def test_transactions_that_come_to_nothing_are_counted_apart(reader: OneRecordReader, stop: threading.Event) -> None:
    class AbortingWriter(ListWriter):
        aborted = 0

        def write(self, outputs: object, offsets: dict[Any, Any], group: object) -> None:
            if self.aborted < 2:
                self.aborted += 1
                raise KafkaConnectionError("the connection broke")
            super().write(outputs, offsets, group)

    loop = OpenLoop(reader, lambda: None, AbortingWriter())
    summary = loop.run(stop)
    assert (summary.batches, summary.aborted, summary.retries, summary.records) == (1, 2, 2, 1)
    assert summary.size_bytes == len(record(judged()).value)
    assert summary.work_s >= 0
    assert summary.commit_s >= 0


def test_an_error_that_nobody_knows_is_logged_with_what_was_at_hand(
    reader: OneRecordReader, stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("nobody foresaw this")

    with pytest.raises(ZeroDivisionError):
        OpenLoop(reader, fail, ListWriter()).run(stop)
    assert "with t/0 from offset 0 at hand" in caplog.text


def test_waiting_for_one_message_is_logged_with_its_place(
    reader: OneRecordReader, stop: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    def fail_once() -> None:
        if not caplog.records:
            raise StageUnavailableError("not there yet", retry_after_s=0.01, place=record(judged()).place)

    OpenLoop(reader, fail_once, ListWriter()).run(stop)
    (line,) = caplog.records
    assert (line.topic, line.partition, line.offset, line.page_id) == ("t", 0, 0, judged().page_id)


def test_status_says_when_the_group_last_answered(reader: OneRecordReader, stop: threading.Event) -> None:
    loop = OpenLoop(reader, lambda: None, ListWriter())
    assert loop.status().heard_at_s == float("-inf")
    before_s = time.monotonic()
    loop.run(stop)
    assert before_s <= loop.status().heard_at_s <= time.monotonic()
