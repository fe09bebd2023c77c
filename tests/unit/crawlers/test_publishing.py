from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError

import crawlers.publishing
from crawlers.publishing import KafkaSink
from crawlers.sink import SinkUnavailableError
from events import Topics, UrlEnded, page_id
from guidewatch.errors import FAILED, status_of


class Promise:
    """What `Producer.send` returns."""

    def __init__(self, error: Exception | None, *, answers: bool) -> None:
        self._error = error
        self._answers = answers

    def add_callback(self, call: Callable[..., None], *values: Any) -> None:
        if self._answers and self._error is None:
            call(*values, None)

    def add_errback(self, call: Callable[..., None], *values: Any) -> None:
        if self._answers and self._error is not None:
            call(*values, self._error)


class Sender:
    forced = False

    def force_close(self) -> None:
        self.forced = True


class Producer:
    """Acknowledges ``good`` messages and fails with ``error``, or says nothing, from then on."""

    def __init__(self, good: int, error: Exception | None = None, *, blocks: bool = False) -> None:
        self._sender = Sender()
        self._good = good
        self._error = error
        self._blocks = threading.Event() if blocks else None

    def send(self, topic: str, *, key: bytes, value: bytes) -> Promise:
        self._good -= 1
        if self._good >= 0:
            return Promise(None, answers=True)
        if self._blocks is not None:
            self._blocks.wait(30)
        return Promise(self._error, answers=self._error is not None)

    def close(self, timeout: float) -> None:
        if self._good < 0 and self._error is None:
            time.sleep(timeout)
            raise KafkaTimeoutError("Failed to flush")


def sink_of(producer: Producer, monkeypatch: pytest.MonkeyPatch, **values: int) -> KafkaSink:
    monkeypatch.setattr(crawlers.publishing, "_connect", lambda *_: producer)
    return KafkaSink({}, Topics("t"), **values)


def event(number: int) -> UrlEnded:
    url = f"https://example.org/{number}"
    return UrlEnded(
        id=f"{number:032x}",
        at=datetime(2026, 1, 2, tzinfo=UTC),
        page_id=page_id(url),
        url=url,
        host="example.org",
        crawl_id="c",
        outcome="failed",
        reason="dns",
    )


def closed(sink: KafkaSink) -> SinkUnavailableError:
    began = time.monotonic()
    with pytest.raises(SinkUnavailableError) as caught:
        sink.close()
    assert time.monotonic() - began < 2
    assert "\n" not in str(caught.value)
    assert status_of(caught.value) == FAILED
    return caught.value


def test_closing_says_how_much_a_hung_kafka_has_not_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = Producer(good=2)
    sink = sink_of(producer, monkeypatch)
    futures = [sink.put(event(number)) for number in range(5)]
    assert str(closed(sink)).startswith("Kafka did not acknowledge 3 of 5 events (KafkaTimeoutError: Failed to flush)")
    assert [future.done() for future in futures] == [True, True, False, False, False]
    assert producer._sender.forced


@pytest.mark.parametrize("values", [{"max_in_flight": 1}, {}])
def test_closing_does_not_wait_for_a_send_that_hangs(monkeypatch: pytest.MonkeyPatch, values: dict[str, int]) -> None:
    sink = sink_of(Producer(good=0, blocks=not values), monkeypatch, **values)
    for number in range(5):
        sink.put(event(number))
    assert "5 of 5 events" in str(closed(sink))


def test_closing_says_why_kafka_has_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = sink_of(Producer(good=1, error=KafkaTimeoutError("Batch expired")), monkeypatch)
    for number in range(3):
        sink.put(event(number))
    assert "2 of 3 events (KafkaTimeoutError: Batch expired)" in str(closed(sink))


def test_closing_is_silent_when_all_is_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = Producer(good=9)
    sink = sink_of(producer, monkeypatch)
    futures = [sink.put(event(number)) for number in range(5)]
    sink.close()
    assert all(future.done() for future in futures)
    assert not producer._sender.forced
