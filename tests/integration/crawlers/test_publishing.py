"""The Kafka sink on a real broker."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random

import pytest
from kafka import KafkaAdminClient, KafkaConsumer
from kafka.admin import NewTopic

from crawlers.plan import CrawlPlan
from crawlers.publishing import KafkaSink
from crawlers.run import run_crawl
from crawlers.sink import SinkUnavailableError
from events import PageFound, Topics, UrlEnded, content_id, decode, new_id, page_id
from tests.integration.crawlers.sinks import ListSink
from tests.integration.crawlers.site import Site, html
from tests.servers.kafka import KafkaServer, running_kafka


@contextmanager
def suspended(broker: KafkaServer) -> Iterator[None]:
    """Let the broker keep its connections and answer nothing."""
    assert broker._process is not None
    os.kill(broker._process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker._process.pid, signal.SIGCONT)


@pytest.fixture
def topics(kafka_bootstrap: str, kafka_prefix: str) -> Topics:
    made = Topics(kafka_prefix)
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    admin.create_topics([NewTopic(made.pages_found, num_partitions=3, replication_factor=1)])
    admin.close()
    return made


def published(bootstrap: str, topics: Topics) -> list[tuple[str, PageFound | UrlEnded]]:
    consumer = KafkaConsumer(
        topics.pages_found, bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=3_000
    )
    found = [(message.key.decode(), decode(message.value)) for message in consumer]
    consumer.close()
    return found


def test_every_url_of_a_crawl_is_published_once_under_its_page_id(
    kafka_bootstrap: str, topics: Topics, start_site: Callable[..., Site], plan_for: Callable[..., CrawlPlan]
) -> None:
    site = start_site(
        {"/": html("start", *(f"/{n}" for n in range(40)), "/missing")},
        fallback=lambda path: html(f"page {path}") if path[1:].isdigit() else None,
    )
    sink = KafkaSink({"bootstrap_servers": kafka_bootstrap}, topics)
    summary = run_crawl(plan_for(site), sink)
    sink.close()
    assert (summary.finished, summary.pages, summary.outcomes["failed"]) == (True, 41, 1)
    found = published(kafka_bootstrap, topics)
    assert [key for key, event in found] == [event.page_id for _, event in found]
    assert sorted(event.url for _, event in found) == sorted(
        site.url(path) for path in ["/", "/missing", *(f"/{n}" for n in range(40))]
    )


def test_a_future_resolves_when_the_broker_has_the_message(kafka_bootstrap: str, topics: Topics) -> None:
    sink = KafkaSink({"bootstrap_servers": kafka_bootstrap}, topics, max_in_flight=2)
    url = "https://example.org/"
    event = UrlEnded(
        id=new_id(),
        at=datetime(2026, 1, 2, tzinfo=UTC),
        page_id=page_id(url),
        url=url,
        host="example.org",
        crawl_id="c",
        outcome="failed",
        reason="dns",
    )
    futures = [sink.put(event) for _ in range(20)]
    sink.flush()
    assert [future.exception(timeout=0) for future in futures] == [None] * 20
    sink.close()
    assert len(published(kafka_bootstrap, topics)) == 20


def large_page(characters: int) -> PageFound:
    url, at = "https://example.org/large", datetime(2026, 1, 2, tzinfo=UTC)
    noise = "".join(chr(0x4E00 + number % 20_000) for number in Random(7).choices(range(20_000), k=characters))
    return PageFound(
        id=new_id(),
        at=at,
        page_id=page_id(url),
        url=url,
        host="example.org",
        crawl_id="c",
        content_id=content_id(noise),
        fetched_at=at,
        title="A page",
        text=noise,
    )


def test_an_event_that_is_too_large_ends_its_url(kafka_bootstrap: str, kafka_prefix: str) -> None:
    topics = Topics(kafka_prefix)
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    configs = {"max.message.bytes": "100000"}
    admin.create_topics([NewTopic(topics.pages_found, num_partitions=1, replication_factor=1, topic_configs=configs)])
    admin.close()
    sink = KafkaSink({"bootstrap_servers": kafka_bootstrap}, topics, max_message_bytes=100_000)
    page = large_page(150_000)
    future = sink.put(page)
    after = sink.put(large_page(20_000))
    sink.flush()
    assert (future.exception(timeout=5), after.exception(timeout=5)) == (None, None)
    sink.close()
    (_, event), (_, fitting) = published(kafka_bootstrap, topics)
    assert isinstance(fitting, PageFound)
    assert isinstance(event, UrlEnded)
    assert (event.id, event.url, event.outcome, event.reason) == (page.id, page.url, "failed", "too large")


def test_a_crawl_ends_within_5_s_when_kafka_hangs_and_says_what_is_missing(
    start_site: Callable[..., Site], plan_for: Callable[..., CrawlPlan]
) -> None:
    site = start_site({}, fallback=lambda path: html(f"page {path}"))
    seeds = tuple(site.url(f"/{n}") for n in range(31))
    stop, topics = threading.Event(), Topics("hangs")
    with running_kafka() as broker:
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        admin.create_topics([NewTopic(topics.pages_found, num_partitions=1, replication_factor=1)])
        admin.close()
        sink = KafkaSink({"bootstrap_servers": broker.bootstrap}, topics)
        with suspended(broker):
            stopped_at: list[float] = []
            threading.Timer(2.5, lambda: (stopped_at.append(time.monotonic()), stop.set())).start()
            summary = run_crawl(plan_for(site, seeds=seeds), sink, stop=stop)
            with pytest.raises(SinkUnavailableError, match=r"did not acknowledge \d+ of 31 events") as caught:
                sink.close()
            assert time.monotonic() - stopped_at[0] < 4.5
    assert "\n" not in str(caught.value)
    assert (summary.finished, summary.pages, summary.left_queued) == (False, 0, 31)
    again = ListSink()
    assert run_crawl(plan_for(site, seeds=seeds), again).finished
    assert len(again.events) == 31


def test_a_topic_that_does_not_exist_is_one_clear_line(kafka_bootstrap: str, kafka_prefix: str) -> None:
    with pytest.raises(SinkUnavailableError, match="no topic") as caught:
        KafkaSink({"bootstrap_servers": kafka_bootstrap}, Topics(kafka_prefix))
    assert "\n" not in str(caught.value)


def test_a_broker_that_is_not_there_is_one_clear_line(unused_port: int) -> None:
    with pytest.raises(SinkUnavailableError, match=f"does not answer at 127.0.0.1:{unused_port}") as caught:
        KafkaSink({"bootstrap_servers": f"127.0.0.1:{unused_port}"}, Topics("t"))
    assert "\n" not in str(caught.value)
