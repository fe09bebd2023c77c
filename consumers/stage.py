"""What a stage is, what it is given and what it answers: the loop knows nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from events import PageJudged, UrlEnded
from events.messages import Event

Header = tuple[str, bytes]

FOUND_AT = "guidewatch.found_at"
"""Header of what was made of a message: when that was written to ``pages.found``, in milliseconds since 1970."""


class StageUnavailableError(Exception):
    """What a stage needs is not there now; the same batch may succeed later.

    Parameters
    ----------
    message
        One line that says what.
    retry_after_s
        A hint in seconds, or None.
    place
        `Record.place` of the message that needs it, where it is about a single one.
    """

    def __init__(
        self, message: str, retry_after_s: float | None = None, place: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.place = place or {}


@dataclass(frozen=True, slots=True)
class Record:
    """One message as it lies in Kafka, and the event in it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: tuple[Header, ...] = ()
    event: Any = None
    """The decoded event; None only while it is not decoded, or cannot be."""
    timestamp_ms: int = -1
    """When it was written to the topic, in milliseconds since 1970; -1 where that is not known."""

    @property
    def place(self) -> dict[str, object]:
        """What every log line about a message carries."""
        from events.trace import trace_id  # here, since only what goes wrong needs it, and it takes 30 ms to load

        page = (self.key or b"").decode("utf-8", "replace")
        place: dict[str, object] = {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "page_id": page,
        }
        if trace := trace_id(self.headers):
            place["trace_id"] = trace
        return place

    @property
    def found_at_s(self) -> float | None:
        """When the page was written to ``pages.found``, in seconds since 1970; None where that is not known."""
        told = next((value for name, value in self.headers if name == FOUND_AT), b"%d" % self.timestamp_ms)
        return int(told) / 1000 if told.isdigit() and len(told) < 16 else None

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.place.items())


@dataclass(frozen=True, slots=True)
class Output:
    """One message to produce; it keeps the headers of what it was made from, so that a trace goes on."""

    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[Header, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that this stage will never take, and why; it goes to the dead letters."""

    record: Record
    error: str
    """Class of the error, such as ``PoisonError``."""
    message: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A record, and what this stage says became of its URL; for the metrics."""

    record: Record
    event: PageJudged | UrlEnded


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of some records."""

    outputs: list[Output] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    settled: list[Settled] = field(default_factory=list)
    """Of a stage that decides what becomes of URLs, one for each record that is not poison."""


class Stage(Protocol):
    """A step of the pipeline on the consume loop.

    ``handle`` either returns outputs, or has an effect of its own that must be durable when it returns: offsets are
    committed after it, in one transaction with the outputs and the dead letters. It may be called again with the same
    records, so its effect must be idempotent.

    Raises from ``handle``: `StageUnavailableError` and `storage.StoreUnavailableError` are transient and the batch is
    tried again; a record that can never succeed is returned as `Rejection`; anything else ends the process.
    """

    name: str
    """Of the stage, in logs and dead letters, and the default of the consumer group."""
    topics: tuple[str, ...]
    """Topics to read."""
    writes: tuple[str, ...]
    """Topics that outputs go to, besides the dead letters."""
    accepts: tuple[type, ...]
    """Types of event that belong on these topics; others are poison."""
    slice_size: int
    """Most records in one call of ``handle``; a stop is heeded between calls."""

    def handle(self, records: Sequence[Record]) -> Handled:
        """Do the work on these records, in order."""


def same_trace(record: Record, topic: str, event: Event, value: bytes) -> Output:
    """Return an output about the page of ``event``, keyed by its page id, with the headers of ``record``.

    One says in addition when the record was written, so that the last stage knows how long it all took.
    """
    headers = record.headers
    if record.timestamp_ms >= 0 and not any(name == FOUND_AT for name, _ in headers):
        headers = (*headers, (FOUND_AT, b"%d" % record.timestamp_ms))
    return Output(topic, event.page_id.encode(), value, headers)
