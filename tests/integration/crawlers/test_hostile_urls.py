"""Sites without end: each is left, and the page behind it is crawled."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from urllib.parse import parse_qs, urlsplit

import pytest

from crawlers.plan import CrawlPlan
from tests.integration.crawlers.hostile import HostileSite, crawl
from tests.integration.crawlers.site import Answer, Site, html

StartSite = Callable[..., Site]
Plan = Callable[..., CrawlPlan]
YEAR = datetime.now(UTC).year
WORDS = [f"word{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(676)]


def calendar(path: str) -> Answer | None:
    found = re.match(r"/calendar/(\d+)/(\d+)$", path)
    if not found:
        return None
    year, month = int(found[1]), int(found[2])
    later = f"/calendar/{year + month // 12}/{month % 12 + 1:02}"
    words = random.Random(path).sample(WORDS, 40)
    return html(f"Events of {month} {year}: {' '.join(words)}", later)


def dated_query(path: str) -> Answer | None:
    said = parse_qs(urlsplit(path).query)
    if "year" not in said:
        return None
    year = int(said["year"][0])
    return html(" ".join(random.Random(path).sample(WORDS, 40)), f"/when?month=3&year={year + 1}")


def facets(path: str) -> Answer | None:
    parts = urlsplit(path)
    if parts.path != "/shop":
        return None
    chosen = sorted(parse_qs(parts.query))
    free = [name for name in "abcdefghijkl" if name not in chosen]
    links = ["/shop?" + "&".join(f"{one}=1" for one in sorted([*chosen, name])) for name in free]
    return html("Our shop has a table, a chair, a lamp and a bed.", *links)


def session_in_query(path: str) -> Answer | None:
    page = urlsplit(path).path
    if page not in ("/one", "/two", "/three"):
        return None
    numbers = iter(f"{random.Random(f'{path}{n}').getrandbits(64):x}" for n in count())
    return html(f"The text of page {page}.", *(f"{name}?visit={next(numbers)}" for name in ("/one", "/two", "/three")))


def session_in_path(path: str) -> Answer | None:
    if not path.startswith("/~"):
        return None
    name = path.rsplit("/", 1)[1]
    letters = "".join(random.Random(path).choices("abcdefghijklmnop", k=12))
    return html(f"The text of page {name}.", *(f"/~{letters}/{one}" for one in ("one", "two", "three")))


def deeper(path: str) -> Answer | None:
    return html(" ".join(random.Random(path).sample(WORDS, 40)), "down/up/") if path.startswith("/deep/") else None


def endless_sitemap(path: str) -> Answer | None:
    found = re.match(r"/map(\d+)\.xml$", path)
    if not found:
        return None
    following = f"<sitemap><loc>/map{int(found[1]) + 1}.xml</loc></sitemap>"
    return Answer(f"<sitemapindex>{following}</sitemapindex>".encode(), headers=(("Content-Type", "text/xml"),))


TRAPS: dict[str, tuple[Callable[[str], Answer | None], str, int]] = {
    "a calendar with new words": (calendar, f"/calendar/{YEAR}/1", 60),
    "a calendar in the query": (dated_query, f"/when?month=3&year={YEAR}", 10),
    "facets": (facets, "/shop", 80),
    "session ids in the query": (session_in_query, "/one", 150),
    "session ids in the path": (session_in_path, "/~x/one", 250),
    "relative links that go deeper": (deeper, "/deep/down/up/", 10),
}


@pytest.mark.parametrize("name", TRAPS)
def test_a_site_without_end_is_left_and_the_rest_is_crawled(start_site: StartSite, plan_for: Plan, name: str) -> None:
    trap, first, most = TRAPS[name]
    site = start_site({"/": html("start", first, "/behind")}, fallback=trap)
    site.routes["/behind"] = html("another page")
    found = crawl(plan_for(site, max_depth=10_000, max_pages=2_000, max_pages_per_host=2_000))
    assert found[site.url("/behind")] == "page"
    assert {"refused: trap", "refused: nothing new"} & set(found.values())
    assert len(site.seen) < most


def test_sitemaps_that_lead_to_sitemaps_come_to_an_end(start_site: StartSite, plan_for: Plan) -> None:
    site = start_site({"/": html("start", "/behind"), "/behind": html("another page")}, fallback=endless_sitemap)
    site.routes["/robots.txt"] = Answer(f"Sitemap: {site.url('/map0.xml')}".encode())
    found = crawl(plan_for(site))
    assert found[site.url("/behind")] == "page"
    assert len(site.seen) < 60


def test_session_ids_that_are_known_are_taken_off(start_site: StartSite, plan_for: Plan) -> None:
    links = [
        "/a;jsessionid=1A2B",
        "/a;jsessionid=3C4D?x=1",
        "/(S(abcdefgh12345678))/b",
        "/b?PHPSESSID=1",
        "/a?x=1&sid=7",
    ]
    site = start_site({"/": html("start", *links)}, fallback=lambda path: html(f"words of {path}"))
    crawl(plan_for(site))
    assert site.asked() == ["/robots.txt", "/", "/a", "/a?x=1", "/b"]


def test_a_host_that_yields_nothing_new_is_left_and_the_others_are_crawled(
    start_site: StartSite, plan_for: Plan
) -> None:
    links = [f"/{word}" for word in WORDS[:400]]
    dull = start_site({"/": html("start", *links)}, fallback=lambda _: html("the very same words on every page"))
    other = start_site({}, fallback=lambda path: html(f"other words of {path}", "/a", "/b"))
    found = crawl(plan_for(dull, other))
    outcomes = [found[dull.url(path)] for path in links]
    assert outcomes.count("refused: nothing new") > 200
    assert len(dull.seen) < 200
    assert found[other.url("/b")] == "page"


def test_a_host_that_only_fails_is_left(start_site: StartSite, plan_for: Plan, unused_port: int) -> None:
    gone = [f"http://127.0.0.1:{unused_port}/{number}" for number in range(200)]
    site = start_site({"/": html("start", *gone, "/behind"), "/behind": html("another page")})
    allowed = frozenset({site.key, f"127.0.0.1:{unused_port}"})
    found = crawl(plan_for(site, allow_private=allowed))
    outcomes = [found[url] for url in gone]
    assert set(outcomes) == {"failed: connection refused", "refused: host fails"}
    assert outcomes.count("failed: connection refused") < 60, "what is under way may still end"
    assert found[site.url("/behind")] == "page"


def test_gigantic_links_and_link_lists_come_to_an_end(
    start_hostile: Callable[..., HostileSite], start_site: StartSite, plan_for: Plan
) -> None:
    many = "".join(f"<a href=/{number}>" for number in range(100_000))
    long = "".join(f"<a href=/{'x' * 2_100}{number}>" for number in range(500))
    site = start_site({"/": Answer(f"<p>start{long}{many}".encode())}, fallback=lambda path: html(f"words {path}"))
    found = crawl(plan_for(site, max_pages=20, max_pages_per_host=20))
    assert len(site.seen) < 30
    assert len(found) < 6_000
