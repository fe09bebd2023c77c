"""The dead-letter topics as people see them: which letters there are, and which of them are open (ADR 0022).

A log cannot be edited: what becomes of a letter is written behind it, as a mark in the same topic.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec
from kafka import TopicPartition

from consumers.connection import ClientOptions, open_reader
from consumers.dead_letters import DeadLetter, from_headers, read_letter, read_replay
from consumers.stage import Header
from consumers.topic_reading import messages_between, offsets_of, partitions_of
from events import Topics

MARK_PREFIX = "guidewatch.mark."
_MOST_CHARS = 500

Origin = tuple[str, int, int, str]
"""Topic, partition, offset and stage: a letter that was written twice is the same letter."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a dead letter; it names the letter by its origin."""

    topic: str
    partition: int
    offset: int
    stage: str
    settled: Literal["replayed", "dropped"]
    at: datetime
    by: str
    reason: str = ""

    @property
    def origin(self) -> Origin:
        """Which letter."""
        return self.topic, self.partition, self.offset, self.stage


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter, without its bytes."""

    id: str
    """``topic/partition/offset`` where it lies."""
    facts: DeadLetter
    page_id: str
    url: str
    host: str
    """Of the event in it, as far as it can be read; empty otherwise."""
    size_bytes: int
    replays: int
    """How often the message had been sent back before."""
    settled: Mark | None = None

    @property
    def origin(self) -> Origin:
        """What a mark names it by."""
        return self.facts.topic, self.facts.partition, self.facts.offset, self.facts.stage

    @property
    def place(self) -> tuple[TopicPartition, int]:
        """Partition and offset where it lies."""
        topic, partition, offset = self.id.rsplit("/", 2)
        return TopicPartition(topic, int(partition)), int(offset)


class LetterFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters: every field given must hold. Times are half-open, on when the letter was put aside."""

    ids: tuple[str, ...] = ()
    topic: str = ""
    error: str = ""
    stage: str = ""
    host: str = ""
    page_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, letter: Letter) -> bool:
        """Return whether the letter is one of those asked for, open or not."""
        pairs = (
            (self.topic, letter.facts.topic),
            (self.error, letter.facts.error),
            (self.stage, letter.facts.stage),
            (self.host, letter.host),
            (self.page_id, letter.page_id),
        )
        return (
            (not self.ids or letter.id in self.ids)
            and all(asked in ("", found) for asked, found in pairs)
            and (self.since is None or letter.facts.at >= self.since)
            and (self.until is None or letter.facts.at < self.until)
        )


@dataclass(slots=True)
class Found:
    """What lies in the dead-letter topics."""

    letters: list[Letter] = field(default_factory=list)
    """In the order they lie in; of one that was written twice, the first. Each with what became of it."""
    written: dict[str, int] = field(default_factory=dict)
    """Letters by the stage that wrote them, those that were written twice included."""
    replayed: dict[str, int] = field(default_factory=dict)
    """Letters that were sent back, by the topic they went to."""
    foreign: dict[str, int] = field(default_factory=dict)
    """Messages that are no dead letters of ours, by topic."""


