"""Letters and marks as they lie in the topics, on a consumer in memory."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from kafka import TopicPartition

from consumers import dead_letter_topics
from consumers.dead_letter_topics import MARK_PREFIX, DeadLetterReader, Letter, LetterFilter, Mark
from consumers.dead_letters import as_headers, letter, sent_back
from consumers.settling_letters import to_replay
from consumers.stage import Output, Record, Rejection
from events import PageFound, Topics, encode
from tests.contract.samples import NOON
from tests.unit.consumers.test_judging import page

Message = namedtuple("Message", ["topic", "partition", "offset", "key", "value", "headers"])
TOPIC = "pages.found"


class MemoryConsumer:
    """Has topics of one partition."""

    def __init__(self, outputs: Sequence[Output]) -> None:
        self._log: dict[TopicPartition, list[Message]] = {}
        for one in outputs:
            place = TopicPartition(one.topic, 0)
            log = self._log.setdefault(place, [])
            log.append(Message(one.topic, 0, len(log), one.key, one.value, list(one.headers)))
        self._positions: dict[TopicPartition, int] = {}

    def topics(self) -> set[str]:
        return {place.topic for place in self._log}

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0}

    def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: len(self._log[place]) for place in places}

    def assign(self, places: list[TopicPartition]) -> None:
        self._positions = dict.fromkeys(places, 0)

    def seek(self, place: TopicPartition, offset: int) -> None:
        self._positions[place] = offset

    def position(self, place: TopicPartition) -> int:
        return self._positions[place]

    def poll(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Message]]:
        found = {}
        for place, position in self._positions.items():
            found[place] = self._log[place][position : position + 3]
            self._positions[place] = position + len(found[place])
        return found

    def close(self, **_: Any) -> None:
        return


def put_aside(
    event: PageFound, offset: int, *, error: str = "PoisonError", headers: Any = (), stage: str = "classify"
) -> Output:
    record = Record(TOPIC, 2, offset, event.page_id.encode(), encode(event), tuple(headers))
    return letter(Rejection(record, error, "why"), f"{TOPIC}.dlq", stage=stage, at=NOON + timedelta(minutes=offset))


def mark(offset: int, settled: str, stage: str = "classify") -> Output:
    said = Mark(topic=TOPIC, partition=2, offset=offset, stage=stage, settled=settled, at=NOON, by="ana")  # type: ignore[arg-type]
    return Output(f"{TOPIC}.dlq", None, b"", as_headers(MARK_PREFIX, said))


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Any:
    def make(*outputs: Output) -> DeadLetterReader:
        monkeypatch.setattr(dead_letter_topics, "open_reader", lambda *_, **__: MemoryConsumer(outputs))
        return DeadLetterReader({}, Topics())

    return make


def letters(reading: Any, *outputs: Output) -> list[Letter]:
    with reading(*outputs) as reader:
        found: list[Letter] = reader.read().letters
        return found


def test_letters_say_what_is_in_them_and_where_they_lie(reading: Any) -> None:
    first, second = letters(reading, put_aside(page("one"), 14), put_aside(page("two"), 15))
    assert (first.id, second.id) == (f"{TOPIC}.dlq/0/0", f"{TOPIC}.dlq/0/1")
    assert (first.page_id, first.host, first.url) == (page("one").page_id, page("one").host, page("one").url)
    assert (first.facts.offset, first.replays, first.settled) == (14, 0, None)
    assert first.place == (TopicPartition(f"{TOPIC}.dlq", 0), 0)


def test_bytes_that_nobody_can_read_are_known_by_their_key(reading: Any) -> None:
    record = Record(TOPIC, 0, 0, b"key", b"\xff{")
    (one,) = letters(reading, letter(Rejection(record, "PoisonError", "why"), f"{TOPIC}.dlq", stage="x", at=NOON))
    assert (one.page_id, one.host, one.url, one.size_bytes) == ("key", "", "", 2)


def test_letter_is_settled_by_the_last_mark_behind_it(reading: Any) -> None:
    found = letters(
        reading,
        put_aside(page("one"), 1),
        put_aside(page("two"), 2),
        put_aside(page("three"), 3),
        mark(1, "dropped"),
        mark(2, "replayed"),
        mark(1, "replayed"),
    )
    assert [one.settled and one.settled.settled for one in found] == ["replayed", "replayed", None]


def test_letters_of_two_stages_on_one_message_are_two(reading: Any) -> None:
    found = letters(reading, put_aside(page("one"), 1), put_aside(page("one"), 1, stage="evidence"), mark(1, "dropped"))
    assert [(one.facts.stage, one.settled is None) for one in found] == [("classify", False), ("evidence", True)]


def test_letter_that_was_written_twice_is_one(reading: Any) -> None:
    with reading(put_aside(page("one"), 1), mark(1, "dropped"), put_aside(page("one"), 1)) as reader:
        found = reader.read()
    (one,) = found.letters
    assert one.settled is not None
    assert found.written == {"classify": 2}


def test_messages_of_others_are_counted_and_left(reading: Any) -> None:
    elsewhere = letter(Rejection(Record("x", 0, 0, None, b""), "E", "m"), f"{TOPIC}.dlq", stage="x", at=NOON)
    with reading(Output(f"{TOPIC}.dlq", None, b"hello"), elsewhere) as reader:
        found = reader.read()
    assert (found.letters, found.foreign) == ([], {f"{TOPIC}.dlq": 2})


def test_messages_of_letters_come_with_them(reading: Any) -> None:
    with reading(*(put_aside(page(str(n)), n) for n in range(10))) as reader:
        found = reader.read().letters
        got = [(one.id, message.value) for one, message in reader.messages([found[7], found[2]])]
    assert got == [(found[2].id, encode(page("2"))), (found[7].id, encode(page("7")))]


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (LetterFilter(), [1, 2, 3]),
        (LetterFilter(error="StoreRejectedDocument"), [2]),
        (LetterFilter(stage="index"), [3]),
        (LetterFilter(topic=TOPIC, page_id=page("1").page_id), [1]),
        (LetterFilter(topic="pages.judged"), []),
        (LetterFilter(host=page("1").host), [1, 2, 3]),
        (LetterFilter(host="elsewhere.example"), []),
        (LetterFilter(since=NOON + timedelta(minutes=2)), [2, 3]),
        (LetterFilter(since=NOON + timedelta(minutes=2), until=NOON + timedelta(minutes=3)), [2]),
        (LetterFilter(ids=(f"{TOPIC}.dlq/0/0", f"{TOPIC}.dlq/0/2")), [1, 3]),
        (LetterFilter(ids=(f"{TOPIC}.dlq/0/0",), stage="index"), []),
    ],
)
def test_filters(reading: Any, wanted: LetterFilter, taken: list[int]) -> None:
    found = letters(
        reading,
        put_aside(page("1"), 1),
        put_aside(page("2"), 2, error="StoreRejectedDocument"),
        put_aside(page("3"), 3, stage="index"),
    )
    assert [one.facts.offset for one in found if wanted.takes(one)] == taken


def came_back(times: int, offset: int) -> Output:
    made = put_aside(page(str(offset)), offset)
    for _ in range(times):
        back = sent_back(made.value, made.key, made.headers)
        made = put_aside(page(str(offset)), offset, headers=back.headers)
    return made


def test_letter_that_came_back_too_often_is_passed_over_unless_forced(reading: Any) -> None:
    found = letters(reading, came_back(0, 1), came_back(2, 2), came_back(3, 3))
    choice = to_replay(found)
    assert [one.facts.offset for one in choice.chosen] == [1, 2]
    assert [one.facts.offset for one in choice.given_up] == [3]
    assert [one.facts.offset for one in to_replay(found, most_replays=1).chosen] == [1]
    assert len(to_replay(found, force=True).chosen) == 3


def test_letter_that_was_sent_back_is_never_sent_again_and_a_dropped_one_only_by_force(reading: Any) -> None:
    found = letters(reading, came_back(0, 1), came_back(0, 2), mark(1, "replayed"), mark(2, "dropped"))
    assert to_replay(found).chosen == []
    choice = to_replay(found, force=True)
    assert [one.facts.offset for one in choice.chosen] == [2]
    assert [one.facts.offset for one in choice.settled] == [1]
