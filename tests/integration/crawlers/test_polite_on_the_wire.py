"""How polite the crawler is, as a server sees it: arrival times, connections and headers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from email.utils import formatdate

import pytest

from crawlers.plan import CrawlPlan
from tests.integration.crawlers.hostile import HostileSite, Route, Wire, crawl, page, raw, response

StartHostile = Callable[[dict[str, Route]], HostileSite]
Plan = Callable[..., CrawlPlan]
EARLY_S = 0.05
"""So much sooner may a request seem to arrive: the crawler counts from the sending, the site from the reading."""


def start(*links: str) -> Route:
    return raw(response(page("start", *links)))


def robots(text: str) -> Route:
    return raw(response(text.encode(), "Content-Type: text/plain"))


def busy(status: str = "429 Too Many Requests", *headers: str) -> bytes:
    return response(b"", *headers, status=status)


def slowly(wire: Wire) -> None:
    wire.goes_on(0.3)
    wire.send(response(page(f"slow words {wire.path}")))


def in_turn(*answers: bytes) -> Route:
    """Answer each request with the next of ``answers``, and the last one for ever."""
    left: Iterator[bytes] = iter(answers[:-1])
    return lambda wire: wire.send(next(left, answers[-1]))


def test_by_default_a_host_is_asked_once_a_second_over_one_connection_by_someone_with_a_name(
    start_hostile: StartHostile, plan_for: Plan
) -> None:
    site = start_hostile({"/": start("/a", "/b", "/hop"), "/hop": raw(response(b"", "Location: /c", status="302 F"))})
    found = crawl(plan_for(site, delay_s=CrawlPlan.delay_s, contact="monitor@example.org"))
    assert list(found.values()).count("page") == 4
    assert site.asked()[0] == "/robots.txt"
    assert len(site.seen) == 6
    assert min(site.gaps()) >= 1.0 - EARLY_S
    assert site.most_at_once == 1
    agent = b"\r\nUser-Agent: guidewatch/0.1 (+monitor@example.org)\r\n"
    assert all(agent in request.head for request in site.seen)
    assert not [request for request in site.seen if b"\r\nContent-Length" in request.head]


def test_a_slow_host_is_asked_less_often(start_hostile: StartHostile, plan_for: Plan) -> None:
    """Without AutoThrottle two connections would ask in pairs; now and then two answers, and so two asks, meet."""
    paths = [f"/{name}" for name in "abcdefghij"]

    def slow(wire: Wire) -> None:
        wire.goes_on(0.6)
        wire.send(response(page(f"words {wire.path}", *paths)))

    site = start_hostile(dict.fromkeys(("/", *paths), slow))
    crawl(plan_for(site, delay_s=0.05, concurrency_per_host=2))
    gaps = site.gaps()[2:]
    assert len(gaps) >= 8
    assert sum(gap < 0.2 for gap in gaps) <= 2


def test_the_crawl_delay_of_robots_is_kept(start_hostile: StartHostile, plan_for: Plan) -> None:
    site = start_hostile({"/": start("/a", "/b"), "/robots.txt": robots("User-agent: *\nCrawl-delay: 0.7\n")})
    other = start_hostile({"/robots.txt": robots("User-agent: *\nRequest-rate: 2/1\n")})
    other.routes["/"] = raw(response(page("another host", "/a")))
    found = crawl(plan_for(site, other, delay_s=0.1))
    assert {found[site.url(path)] for path in ("/", "/a", "/b")} == {"page"}
    assert min(site.gaps()) >= 0.7 - EARLY_S
    assert 0.5 - EARLY_S <= min(other.gaps()) < 0.7 + 0.5


def test_a_crawl_delay_of_an_hour_is_cut_and_said_so(
    start_hostile: StartHostile, plan_for: Plan, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("crawlers.middlewares.robots.MAX_CRAWL_DELAY_S", 0.5)
    site = start_hostile({"/": start("/a"), "/robots.txt": robots("User-agent: guidewatch\nCrawl-delay: 3600\n")})
    found = crawl(plan_for(site))
    assert found[site.url("/a")] == "page"
    assert min(site.gaps()) >= 0.5 - EARLY_S
    assert f"robots.txt of {site.key} asks for 3600 s between requests" in caplog.text


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_is_waited_for_by_the_whole_host_and_by_no_other(
    start_hostile: StartHostile, plan_for: Plan, form: str
) -> None:
    def busy_once(wire: Wire) -> None:
        said = "2" if form == "seconds" else formatdate(time.time() + 3, usegmt=True)
        awake = site.asked().count("/busy") > 1
        wire.send(response(page("awake")) if awake else busy("503 Unavailable", f"Retry-After: {said}"))

    site, other = start_hostile({"/": start("/busy", "/b", "/c"), "/busy": busy_once}), start_hostile({})
    links = [f"/{number}" for number in range(12)]
    other.routes.update(dict.fromkeys(links, slowly))
    other.routes["/"] = raw(response(page("another host", *links)))
    found = crawl(plan_for(site, other))
    assert {found[site.url(path)] for path in ("/", "/busy", "/b", "/c")} == {"page"}
    first, again = [request.at for request in site.seen if request.path == "/busy"]
    assert again - first >= 2.0 - EARLY_S
    assert not [request for request in site.seen if first < request.at < again]
    assert [request for request in other.seen if first < request.at < again]


def test_pauses_grow_and_end_with_a_failed_page(start_hostile: StartHostile, plan_for: Plan) -> None:
    site = start_hostile({"/": start("/busy", "/b"), "/busy": raw(busy())})
    found = crawl(plan_for(site, delay_s=0.05))
    assert found[site.url("/busy")] == "failed: status 429"
    assert found[site.url("/b")] == "page"
    assert site.asked() == ["/robots.txt", "/", *["/busy"] * 4, "/b"]
    first, second, third = site.gaps()[2:5]
    assert first >= 0.25 - EARLY_S
    assert second >= 0.5 - EARLY_S
    assert third >= 1.0 - EARLY_S


def test_a_host_that_is_always_busy_is_given_up(start_hostile: StartHostile, plan_for: Plan) -> None:
    links = [f"/{number}" for number in range(9)]
    site = start_hostile({"/": start(*links), **dict.fromkeys(links, raw(busy()))})
    found = crawl(plan_for(site, delay_s=0.01))
    outcomes = [found[site.url(path)] for path in links]
    assert outcomes == ["failed: status 429"] * 2 + ["refused: host busy"] * 7
    assert len(site.seen) == 2 + 6


def test_a_host_that_asks_to_be_left_for_a_day_is_left(start_hostile: StartHostile, plan_for: Plan) -> None:
    site = start_hostile({"/": start("/a", "/b"), "/a": raw(busy("429 Too Many", "Retry-After: 86400"))})
    began = time.monotonic()
    found = crawl(plan_for(site))
    assert (found[site.url("/a")], found[site.url("/b")]) == ("failed: status 429", "refused: host busy")
    assert time.monotonic() - began < 60
    assert site.asked() == ["/robots.txt", "/", "/a"]


def test_robots_of_a_busy_host_are_asked_again_before_any_page(start_hostile: StartHostile, plan_for: Plan) -> None:
    site = start_hostile({"/robots.txt": in_turn(busy(), busy(), response(b"User-agent: *\nDisallow: /no\n"))})
    site.routes["/"] = start("/no", "/yes")
    found = crawl(plan_for(site, delay_s=0.02))
    assert site.asked() == [*["/robots.txt"] * 3, "/", "/yes"]
    assert (found[site.url("/no")], found[site.url("/yes")]) == ("refused: robots", "page")
    assert site.gaps()[1] >= 0.2 - EARLY_S


def test_robots_that_stay_busy_forbid_all(start_hostile: StartHostile, plan_for: Plan) -> None:
    site = start_hostile({"/robots.txt": raw(busy())})
    found = crawl(plan_for(site, delay_s=0.01, seeds=(site.url("/a"), site.url("/b"))))
    assert set(found.values()) == {"refused: robots unavailable"}
    assert site.asked() == ["/robots.txt"] * 4
