"""What tests of the distributed frontier need: topics, spiders on threads or as processes, a look at the topics."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer

from consumers.topics import TopicPlan, ensure_topics
from crawlers.distributed.client import Crawls
from crawlers.distributed.connection import Membership
from crawlers.distributed.spider import Spider, SpiderOptions, SpiderSummary
from crawlers.distributed.view import CrawlsView
from crawlers.plan import CrawlPlan
from events import CrawlState, PageFound, Topics, UrlEnded, decode
from tests.integration.crawlers.hosts import Hit, Web

ROOT = Path(__file__).parents[3]
WAIT_S = 180.0


class Fleet:
    """One installation: a broker, a topic prefix, a group of spiders."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path, partitions: int = 6) -> None:
        self.kafka = {"bootstrap_servers": bootstrap}
        self.topics = Topics(prefix)
        self.folder = folder
        ensure_topics(self.kafka, self.topics, TopicPlan(partitions=partitions))

    def plan(self, *seeds: str, crawl_id: str = "crawl", **values: Any) -> CrawlPlan:
        given = {
            "delay_s": 0.0,
            "timeout_s": 10.0,
            "max_depth": 100,
            "max_pages": 100_000,
            "max_pages_per_host": 10_000,
        }
        return CrawlPlan(seeds=seeds, crawl_id=crawl_id, data_dir=self.folder, **{**given, **values})

    def start(self, *seeds: str, **values: Any) -> CrawlState:
        with Crawls(self.kafka, self.topics) as crawls:
            return crawls.start(self.plan(*seeds, **values), datetime.now(UTC))

    def stop(self, crawl_id: str = "crawl") -> None:
        with Crawls(self.kafka, self.topics) as crawls:
            crawls.stop(crawls.named(crawl_id), datetime.now(UTC))

    def ended(self, crawl_id: str = "crawl", meanwhile: Callable[[CrawlsView], object] = lambda _: None) -> CrawlState:
        """Return the last state of a crawl, when it has ended."""
        deadline = time.monotonic() + WAIT_S
        with Crawls(self.kafka, self.topics) as crawls:
            while not crawls.view.over(crawl_id):
                assert time.monotonic() < deadline, f"never ended: {crawls.view.totals(crawl_id)}"
                meanwhile(crawls.view)
                crawls.refresh()
            return crawls.view.crawls[crawl_id]

    @contextmanager
    def spider(self, instance: str = "a") -> Iterator[RunningSpider]:
        """Run a spider on a thread, and end it, whatever happens."""
        running = RunningSpider(self, instance)
        try:
            yield running
        finally:
            running.end()

    @contextmanager
    def process(self, instance: str) -> Iterator[subprocess.Popen[str]]:
        """Run a spider in a process of its own, and end it, whatever happens."""
        options = {
            "bootstrap": self.kafka["bootstrap_servers"],
            "prefix": self.topics.prefix,
            "instance": instance,
            "folder": str(self.folder / instance),
        }
        with subprocess.Popen(
            [sys.executable, "-m", "tests.integration.crawlers.spider_process", json.dumps(options)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def published(self) -> list[PageFound | UrlEnded]:
        """Return every committed event."""
        return [decode(message.value) for message in self._messages(self.topics.pages_found)]

    def outcomes(self) -> dict[str, str]:
        """Return URL → ``page`` or ``outcome: reason``; a URL that ended twice fails."""
        found: dict[str, str] = {}
        for event in self.published():
            assert event.url not in found, f"{event.url} ended twice"
            found[event.url] = "page" if isinstance(event, PageFound) else f"{event.outcome}: {event.reason}"
        return found

    def dead_letters(self) -> list[Any]:
        return self._messages(self.topics.dead_letters(self.topics.crawl_requests))

    def _messages(self, topic: str) -> list[Any]:
        consumer = KafkaConsumer(
            topic,
            **self.kafka,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            consumer_timeout_ms=2_000,
        )
        try:
            return list(consumer)
        finally:
            consumer.close()


class RunningSpider:
    def __init__(self, fleet: Fleet, instance: str) -> None:
        self._stop = threading.Event()
        self._ended: list[SpiderSummary | BaseException] = []
        self.spider = Spider(
            fleet.kafka,
            fleet.topics,
            Membership(f"{fleet.topics.prefix}.spider", instance, session_timeout_s=3.0, transaction_timeout_s=3.0),
            SpiderOptions(warc_dir=fleet.folder / instance, allow_private=frozenset("*")),
        )
        self._thread = threading.Thread(target=self._run, name=f"spider-{instance}")
        self._thread.start()

    def _run(self) -> None:
        try:
            self._ended.append(self.spider.run(self._stop))
        except BaseException as error:  # noqa: BLE001 raised again by `end`
            self._ended.append(error)

    def end(self) -> SpiderSummary:
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        if isinstance(self._ended[0], BaseException):
            raise self._ended[0]
        return self._ended[0]


def overlaps(web: Web) -> list[tuple[Hit, Hit]]:
    """Return requests to a host that came before its last answer had left."""
    return [
        (first, second)
        for hits in web.by_host().values()
        for first, second in itertools.pairwise(hits)
        if second.came_s < first.left_s
    ]


def hurried(web: Web, delay_s: float) -> list[tuple[Hit, Hit]]:
    """Return requests to a host that came sooner than ``delay_s`` after its last answer."""
    return [
        (first, second)
        for hits in web.by_host().values()
        for first, second in itertools.pairwise(hits)
        if second.came_s < first.left_s + delay_s
    ]


def repeated(events: list[PageFound | UrlEnded]) -> dict[str, int]:
    """Return URLs that ended more than once."""
    return {url: count for url, count in Counter(event.url for event in events).items() if count > 1}
