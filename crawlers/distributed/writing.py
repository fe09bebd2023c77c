"""Units, progress and offsets in one transaction: all of it is there, or nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from kafka import TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError, ProducerFencedError
from kafka.structs import OffsetAndMetadata

from crawlers.distributed.background import within
from crawlers.distributed.connection import KafkaRefusedError, brief, is_permanent
from crawlers.distributed.unit import Message

log = logging.getLogger(__name__)


class NotCommittedError(Exception):
    """Nothing of a transaction was committed, for certain; the same may be tried again."""


class SessionLostError(Exception):
    """Nobody can tell what was committed, or the group has gone on without us: begin again from the topics."""


class TransactionWriter:
    """Commits messages with offsets.

    Parameters
    ----------
    producer
        Transactional, and initialised: a newer one of its id fences it off.
    patience_s
        A transaction that takes longer, in seconds, is given up.
    """

    def __init__(self, producer: Any, patience_s: float) -> None:
        self._producer = producer
        self._patience_s = patience_s

    def write(self, messages: Sequence[Message], offsets: Mapping[TopicPartition, int], group: Any) -> None:
        """Commit all of it, or nothing.

        Parameters
        ----------
        messages
            What to produce.
        offsets
            Next offset by partition; never empty, since the broker looks at ``group`` only with offsets.
        group
            Membership of the spider: an older generation commits nothing (KIP-447).

        Raises
        ------
        NotCommittedError, SessionLostError, KafkaRefusedError
        """
        try:
            # The client waits without a limit of its own, where a connection broke at the wrong moment.
            within(self._patience_s, lambda: self._write(messages, offsets, group), "spider-transaction")
        except TimeoutError as error:
            raise SessionLostError(f"a transaction came to no end within {self._patience_s:.0f} s") from error

    def _write(self, messages: Sequence[Message], offsets: Mapping[TopicPartition, int], group: Any) -> None:
        producer = self._producer
        try:
            producer.begin_transaction()
            self._send(messages)
            producer.send_offsets_to_transaction(
                {partition: OffsetAndMetadata(offset, "", -1) for partition, offset in offsets.items()}, group
            )
        except ProducerFencedError as error:
            raise SessionLostError(f"another process of this name has taken over: {brief(error)}") from error
        except KafkaError as error:
            self._abort(error)
        try:
            producer.commit_transaction()
        except KafkaError as error:
            raise SessionLostError(f"a transaction came to no known end: {brief(error)}") from error

    def close(self, timeout_s: float) -> None:
        """Close the producer; what it has open is aborted."""
        try:
            self._producer.close(timeout=timeout_s)
        except KafkaError as error:
            log.info("the producer was closed with messages under way: %s", brief(error))

    def _send(self, messages: Sequence[Message]) -> None:
        send = self._producer.send
        futures = [
            send(one.topic, value=one.value, key=one.key, partition=one.partition, headers=list(one.headers))
            for one in messages
        ]
        self._producer.flush()
        for future in futures:
            if not future.succeeded():
                raise future.exception or KafkaTimeoutError("a message was not acknowledged")

    def _abort(self, error: KafkaError) -> None:
        if is_permanent(error):
            raise KafkaRefusedError(f"Kafka refuses a transaction: {brief(error)}") from error
        try:
            self._producer.abort_transaction()
        except KafkaError as second:
            raise SessionLostError(f"{brief(error)}; the transaction cannot be aborted: {brief(second)}") from error
        raise NotCommittedError(brief(error)) from error
