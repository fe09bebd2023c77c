"""Reading stretches of topics from outside of any group, for people who look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kafka import TopicPartition
from kafka.errors import KafkaError

from consumers.connection import BrokerUnavailableError

_SILENT_S = 15.0
_LEADER_S = 5.0


def messages_between(
    consumer: Any, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> Iterator[Any]:
    """Yield the committed messages of each partition from its start to its end, in order within the partition.

    Parameters
    ----------
    consumer
        As `consumers.connection.open_reader` returns it; its assignment changes.
    starts, ends
        Offsets, half-open.

    Raises
    ------
    BrokerUnavailableError
        Kafka does not bring them.
    """
    wanted = {place: start for place, start in starts.items() if start < ends[place]}
    if not wanted:
        return
    consumer.assign(list(wanted))
    for place, start in wanted.items():
        consumer.seek(place, start)
    heard_at = time.monotonic()
    try:
        while wanted:
            for place, messages in consumer.poll(200, max_records=1_000).items():
                heard_at = time.monotonic()
                yield from (message for message in messages if message.offset < ends[place])
            wanted = {place: start for place, start in wanted.items() if consumer.position(place) < ends[place]}
            if time.monotonic() - heard_at > _SILENT_S:
                raise BrokerUnavailableError(f"Kafka brings nothing of {', '.join(sorted(p.topic for p in wanted))}")
    except KafkaError as error:
        raise BrokerUnavailableError(f"Kafka does not let the topic be read: {error}") from error


def offsets_of(ask: Callable[[list[TopicPartition]], Any], places: list[TopicPartition]) -> dict[TopicPartition, int]:
    """Return what a consumer's ``beginning_offsets`` or ``end_offsets`` says of all partitions.

    kafka-python 3.0.12 leaves out partitions whose leader it does not know yet, and then fails on them; asked again, it
    has learnt of it.

    Raises
    ------
    BrokerUnavailableError
        A partition has no leader.
    """
    deadline = time.monotonic() + _LEADER_S
    while True:
        try:
            found: dict[TopicPartition, int] = ask(places)
            return found
        except KeyError as error:
            if time.monotonic() > deadline:
                raise BrokerUnavailableError(f"nobody leads {error.args[0]} in Kafka now") from error
            time.sleep(0.1)
        except KafkaError as error:
            raise BrokerUnavailableError(f"Kafka does not say where the topics end: {error}") from error


def partitions_of(consumer: Any, topics: set[str]) -> list[TopicPartition]:
    """Return the partitions of those topics that exist."""
    there = consumer.topics()
    return [
        TopicPartition(topic, number)
        for topic in sorted(topics)
        if topic in there
        for number in sorted(consumer.partitions_for_topic(topic) or ())
    ]