class DeadLetterReader(contextlib.AbstractContextManager["DeadLetterReader"]):
    """Reads the dead-letter topics of an installation.

    Parameters
    ----------
    options
        Client options of kafka-python.
    topics
        Names.
    timeout_s
        How long to wait for Kafka.

    Raises
    ------
    BrokerUnavailableError, BrokerRefusedError
    """

    def __init__(self, options: ClientOptions, topics: Topics, *, timeout_s: float = 10.0) -> None:
        self._consumer = open_reader(options, timeout_s=timeout_s)
        places = partitions_of(self._consumer, {name for name in topics.all() if name.endswith(".dlq")})
        self._starts = offsets_of(self._consumer.beginning_offsets, places)
        self._ends = offsets_of(self._consumer.end_offsets, places)

    def __exit__(self, *_: object) -> None:
        self._consumer.close(autocommit=False, timeout_ms=500)

    @property
    def size(self) -> int:
        """Offsets to read."""
        return int(sum(self._ends.values()) - sum(self._starts.values()))

    @property
    def expired(self) -> bool:
        """Whether the oldest messages are gone."""
        return any(self._starts.values())

    def read(self, on_progress: Callable[[str, int, int], None] | None = None) -> Found:
        """Return all letters that were there when this was made.

        Raises
        ------
        BrokerUnavailableError
        """
        folding = _Folding()
        for number, message in enumerate(messages_between(self._consumer, self._starts, self._ends), 1):
            folding.add(message)
            if on_progress is not None and number % 500 == 0:
                on_progress("reading", number, self.size)
        return folding.found()

    def messages(self, letters: Collection[Letter]) -> Iterator[tuple[Letter, Any]]:
        """Yield the letters with their messages, in the order they lie in.

        Raises
        ------
        BrokerUnavailableError
        """
        wanted = {letter.place: letter for letter in letters}
        starts: dict[TopicPartition, int] = {}
        ends: dict[TopicPartition, int] = {}
        for place, offset in wanted:
            starts[place] = min(offset, starts.get(place, offset))
            ends[place] = max(offset + 1, ends.get(place, 0))
        for message in messages_between(self._consumer, starts, ends):
            letter = wanted.get((TopicPartition(message.topic, message.partition), message.offset))
            if letter is not None:
                yield letter, message


class _Folding:
    """Brings letters and the marks behind them together."""

    def __init__(self) -> None:
        self._letters: dict[Origin, Letter] = {}
        self._marks: dict[Origin, Mark] = {}
        self._found = Found()

    def add(self, message: Any) -> None:
        headers = headers_of(message)
        mark = read_mark(headers)
        if mark is not None:
            self._mark(mark)
            return
        try:
            letter = _letter(message, headers)
        except ValueError:
            self._found.foreign[message.topic] = self._found.foreign.get(message.topic, 0) + 1
            return
        stage = letter.facts.stage
        self._found.written[stage] = self._found.written.get(stage, 0) + 1
        self._letters.setdefault(letter.origin, letter)

    def _mark(self, mark: Mark) -> None:
        self._marks[mark.origin] = mark
        if mark.settled == "replayed":
            self._found.replayed[mark.topic] = self._found.replayed.get(mark.topic, 0) + 1

    def found(self) -> Found:
        self._found.letters = [
            msgspec.structs.replace(letter, settled=self._marks.get(origin)) for origin, letter in self._letters.items()
        ]
        return self._found


class _About(msgspec.Struct):
    page_id: str = ""
    url: str = ""
    host: str = ""


_about = msgspec.json.Decoder(_About)


def headers_of(message: Any) -> tuple[Header, ...]:
    """Return the headers of what a consumer returned."""
    return tuple((name, value or b"") for name, value in message.headers)


def read_mark(headers: tuple[Header, ...]) -> Mark | None:
    """Return the mark in these headers, or None where there is none."""
    if not any(name.startswith(MARK_PREFIX) for name, _ in headers):
        return None
    try:
        return from_headers(MARK_PREFIX, headers, Mark)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return None


def _letter(message: Any, headers: tuple[Header, ...]) -> Letter:
    facts = read_letter(headers)
    if Topics().dead_letters(facts.topic) != message.topic:
        raise ValueError(f"a letter of {facts.topic} does not belong here")
    value = message.value or b""
    try:
        about = _about.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        about = _About()
    replay = read_replay(headers, facts.topic)
    return Letter(
        id=f"{message.topic}/{message.partition}/{message.offset}",
        facts=facts,
        page_id=(about.page_id or (message.key or b"").decode("utf-8", "replace"))[:_MOST_CHARS],
        url=about.url[:_MOST_CHARS],
        host=about.host[:_MOST_CHARS],
        size_bytes=len(value),
        replays=replay.count if replay is not None else 0,
    )
