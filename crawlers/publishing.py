"""The sink that publishes to Kafka."""

from __future__ import annotations

import queue
import socket
import threading
import time
from concurrent.futures import Future
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from crawlers.limits import MAX_URL_CHARS
from crawlers.sink import SinkUnavailableError
from events import PageFound, Topics, UrlEnded, encode

_PRODUCER: dict[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "compression_type": "lz4",
    "batch_size": 262_144,
    "linger_ms": 25,
    "allow_auto_create_topics": False,
}
_OVERHEAD_BYTES = 64 * 1024
_RECORD_BYTES = 1_024
_START_MS = 5_000
_FLUSH_S = 10.0
_CLOSE_S = 1.0


class KafkaSink:
    """Publishes ``PageFound`` and ``UrlEnded`` to ``pages.found``, keyed by page id, with an idempotent producer.

    A thread of its own encodes and sends, so that ``put`` never blocks; no more than ``max_in_flight`` messages are
    with the producer at once, since kafka-python has no limit of its own.

    Parameters
    ----------
    client_options
        Options of ``kafka.KafkaProducer``: ``bootstrap_servers``, security; they outweigh the defaults here.
    topics
        Names of the topics, which must exist.
    max_in_flight
        Most unacknowledged messages.
    max_message_bytes
        Most bytes of a message that the topic takes (its ``max.message.bytes``, or less: an idempotent producer does
        not outlive a message that the broker finds too large). A URL whose event is larger before compression ends
        as failed, ``too large``.

    Raises
    ------
    SinkUnavailableError
        No broker answers, or the topic does not exist.
    """

    def __init__(
        self,
        client_options: dict[str, Any],
        topics: Topics,
        *,
        max_in_flight: int = 1_000,
        max_message_bytes: int = 4 * 1024 * 1024,
    ) -> None:
        self._topic = topics.pages_found
        self._max_bytes = max_message_bytes - _RECORD_BYTES
        limits = {"max_request_size": max_message_bytes + _OVERHEAD_BYTES}
        self._producer = _connect({**_PRODUCER, **limits, **client_options}, self._topic)
        self._counting = threading.Lock()
        self._put = 0
        self._acknowledged = 0
        self._error = ""
        self._places = threading.BoundedSemaphore(max_in_flight)
        self._waiting: queue.SimpleQueue[tuple[PageFound | UrlEnded, Future[None]] | threading.Event | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._work, name="kafka-sink", daemon=True)
        self._thread.start()

    def put(self, event: PageFound | UrlEnded) -> Future[None]:
        """Queue ``event``; the future resolves when the brokers have acknowledged it."""
        future: Future[None] = Future()
        self._put += 1
        self._waiting.put((event, future))
        return future

    def flush(self) -> None:
        """Send what is queued and wait for the acknowledgements.

        Raises
        ------
        SinkUnavailableError
            They did not come in time.
        """
        sent = threading.Event()
        self._waiting.put(sent)
        if not sent.wait(_FLUSH_S):
            raise SinkUnavailableError("Kafka takes no more messages")
        try:
            self._producer.flush(timeout=_FLUSH_S)
        except KafkaError as error:
            raise SinkUnavailableError(f"Kafka did not acknowledge: {_brief(error)}") from error

    def close(self) -> None:
        """Send what is queued, wait up to 1 s in all for the acknowledgements, and close the producer.

        Raises
        ------
        SinkUnavailableError
            Not all that was ever put is acknowledged.
        """
        until = time.monotonic() + _CLOSE_S
        self._waiting.put(None)
        self._thread.join(_CLOSE_S)
        try:
            self._producer.close(timeout=max(0.0, until - time.monotonic()))
        except KafkaError as error:
            self._error = self._error or _brief(error)
            self._producer._sender.force_close()  # close() has given up at its flush, before it ends its thread
        with self._counting:
            missing = self._put - self._acknowledged
        if missing:
            raise SinkUnavailableError(
                f"Kafka did not acknowledge {missing:,} of {self._put:,} events ({self._error or 'no answer'}): "
                "their URLs are not settled; start again with the same data folder, and they are crawled again"
            )

    def _work(self) -> None:
        while True:
            task = self._waiting.get()
            if task is None:
                return
            if isinstance(task, threading.Event):
                task.set()
            else:
                self._send(*task)

    def _send(self, event: PageFound | UrlEnded, future: Future[None]) -> None:
        value = encode(event)
        if len(value) > self._max_bytes:
            event = _too_large(event)
            value = encode(event)
        self._places.acquire()
        try:
            sent = self._producer.send(self._topic, key=event.page_id.encode(), value=value)
        except (KafkaError, ValueError, TypeError, AssertionError) as error:
            self._places.release()
            self._error = _brief(error)
            future.set_exception(SinkUnavailableError(f"Kafka does not take {event.page_id}: {self._error}"))
            return
        sent.add_callback(self._succeeded, future)
        sent.add_errback(self._failed, future)

    def _succeeded(self, future: Future[None], _: object) -> None:
        self._places.release()
        with self._counting:
            self._acknowledged += 1
        future.set_result(None)

    def _failed(self, future: Future[None], error: BaseException) -> None:
        self._places.release()
        self._error = _brief(error)
        future.set_exception(SinkUnavailableError(f"Kafka did not take it: {self._error}"))


def _too_large(event: PageFound | UrlEnded) -> UrlEnded:
    """Return the end of a URL whose own event cannot be sent: nothing in it is longer than a URL may be."""
    return UrlEnded(
        id=event.id,
        at=event.at,
        page_id=event.page_id,
        url=event.url[:MAX_URL_CHARS],
        host=event.host[:MAX_URL_CHARS],
        crawl_id=event.crawl_id,
        outcome="failed",
        reason="too large",
        depth=event.depth,
        status=event.status,
        fetched_at=event.fetched_at,
        evidence=event.evidence,
    )


def _connect(options: dict[str, Any], topic: str) -> KafkaProducer:
    where = options.get("bootstrap_servers", "localhost:9092")
    servers = where.split(",") if isinstance(where, str) else list(where)
    if not any(_listens(server) for server in servers):
        raise SinkUnavailableError(f"Kafka does not answer at {','.join(servers)}: is it running?")
    try:
        producer = KafkaProducer(**{"bootstrap_timeout_ms": _START_MS, "max_block_ms": _START_MS, **options})
    except KafkaError as error:
        raise SinkUnavailableError(f"Kafka does not answer at {where}: {_brief(error)}") from error
    try:
        known = producer.partitions_for(topic)
    except KafkaError as error:
        producer.close(timeout=_CLOSE_S)
        raise SinkUnavailableError(f"Kafka at {where} has no topic {topic}: {_brief(error)}") from error
    if not known:
        producer.close(timeout=_CLOSE_S)
        raise SinkUnavailableError(f"Kafka at {where} has no topic {topic}: run `guidewatch setup` first")
    return producer


def _listens(server: str) -> bool:
    """Return whether anything accepts connections at ``host:port``; a producer that cannot connect leaks sockets."""
    host, _, port = server.strip().rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_START_MS / 1_000):
            return True
    except (OSError, ValueError):
        return False


def _brief(error: BaseException) -> str:
    name, text = type(error).__name__, " ".join(str(error).split())[:200]
    return text if text.startswith(name) else f"{name}{': ' if text else ''}{text}"
