from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from kafka import TopicPartition

from consumers.counting import Tally
from consumers.dead_letters import REPLAY_PREFIX, read_letter
from consumers.stage import Handled, Output, Record, Rejection
from consumers.work import Worker
from events import PageJudged
from tests.contract.samples import NOON, ended, judged, verdict
from tests.unit.consumers.records import record


class Echo:
    """Outputs what it reads; rejects the offsets it was told."""

    name = "echo"
    topics = ("t",)
    writes = ("out",)
    accepts = (PageJudged,)

    def __init__(self, *rejected: int, slice_size: int = 2) -> None:
        self._rejected = rejected
        self.slice_size = slice_size
        self.calls: list[list[int]] = []

    def handle(self, records: Sequence[Record]) -> Handled:
        self.calls.append([one.offset for one in records])
        return Handled(
            [Output("out", one.key, one.value) for one in records if one.offset not in self._rejected],
            [Rejection(one, "Rejected", "told so") for one in records if one.offset in self._rejected],
        )


def records(count: int) -> list[Record]:
    return [record(judged(str(number)), number) for number in range(count)]


def test_batch_is_handed_over_in_slices_and_decoded() -> None:
    stage = Echo()
    done = Worker(stage, lambda: NOON).work(records(5), lambda: False)
    assert stage.calls == [[0, 1], [2, 3], [4]]
    assert [one.offset for one in done.records] == [0, 1, 2, 3, 4]
    assert [one.value for one in done.outputs] == [one.value for one in records(5)]
    assert done.letters == []


def test_poison_and_rejected_become_letters_and_the_rest_goes_on() -> None:
    batch = records(4)
    batch[1] = Record("t", 0, 1, b"k", b"no json")
    batch[2] = record(ended("two"), 2)
    stage = Echo(3, slice_size=10)
    done = Worker(stage, lambda: NOON).work(batch, lambda: False)
    assert stage.calls == [[0, 3]]
    letters = [(one.topic, read_letter(one.headers)) for one in done.letters]
    assert [(topic, facts.offset, facts.error) for topic, facts in letters] == [
        ("t.dlq", 1, "PoisonError"),
        ("t.dlq", 2, "PoisonError"),
        ("t.dlq", 3, "Rejected"),
    ]
    assert len(done.records) == 4


def test_slice_of_poison_alone_does_not_trouble_the_stage() -> None:
    stage = Echo()
    done = Worker(stage, lambda: NOON).work([Record("t", 0, 0, None, b"")], lambda: False)
    assert (stage.calls, len(done.letters), len(done.records)) == ([], 1, 1)


def test_stop_between_slices_leaves_what_is_done() -> None:
    stage = Echo()
    done = Worker(stage, lambda: NOON).work(records(6), lambda: len(stage.calls) == 2)
    assert [one.offset for one in done.records] == [0, 1, 2, 3]
    assert len(done.outputs) == 4


def test_records_are_counted_by_partition_by_what_became_of_them() -> None:
    stage = Echo(3, slice_size=3)
    batch = [
        record(judged("a"), 0),
        record(judged("b", says=verdict(flagged=False)), 1),
        Record("t", 0, 2, b"k", b"no json"),
        record(judged("c"), 3, partition=1),
    ]
    done = Worker(stage, lambda: NOON).work(batch, lambda: False)
    first, second = done.tallies[TopicPartition("t", 0)], done.tallies[TopicPartition("t", 1)]
    assert first == Tally(read=3, outcomes=Counter(flagged=1, not_flagged=1), outputs=2, poison=1)
    assert second == Tally(read=1, rejected=1)


def test_outputs_are_counted_as_they_are_made_and_not_as_they_should_be() -> None:
    stage = Echo(slice_size=3)
    stage.handle = lambda records: Handled([])  # type: ignore[method-assign]
    tally = Worker(stage, lambda: NOON).work(records(3), lambda: False).tallies[TopicPartition("t", 0)]
    assert (tally.read, tally.outputs) == (3, 0)


def test_dead_letters_that_came_back_are_told_apart_by_whose_they_were() -> None:
    mine, others = ((REPLAY_PREFIX + name, value) for name, value in (("stage", b"echo"), ("stage", b"another")))
    rest = tuple((REPLAY_PREFIX + name, b"1") for name in ("partition", "offset", "count"))
    topic = (REPLAY_PREFIX + "topic", b"t")
    batch = [record(judged(str(n)), n, headers=(one, topic, *rest)) for n, one in enumerate((mine, others))]
    tally = Worker(Echo(1), lambda: NOON).work(batch, lambda: False).tallies[TopicPartition("t", 0)]
    assert tally == Tally(read=2, outcomes=Counter(flagged=1), outputs=1, replayed=1, echoes=1, echo_letters=1)


def test_dead_letter_is_logged_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    Worker(Echo(), lambda: NOON).work([Record("t", 3, 14, b"page-1", b"{")], lambda: False)
    (line,) = caplog.records
    assert "topic=t partition=3 offset=14 page_id=page-1" in line.getMessage()
    assert (line.topic, line.partition, line.offset, line.page_id) == ("t", 3, 14, "page-1")  # type: ignore[attr-defined]
