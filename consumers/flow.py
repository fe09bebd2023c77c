"""A look at Kafka from outside: how far each group is, what it has counted, and what lies between the stages."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from kafka import TopicPartition
from kafka.errors import GroupIdNotFoundError, KafkaError, RetriableError

from consumers.connection import (
    BrokerRefusedError,
    BrokerUnavailableError,
    ClientOptions,
    is_permanent,
    open_admin,
    open_reader,
)
from consumers.counting import Counts, read_counts, summed
from consumers.dead_letter_topics import headers_of
from consumers.dead_letters import read_replay
from consumers.topic_reading import messages_between, offsets_of, partitions_of

MOST_COUNTED = 20_000
"""Messages that wait are counted one by one up to so many; of more, only offsets are known."""


class Waiting(msgspec.Struct, frozen=True):
    """Messages that a group has still to read: at least, at most, and how many of them were dead letters before.

    Offsets do not tell: between them lie the marks of transactions, and what was aborted.
    """

    least: int = 0
    most: int = 0
    replays: int = 0


class PartitionLook(msgspec.Struct, frozen=True, kw_only=True):
    """One partition as a group sees it. Offsets: ``begin`` ≤ … < ``end``, of what committed readers can see."""

    partition: int
    begin: int
    end: int
    committed: int | None
    counts: Counts | None
    """None where the group has committed nothing, or something else than a worker has."""

    @property
    def start(self) -> int:
        """Offset that the group reads next."""
        return max(self.begin, self.committed or 0)

    @property
    def expired(self) -> int:
        """Offsets that are gone and were never read."""
        return max(0, self.begin - (self.committed or 0))


class GroupLook(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer group on its topic."""

    stage: str
    group: str
    topic: str
    members: int
    partitions: tuple[PartitionLook, ...]

    @property
    def lag(self) -> int:
        """Offsets to read, marks of transactions included."""
        return sum(max(0, one.end - one.start) for one in self.partitions)

    @property
    def expired(self) -> int:
        """Offsets that are gone and were never read."""
        return sum(one.expired for one in self.partitions)

    @property
    def uncounted(self) -> int:
        """Offsets below the place where counting began."""
        return sum(one.counts.since if one.counts is not None else one.committed or 0 for one in self.partitions)

    @property
    def counts(self) -> Counts:
        """All that was counted."""
        return summed(one.counts for one in self.partitions if one.counts is not None)


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """All groups at one moment."""

    at_s: float
    """On the scale of ``time.monotonic``."""
    groups: dict[str, GroupLook]
    """By stage."""


class Flow(contextlib.AbstractContextManager["Flow"]):
    """Looks at groups and topics.

    Parameters
    ----------
    options
        Client options of kafka-python.
    groups
        (group, topic) by stage.
    timeout_s
        How long to wait for Kafka.

    Raises
    ------
    BrokerUnavailableError, BrokerRefusedError
    """

    def __init__(
        self, options: ClientOptions, groups: Mapping[str, tuple[str, str]], *, timeout_s: float = 5.0
    ) -> None:
        self._groups = groups
        self._timeout_s = timeout_s
        self._reader = open_reader(options, timeout_s=timeout_s)
        try:
            self._admin = open_admin(options, timeout_s=timeout_s)
        except BaseException:
            self._reader.close(autocommit=False)
            raise
        self._places = partitions_of(self._reader, {topic for _, topic in groups.values()})
        if missing := {topic for _, topic in groups.values()} - {place.topic for place in self._places}:
            self.__exit__()
            raise BrokerRefusedError(f"Kafka has no topic {', '.join(sorted(missing))}: run `guidewatch setup` first")

    def __exit__(self, *_: object) -> None:
        self._admin.close()
        self._reader.close(autocommit=False, timeout_ms=500)

    def look(self) -> Look:
        """Return how far the groups are. Their offsets and counts are read first, then the ends of the topics.

        Raises
        ------
        BrokerUnavailableError, BrokerRefusedError
        """
        with _understood():
            at_s = time.monotonic()
            offsets = self._offsets()
            begins = offsets_of(self._reader.beginning_offsets, self._places)
            ends = offsets_of(self._reader.end_offsets, self._places)
            return Look(
                at_s=at_s,
                groups={
                    stage: GroupLook(
                        stage=stage,
                        group=group,
                        topic=topic,
                        members=self._members(group),
                        partitions=tuple(
                            _partition(place, begins[place], ends[place], offsets.get(group, {}).get(place))
                            for place in self._places
                            if place.topic == topic
                        ),
                    )
                    for stage, (group, topic) in self._groups.items()
                },
            )

    def waiting(self, group: GroupLook) -> Waiting:
        """Return how many messages the group had still to read at the time of the look.

        Raises
        ------
        BrokerUnavailableError
        """
        if group.lag > MOST_COUNTED:
            return Waiting(0, group.lag)
        starts = {TopicPartition(group.topic, one.partition): one.start for one in group.partitions}
        ends = {TopicPartition(group.topic, one.partition): one.end for one in group.partitions}
        count = replays = 0
        for message in messages_between(self._reader, starts, ends):
            count += 1
            replays += read_replay(headers_of(message), message.topic) is not None
        return Waiting(count, count, replays)

    def _offsets(self) -> dict[str, dict[TopicPartition, Any]]:
        """Return what the groups have committed; a broker that has just started does not tell at once."""
        wanted = {group: None for group, _ in self._groups.values()}
        deadline = time.monotonic() + self._timeout_s
        while True:
            try:
                found: dict[str, dict[TopicPartition, Any]] = self._admin.list_group_offsets(wanted)
                return found
            except RetriableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _members(self, group: str) -> int:
        try:
            return len(self._admin.describe_groups([group])[group]["members"])
        except GroupIdNotFoundError:
            return 0


def _partition(place: TopicPartition, begin: int, end: int, committed: Any) -> PartitionLook:
    offset = committed.offset if committed is not None and committed.offset >= 0 else None
    counts = read_counts(committed.metadata or "") if offset is not None else None
    return PartitionLook(partition=place.partition, begin=begin, end=end, committed=offset, counts=counts)


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        kind = BrokerRefusedError if is_permanent(error) else BrokerUnavailableError
        raise kind(f"Kafka does not say how far the groups are: {error}") from error
