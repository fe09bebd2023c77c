"""The distributed frontier on a real broker, with spiders on threads."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

from crawlers.distributed.client import CrawlOverError, Crawls, UnknownCrawlError
from crawlers.distributed.connection import KafkaRefusedError, KafkaUnavailableError, Membership
from crawlers.distributed.spider import Spider, SpiderOptions
from events import Topics
from tests.integration.crawlers.hosts import Web, served
from tests.integration.crawlers.site import Answer, Site, html, moved
from tests.integration.crawlers.spiders import Fleet, hurried, overlaps


@pytest.fixture
def fleet(kafka_bootstrap: str, kafka_prefix: str, tmp_path: Path) -> Fleet:
    return Fleet(kafka_bootstrap, kafka_prefix, tmp_path)


@pytest.fixture
def web() -> Iterator[Web]:
    with served(Web(hosts=4, pages=12)) as running:
        yield running


def test_one_spider_and_one_partition_crawl_what_the_seeds_reach(
    kafka_bootstrap: str, kafka_prefix: str, tmp_path: Path, web: Web
) -> None:
    fleet = Fleet(kafka_bootstrap, kafka_prefix, tmp_path, partitions=1)
    with fleet.spider() as spider:
        fleet.start(web.url(0))
        state = fleet.ended()
        summary = spider.end()
    assert (state.because, state.outcomes, state.hosts) == ("frontier dry", {"page": 48}, 4)
    assert fleet.outcomes() == dict.fromkeys(web.urls, "page")
    assert set(web.fetches().values()) == {1}
    assert (summary.outcomes, summary.sessions) == ({"page": 48}, 1)
    found = {event.url: event for event in fleet.published()}
    assert found[web.url(0)].parent_url is None
    assert found[web.url(0, "/p1")].parent_url == web.url(0)


def test_seeds_are_added_while_the_crawl_runs(fleet: Fleet, web: Web) -> None:
    with served(Web(hosts=1, pages=3, port=0)) as other, fleet.spider():
        first = fleet.start(web.url(0), delay_s=0.3)
        second = fleet.start(other.url(0, "/p2"), web.url(0), max_pages=1)
        state = fleet.ended()
    assert (first.requested, second.requested, second.max_pages) == (1, 3, 100_000)
    assert state.outcomes == {"page": 49}
    assert len(state.seeds) == 2


def test_a_crawl_ends_at_its_limit_and_refuses_the_rest(fleet: Fleet, web: Web) -> None:
    with fleet.spider():
        fleet.start(web.url(0), max_pages=10)
        state = fleet.ended()
    ends = Counter(fleet.outcomes().values())
    assert state.because == "limit reached"
    assert ends["page"] == state.outcomes["page"] == len(web.fetches()) == 10
    assert set(ends) == {"page", "refused: budget: pages"}


def test_what_is_over_the_budget_of_its_host_is_refused_and_the_crawl_ends(fleet: Fleet, web: Web) -> None:
    with fleet.spider():
        fleet.start(web.url(0), max_pages_per_host=5)
        state = fleet.ended()
    assert (state.because, state.outcomes["page"]) == ("frontier dry", 20)
    assert set(state.reasons) == {"refused: budget: host"}
    assert state.outcomes["refused"] == len(fleet.outcomes()) - 20


def test_a_stopped_crawl_ends_in_seconds_and_another_goes_on(fleet: Fleet, web: Web) -> None:
    with served(Web(hosts=2, pages=40, pause_s=0.01)) as other, fleet.spider():
        fleet.start(web.url(0), crawl_id="slow", delay_s=2.0)
        fleet.start(other.url(0), crawl_id="goes-on")
        while len(web.fetches()) < 2:
            time.sleep(0.05)
        began = time.monotonic()
        fleet.stop("slow")
        stopped = fleet.ended("slow")
        took_s = time.monotonic() - began
        state = fleet.ended("goes-on")
    assert took_s < 5
    assert (stopped.because, set(stopped.reasons)) == ("stopped", {"refused: stopped"})
    assert (state.because, state.outcomes) == ("frontier dry", {"page": 80})
    assert sum(stopped.outcomes.values()) + 80 == len(fleet.outcomes())
    with Crawls(fleet.kafka, fleet.topics) as crawls, pytest.raises(CrawlOverError, match="has ended \\(stopped\\)"):
        crawls.start(fleet.plan(web.url(0), crawl_id="slow"), stopped.at)


def test_two_crawls_of_one_host_take_turns_and_keep_the_delay(fleet: Fleet) -> None:
    with served(Web(hosts=1, pages=8)) as web, fleet.spider():
        for name in ("one", "two"):
            fleet.start(web.url(0), crawl_id=name, delay_s=0.2)
        for name in ("one", "two"):
            assert fleet.ended(name).outcomes == {"page": 8}
    assert set(web.fetches().values()) == {2}
    assert overlaps(web) == []
    assert hurried(web, 0.2) == []


def test_a_redirect_to_another_host_becomes_a_request_of_that_host(
    fleet: Fleet, start_site: Callable[..., Site]
) -> None:
    there = start_site({"/page": html("the target", title="Target")})
    here = start_site({"/": moved(f"http://127.0.0.1:{there.port}/page"), "/near": moved("/end"), "/end": html("end")})
    with fleet.spider():
        fleet.start(here.url(), here.url("/near"))
        fleet.ended()
    assert fleet.outcomes() == {
        here.url(): "duplicate: redirect",
        there.url("/page"): "page",
        here.url("/near"): "duplicate: redirect",
        here.url("/end"): "page",
    }
    events = {event.url: event for event in fleet.published()}
    assert events[here.url()].duplicate_of == events[there.url("/page")].page_id


def test_sitemaps_and_failures_are_ended_like_everywhere(fleet: Fleet, start_site: Callable[..., Site]) -> None:
    site = start_site(
        {
            "/robots.txt": Answer(b"Sitemap: /map.xml\nUser-agent: *\nDisallow: /no", headers=()),
            "/": html("start", "/no", "/missing"),
        }
    )
    body = f"<urlset><url><loc>{site.url('/hidden')}</loc></url></urlset>".encode()
    site.routes["/map.xml"] = Answer(body, headers=(("Content-Type", "text/xml"),))
    site.routes["/robots.txt"] = Answer(
        f"Sitemap: {site.url('/map.xml')}\nUser-agent: *\nDisallow: /no".encode(), headers=()
    )
    site.routes["/hidden"] = html("hidden", title="Hidden")
    with fleet.spider():
        fleet.start(site.url())
        state = fleet.ended()
    assert fleet.outcomes() == {
        site.url(): "page",
        site.url("/no"): "refused: robots",
        site.url("/missing"): "failed: status 404",
        site.url("/map.xml"): "unsupported: sitemap",
        site.url("/hidden"): "page",
    }
    assert state.reasons == {"refused: robots": 1, "failed: status 404": 1, "unsupported: sitemap": 1}


def test_what_is_no_request_becomes_a_dead_letter_and_holds_nothing_up(fleet: Fleet, web: Web) -> None:
    producer = KafkaProducer(**fleet.kafka)
    for partition in range(6):
        producer.send(fleet.topics.crawl_requests, value=b"{broken", key=b"x", partition=partition)
    producer.close()
    with fleet.spider():
        fleet.start(web.url(0))
        assert fleet.ended().outcomes == {"page": 48}
    letters = fleet.dead_letters()
    assert [letter.value for letter in letters] == [b"{broken"] * 6
    assert dict(letters[0].headers)["guidewatch.dlq.topic"].decode() == fleet.topics.crawl_requests


def test_a_spider_that_comes_later_goes_on_where_the_first_was_stopped(fleet: Fleet, web: Web) -> None:
    with fleet.spider("a") as first:
        fleet.start(web.url(0), delay_s=0.1)
        while len(web.fetches()) < 15:
            time.sleep(0.05)
        began = time.monotonic()
        first.end()
        assert time.monotonic() - began < 5
    assert 0 < len(web.fetches()) < 48
    with fleet.spider("b"):
        state = fleet.ended()
    assert state.outcomes == {"page": 48}
    assert fleet.outcomes() == dict.fromkeys(web.urls, "page")


def test_names_of_crawls_may_be_cut_short_but_not_ambiguous(fleet: Fleet) -> None:
    for name in ("spring-1", "spring-2", "autumn"):
        fleet.start("http://127.0.0.1:1/", crawl_id=name)
    with Crawls(fleet.kafka, fleet.topics) as crawls:
        assert crawls.named("aut").crawl_id == "autumn"
        for name, said in (("spring", "2 crawls begin"), ("winter", "no crawl 'winter'")):
            with pytest.raises(UnknownCrawlError, match=said):
                crawls.named(name)


def test_missing_topics_and_a_missing_broker_are_one_clear_line(
    kafka_bootstrap: str, kafka_prefix: str, tmp_path: Path, unused_port: int
) -> None:
    import threading

    def run(bootstrap: str) -> None:
        member = Membership("g", "i")
        Spider({"bootstrap_servers": bootstrap}, Topics(kafka_prefix), member, SpiderOptions(warc_dir=tmp_path)).run(
            threading.Event()
        )

    with pytest.raises(KafkaRefusedError, match="run `guidewatch setup` first") as missing:
        run(kafka_bootstrap)
    with pytest.raises(KafkaUnavailableError, match="does not answer") as absent:
        run(f"127.0.0.1:{unused_port}")
    assert "\n" not in f"{missing.value}{absent.value}"
