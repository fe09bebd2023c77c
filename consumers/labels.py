"""Publishing the analysts' decisions, one at a time, each acknowledged."""

from __future__ import annotations

import threading
from typing import Any

from kafka.errors import KafkaError

from consumers.connection import BrokerRefusedError, BrokerUnavailableError, ClientOptions, open_producer
from events import LabelRecorded, Topics, encode


class LabelNotRecordedError(Exception):
    """Kafka did not acknowledge the decision in time; the message is one line for the user."""


class LabelPublisher:
    """Writes decisions to ``labels.recorded``. Safe to use from several threads; connects at the first decision.

    Parameters
    ----------
    options
        Client options of kafka-python.
    topics
        Names.
    timeout_s
        How long one decision may take, in seconds.
    """

    def __init__(self, options: ClientOptions, topics: Topics, *, timeout_s: float = 10.0) -> None:
        self._options = options
        self._topic = topics.labels_recorded
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._producer: Any = None

    def record(self, label: LabelRecorded) -> None:
        """Publish one decision and return when it is durable.

        Raises
        ------
        LabelNotRecordedError
            It may not be there; publishing the same label (same ``id``) again is safe.
        """
        with self._lock:
            try:
                producer = self._producer = self._producer or self._open()
                sent = producer.send(self._topic, value=encode(label), key=label.page_id.encode())
                producer.flush(timeout=self._timeout_s)
                sent.get(timeout=self._timeout_s)
            except (KafkaError, BrokerUnavailableError, BrokerRefusedError) as error:
                self._drop()
                raise LabelNotRecordedError(f"the decision was not recorded: {error}") from error

    def _open(self) -> Any:
        timeout_ms = int(self._timeout_s * 1000)
        return open_producer(
            self._options,
            timeout_s=self._timeout_s,
            client_id="guidewatch-review",
            request_timeout_ms=max(1, timeout_ms - 100),
            delivery_timeout_ms=timeout_ms,
        )

    def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close(timeout=0)
            except KafkaError:
                return

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            self._drop()
