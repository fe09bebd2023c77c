"""Puts the load onto the topics at a steady rate, and the decisions as the review app does, through every outage."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from kafka.errors import KafkaError

from consumers.connection import BrokerUnavailableError, open_producer
from consumers.labels import LabelNotRecordedError, LabelPublisher
from events import LabelRecorded, Topics
from tests.chaos.checking import Letter
from tests.chaos.load import READERS, Load, Message

_MOST_UNDER_WAY = 500
_PATIENCE_S = 900.0


class Sender(threading.Thread):
    """Sends the pages one after the other; a page is late where Kafka is away, and none is left out.

    Parameters
    ----------
    load
        What to send.
    kafka, topics
        Where to.
    pages
        How many pages.
    rate
        Pages a second.
    """

    def __init__(self, load: Load, kafka: Mapping[str, Any], topics: Topics, pages: int, rate: float) -> None:
        super().__init__(name="sender", daemon=True)
        self._load = load
        self._kafka = kafka
        self._names = {
            "pages.found": topics.pages_found,
            "pages.judged": topics.pages_judged,
            "labels.recorded": topics.labels_recorded,
        }
        self._pages = pages
        self._rate = rate
        self._under_way: deque[tuple[Message, Any]] = deque()
        self._over = threading.Event()
        self.sent = 0
        self.error: Exception | None = None
        self.analyst = Analyst(kafka, topics)

    def run(self) -> None:
        self.analyst.start()
        producer = open_producer(
            self._kafka, timeout_s=10.0, client_id="chaos", delivery_timeout_ms=int(_PATIENCE_S * 1000)
        )
        try:
            began = time.monotonic()
            for number in range(self._pages):
                self._over.wait(max(0.0, began + number / self._rate - time.monotonic()))
                if self._over.is_set():
                    return
                for message in self._load.messages(number):
                    self._send(producer, message)
                self.analyst.add(self._load.due(number))
                self.sent = number + 1
            self.analyst.add(self._load.due(10**9))
            self._settle(0)
        except Exception as error:  # noqa: BLE001 - the run ends with it
            self.error = error
        finally:
            self.analyst.no_more()
            producer.close(timeout=5)

    def stop(self) -> None:
        self._over.set()
        self.analyst.no_more()

    def _send(self, producer: Any, message: Message) -> None:
        while True:
            try:
                future = producer.send(self._names[message.topic], value=message.value, key=message.key.encode())
                break
            except KafkaError:
                if self._over.wait(0.5):
                    return
        self._under_way.append((message, future))
        self._settle(_MOST_UNDER_WAY)

    def _settle(self, most: int) -> None:
        """Wait until so many messages at the most are under way, and note where poison came to lie."""
        while self._under_way and (len(self._under_way) > most or self._under_way[0][1].is_done):
            message, future = self._under_way.popleft()
            place = future.get(timeout=_PATIENCE_S)
            if message.poison:
                for stage in READERS[message.topic]:
                    self._load.expected.letters.add(Letter(stage, place.topic, place.partition, place.offset))


class Analyst(threading.Thread):
    """Publishes decisions as the review app does; one that is not recorded is decided again, under the same id."""

    def __init__(self, kafka: Mapping[str, Any], topics: Topics) -> None:
        super().__init__(name="analyst", daemon=True)
        self._publisher = LabelPublisher(kafka, topics)
        self._waiting: deque[LabelRecorded] = deque()
        self._all_there = threading.Event()
        self.recorded = 0
        self.refused = 0
        """Times that the app told its user that a decision was not recorded."""

    def add(self, labels: Any) -> None:
        self._waiting.extend(labels)

    def no_more(self) -> None:
        self._all_there.set()

    def run(self) -> None:
        while self._waiting or not self._all_there.is_set():
            if not self._waiting:
                self._all_there.wait(0.05)
                continue
            try:
                self._publisher.record(self._waiting[0])
            except (LabelNotRecordedError, BrokerUnavailableError):
                self.refused += 1
                time.sleep(0.5)
                continue
            self._waiting.popleft()
            self.recorded += 1
        self._publisher.close()
