"""The part of the load that comes through spiders: a small web, crawled slowly while everything else happens."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kafka.errors import KafkaError

from crawlers.distributed.client import Crawls
from crawlers.distributed.connection import KafkaRefusedError, KafkaUnavailableError
from crawlers.plan import CrawlPlan
from events import Topics, page_id
from tests.chaos.texts import Text, numbered
from tests.integration.crawlers import hosts

CRAWL = "chaos-crawl"
_HOSTS = 10
_FLAGGED_EVERY = 8


@dataclass
class Web(hosts.Web):
    """Its pages say what the texts say, beside some words of their own; every eighth is one of the flagged texts."""

    texts: dict[str, list[Text]] = field(default_factory=dict)

    @property
    def page_ids(self) -> set[str]:
        return {page_id(url) for url in self.urls}

    def body(self, host: str, path: str) -> bytes:
        number = int(host.rpartition(".")[2]) * 10_000 + int(path.removeprefix("/p") or 0 if path != "/" else 0)
        some = self.texts["flagged" if number % _FLAGGED_EVERY == 0 else "not_flagged"]
        lines = numbered(some[number % len(some)], number).split("\n")
        said = "".join(f"<p>{html.escape(line)}</p>" for line in lines if line)
        return super().body(host, path).replace(b"<p>", said.encode() + b"<p>", 1)

    def plan(self, folder: Path, lasts_s: float) -> CrawlPlan:
        """Return a crawl of all of it that takes about so long."""
        return CrawlPlan(
            seeds=tuple(self.url(host) for host in range(self.hosts)),
            crawl_id=CRAWL,
            data_dir=folder,
            delay_s=round(lasts_s / self.pages, 3),
            max_pages=100_000,
            max_pages_per_host=10_000,
            max_depth=100,
        )


@contextmanager
def served(texts: dict[str, list[Text]], pages: int) -> Iterator[Web]:
    """Serve a web of about so many pages."""
    with hosts.served(Web(hosts=_HOSTS, pages=max(1, pages // _HOSTS), texts=texts)) as web:
        assert isinstance(web, Web)
        yield web


def start(kafka: Mapping[str, Any], topics: Topics, plan: CrawlPlan) -> None:
    """Start the crawl."""
    with Crawls(kafka, topics) as crawls:
        crawls.start(plan, datetime.now(UTC))


def has_ended(kafka: Mapping[str, Any], topics: Topics) -> bool:
    """Return whether the crawl says of itself that it is over; False while nobody can tell."""
    try:
        with Crawls(kafka, topics) as crawls:
            return crawls.view.over(CRAWL)
    except (KafkaError, KafkaRefusedError, KafkaUnavailableError):
        return False
