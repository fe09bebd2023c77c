"""Outputs and offsets in one transaction: both are there, or neither."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from kafka.errors import KafkaError, KafkaTimeoutError, ProducerFencedError

from consumers.background import Call
from consumers.connection import ClientOptions, Membership, open_producer
from consumers.reading import Offsets
from consumers.stage import Output

log = logging.getLogger(__name__)


class WriterClosedError(Exception):
    """The writer was closed for good; nothing was committed."""


class TransactionalWriter:
    """Commits outputs with the offsets they were made from.

    The transactional id is that of the instance, so a newer process of the same name fences an older one; the group
    metadata that each call brings fences one whose partitions went to another member meanwhile (KIP-447). One thread
    writes; another may close, and a thread that was left behind then commits nothing any more.

    Parameters
    ----------
    options
        Client options.
    member
        Whose offsets are committed.
    timeout_s
        How long to wait for the broker at the start, and for it to abort, in seconds.
    transaction_timeout_s
        The broker aborts a transaction that is open this long, and we give it up: what a killed worker leaves is hidden
        from readers, and keeps them waiting, for so many seconds.
    """

    def __init__(
        self, options: ClientOptions, member: Membership, *, timeout_s: float, transaction_timeout_s: float = 30.0
    ) -> None:
        self._options = options
        self._member = member
        self._timeout_s = timeout_s
        self._transaction_timeout_s = transaction_timeout_s
        self._producer: Any = None
        self._closed = False
        self._committing = threading.Lock()

    def open(self) -> None:
        """Connect, and end what an earlier process of this instance left open.

        Raises
        ------
        BrokerUnavailableError, BrokerRefusedError, kafka.errors.KafkaError
            There is no working producer.
        WriterClosedError
            `close` was called.
        """
        self._refuse_if_closed()
        if self._producer is not None:
            return
        producer = open_producer(
            self._options,
            timeout_s=self._timeout_s,
            client_id=self._member.transactional_id,
            transactional_id=self._member.transactional_id,
            transaction_timeout_ms=int(self._transaction_timeout_s * 1000),
        )
        try:
            self._refuse_if_closed()
            producer.init_transactions()
            with self._committing:
                self._refuse_if_closed()
                self._producer = producer
        except (KafkaError, WriterClosedError):
            producer.close(timeout=0)
            raise

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise WriterClosedError(f"{self._member.transactional_id} commits nothing any more")

    def write(self, outputs: Sequence[Output], offsets: Offsets, group: Any) -> None:
        """Commit all of it, or none.

        Parameters
        ----------
        outputs
            Messages to produce.
        offsets
            Next offset to read, by partition, with the counts in its metadata.
        group
            ``KafkaConsumer.group_metadata()`` of the time when the records were read.

        Raises
        ------
        kafka.errors.KafkaError
            Nothing was committed, or (only where the connection broke during the very commit) nobody can tell: read the
            committed offsets again. A `KafkaTimeoutError` where a transaction does not end.
        WriterClosedError
            `close` was called, before this or meanwhile; nothing was committed.
        """
        self.open()
        with self._committing:
            self._refuse_if_closed()
            producer = self._producer
        call = self._aside(lambda: self._commit(producer, outputs, offsets, group))
        if not call.wait(self._transaction_timeout_s):
            self._leave()
            raise KafkaTimeoutError(f"Kafka has ended no transaction within {self._transaction_timeout_s:.0f} s")
        try:
            call.result()
        except KafkaError as error:
            self._abort(producer, error)
            raise

    def _aside(self, function: Callable[[], None]) -> Call[None]:
        """Carry out what waits for Kafka without a limit of its own, where a connection broke at the wrong moment."""
        return Call(function, name=f"{self._member.transactional_id}-transaction")

    def _commit(self, producer: Any, outputs: Sequence[Output], offsets: Offsets, group: Any) -> None:
        producer.begin_transaction()
        self._send(producer, outputs)
        producer.send_offsets_to_transaction(dict(offsets), group)
        with self._committing:
            self._refuse_if_closed()
            if producer is not self._producer:
                raise WriterClosedError(f"a transaction of {self._member.transactional_id} was left behind")
            producer.commit_transaction()

    def _leave(self) -> None:
        """Leave a transaction that does not end to its thread; the next producer of this name ends it for Kafka.

        If it was committing, it may still end with all: until that is decided, Kafka tells nobody what is committed.
        """
        self._drop(timeout_s=0)  # first: without its producer that thread commits nothing any more
        self._committing = threading.Lock()  # and if it had begun, it may hold the other one for good

    def _send(self, producer: Any, outputs: Sequence[Output]) -> None:
        futures = [producer.send(one.topic, value=one.value, key=one.key, headers=list(one.headers)) for one in outputs]
        producer.flush()
        for future in futures:
            if not future.succeeded():
                raise future.exception or KafkaTimeoutError("a message was not acknowledged")

    def _abort(self, producer: Any, error: KafkaError) -> None:
        """Abort, or give the producer up: the next one ends its transaction."""
        if self._closed:
            return
        if not isinstance(error, ProducerFencedError):
            call = self._aside(producer.abort_transaction)
            try:
                if call.wait(self._timeout_s):
                    call.result()
                    return
                log.info("the transaction is not aborted in time, a new producer will end it")
            except KafkaError as second:
                log.info("the transaction cannot be aborted, a new producer will end it: %s", second)
        self._drop(timeout_s=0)

    def close(self, timeout_s: float) -> None:
        """Let go of the producer for good, waiting so many seconds at the most.

        A commit that is under way may still end, with all or with nothing; none begins after this call has.
        """
        deadline = time.monotonic() + timeout_s
        self._closed = True
        committing = self._committing
        at_rest = committing.acquire(timeout=timeout_s)
        try:
            self._drop(max(0.0, deadline - time.monotonic()))
        finally:
            if at_rest:
                committing.release()

    def _drop(self, timeout_s: float) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.close(timeout=timeout_s)
        except KafkaTimeoutError:
            log.info("the producer was closed with messages under way; their transaction will be aborted")
