"""What people say of crawls reaches Kafka, or they are told that it did not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kafka.errors import CoordinatorNotAvailableError, KafkaError, TopicAuthorizationFailedError

from crawlers.distributed import client
from crawlers.distributed.client import Crawls
from crawlers.distributed.connection import KafkaRefusedError, KafkaUnavailableError
from crawlers.distributed.view import CrawlsView
from crawlers.plan import CrawlPlan
from events import Topics, decode
from tests.unit.crawlers.producers import Producer

AT = datetime(2026, 11, 20, tzinfo=UTC)
PLAN = {"seeds": ("http://127.0.0.1:8000/",), "crawl_id": "one", "data_dir": Path(), "allow_private": frozenset("*")}


class Reader:
    def topics(self) -> set[str]:
        topics = Topics()
        return {topics.crawls, topics.crawl_progress, topics.crawl_requests}


class Watch:
    def __init__(self, *_: Any) -> None:
        self.view = CrawlsView()

    def catch_up(self) -> None:
        """All there is has been read."""


@pytest.fixture
def crawls(monkeypatch: pytest.MonkeyPatch) -> Callable[[Producer], Crawls]:
    def make(producer: Producer) -> Crawls:
        monkeypatch.setattr(client, "open_reader", lambda *_, **__: Reader())
        monkeypatch.setattr(client, "Watch", Watch)
        monkeypatch.setattr(client, "open_producer", lambda *_, **__: producer)
        return Crawls({}, Topics())

    return make


def test_a_crawl_and_its_seeds_are_one_transaction(crawls) -> None:
    producer = Producer()
    state = crawls(producer).start(CrawlPlan(**PLAN), AT)
    assert producer.calls == ["begin_transaction", "flush", "commit_transaction", "close"]
    assert [topic for topic, _ in producer.sent] == [Topics().crawls, Topics().crawl_requests]
    assert decode(producer.sent[0][1]["value"]) == state


@pytest.mark.parametrize("hangs", ["begin_transaction", "flush", "commit_transaction"])
def test_a_transaction_that_does_not_end_is_given_up_and_said_to_be(
    crawls, hangs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    producer = Producer(hangs=hangs)
    monkeypatch.setattr(client, "_PATIENCE_S", 0.1)
    with pytest.raises(KafkaUnavailableError, match=r"`guidewatch crawl info one` shows it, else .* --id one"):
        crawls(producer).start(CrawlPlan(**PLAN), AT)
    assert producer.calls[-1] == "close"
    producer.gate.set()


@pytest.mark.parametrize(
    ("error", "kind"),
    [(CoordinatorNotAvailableError(), KafkaUnavailableError), (TopicAuthorizationFailedError(), KafkaRefusedError)],
)
def test_what_kafka_does_not_take_is_one_line(crawls, error: KafkaError, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="does not take what is said of a crawl"):
        crawls(Producer(fails="commit_transaction", error=error)).start(CrawlPlan(**PLAN), AT)


def test_a_producer_that_cannot_close_changes_nothing(crawls) -> None:
    assert crawls(Producer(fails="close")).start(CrawlPlan(**PLAN), AT).crawl_id == "one"
