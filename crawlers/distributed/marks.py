"""Reading the marks of a partition that has come to this spider, to the end and past every open transaction."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from kafka import TopicPartition

from events import PoisonError, RequestDone, decode


class MarkReader:
    """Loads partitions of ``crawl.ended`` beside each other, a bit with every call.

    Parameters
    ----------
    consumer
        Of committed messages, outside of any group.
    topic
        ``crawl.ended``.
    """

    def __init__(self, consumer: Any, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic
        self._targets: dict[int, int] = {}
        self._found: dict[int, list[RequestDone]] = {}

    def begin(self, partition: int, start: int, target: int) -> None:
        """Load a partition from ``start`` to ``target``, its end with what its last owner may have left uncommitted."""
        self._targets[partition] = target
        self._found[partition] = []
        self._assign()
        place = TopicPartition(self._topic, partition)
        if start:
            self._consumer.seek(place, start)
        else:
            self._consumer.seek_to_beginning(place)

    def missing(self, wanted: Collection[int]) -> set[int]:
        """Return the partitions of ``wanted`` that are not being loaded; load no others any more."""
        for partition in self._targets.keys() - set(wanted):
            self.drop(partition)
        return set(wanted) - self._targets.keys()

    def drop(self, partition: int) -> None:
        """Load a partition no further."""
        if self._targets.pop(partition, None) is not None:
            self._found.pop(partition)
            self._assign()

    def read(self) -> dict[int, list[RequestDone]]:
        """Read on; return the marks of the partitions that are complete now."""
        if not self._targets:
            return {}
        for place, messages in self._consumer.poll(20, max_records=5_000).items():
            found = self._found.get(place.partition)
            if found is not None:
                found.extend(_marks(messages))
        complete = {
            partition: self._found[partition]
            for partition, target in self._targets.items()
            if self._consumer.position(TopicPartition(self._topic, partition)) >= target
        }
        for partition in complete:
            self.drop(partition)
        return complete

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close(autocommit=False, timeout_ms=500)

    def _assign(self) -> None:
        self._consumer.assign([TopicPartition(self._topic, partition) for partition in self._targets])


def _marks(messages: list[Any]) -> list[RequestDone]:
    found = []
    for message in messages:
        try:
            found.append(decode(message.value or b"", RequestDone))
        except PoisonError:  # whoever wrote it, no spider did
            continue
    return found
