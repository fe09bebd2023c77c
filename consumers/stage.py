"""What a stage is, what it is given and what it answers: the loop knows nothing else of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from events.messages import Event

Header = tuple[str, bytes]


class StageUnavailableError(Exception):
    """What a stage needs is not there now; the same batch may succeed later.

    ``retry_after_s`` is a hint in seconds, or None.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


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

    @property
    def place(self) -> dict[str, object]:
        """What every log line about a message carries."""
        page = (self.key or b"").decode("utf-8", "replace")
        return {"topic": self.topic, "partition": self.partition, "offset": self.offset, "page_id": page}

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
class Handled:
    """What became of some records."""

    outputs: list[Output] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


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
    """Return an output about the page of ``event``, keyed by its page id, with the headers of ``record``."""
    return Output(topic, event.page_id.encode(), value, record.headers)
