"""What a consumer group has ever read of a partition, and what became of it: counts that travel with the offset.

They stand in the metadata of the committed offset, so they move in the same transaction as the outputs and the offset
itself, and whoever gets the partition next goes on counting where the last one stopped (ADR 0022).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import msgspec

from consumers.dead_letters import read_replay
from consumers.stage import Record
from events import LabelRecorded, PageFound, PageJudged, UrlEnded
from events.crawls import UNKNOWN_CRAWL


class Counts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Records of one partition that one group has read, from ``since`` to the offset they are committed with."""

    since: int = 0
    """Offset where counting began: what was read below it, by a tool or an earlier version, nobody counted."""
    read: int = 0
    outcomes: dict[str, int] = {}
    """Records that went well, by `kind_of` their events."""
    outputs: int = 0
    """Messages made, besides dead letters; where a slice has records of several partitions, counted with its last."""
    poison: int = 0
    """Records that did not decode; they are dead letters."""
    rejected: int = 0
    """Records that the stage refused; they are dead letters."""
    replayed: int = 0
    """Of ``read``: dead letters of this group that came back."""
    echoes: int = 0
    """Dead letters of another group of the same topic that came back; this one had them before, and only counts here
    that they were read."""
    echo_letters: int = 0
    """Of ``echoes``: those that are dead letters again."""
    nobodys: int = 0
    """Of ``read``: URLs of crawls that nobody had started."""

    @property
    def letters(self) -> int:
        """Dead letters that this group has made."""
        return self.poison + self.rejected + self.echo_letters

    def with_tally(self, tally: Tally) -> Counts:
        """Return the counts after the records of ``tally``."""
        return self._plus(tally, self.since)

    def plus(self, other: Counts) -> Counts:
        """Return the counts of two partitions together."""
        return self._plus(other, self.since + other.since)

    def _plus(self, other: Counts | Tally, since: int) -> Counts:
        numbers = {name: getattr(self, name) + getattr(other, name) for name in _NUMBERS}
        return Counts(since=since, outcomes=dict(Counter(self.outcomes) + Counter(other.outcomes)), **numbers)


_NUMBERS = tuple(name for name in Counts.__struct_fields__ if name not in ("since", "outcomes"))


@dataclass(slots=True)
class Tally:
    """The same, of the records of one partition in one batch."""

    read: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    outputs: int = 0
    poison: int = 0
    rejected: int = 0
    replayed: int = 0
    echoes: int = 0
    echo_letters: int = 0
    nobodys: int = 0

    def add(self, record: Record, stage: str, *, rejected: bool) -> None:
        """Count a record that was read by the group of ``stage``.

        Parameters
        ----------
        record
            Its event is None where it did not decode.
        stage
            Name of the stage.
        rejected
            Whether it is a dead letter.
        """
        self.read += 1
        replay = read_replay(record.headers, record.topic)
        if replay is not None and replay.stage != stage:
            self.echoes += 1
            self.echo_letters += rejected
            return
        self.replayed += replay is not None
        if rejected:
            self.poison += record.event is None
            self.rejected += record.event is not None
        else:
            self.outcomes[kind_of(record.event)] += 1
        self.nobodys += isinstance(record.event, UrlEnded) and record.event.reason == UNKNOWN_CRAWL


def kind_of(event: Any) -> str:
    """Return what is counted of an event: ``page``, an outcome, a decision, or the name of its schema."""
    if isinstance(event, PageFound):
        return "page"
    if isinstance(event, PageJudged):
        return event.verdict.outcome
    if isinstance(event, UrlEnded):
        return event.outcome
    if isinstance(event, LabelRecorded):
        return event.decision
    return str(event.schema)


def summed(counts: Iterable[Counts]) -> Counts:
    """Return the counts of several partitions together."""
    return reduce(Counts.plus, counts, Counts())


def written(counts: Counts) -> str:
    """Return the counts as the metadata of an offset; a broker takes 4096 bytes."""
    return msgspec.json.encode(counts).decode()


def read_counts(metadata: str) -> Counts | None:
    """Return the counts in the metadata of an offset, or None where somebody else committed it."""
    try:
        return msgspec.json.decode(metadata, type=Counts) if metadata else None
    except (msgspec.MsgspecError, UnicodeError):
        return None
