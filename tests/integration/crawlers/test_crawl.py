"""Crawls of small loopback sites: every URL ends in exactly one outcome."""

from __future__ import annotations

import gzip
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

import crawlers.reading
from crawlers.plan import CrawlPlan
from crawlers.progress import CrawlProgress
from crawlers.run import DataFolderError, run_crawl
from events import PageFound, UrlEnded, page_id
from tests.integration.crawlers.sinks import FailingSink, ListSink
from tests.integration.crawlers.site import Answer, Site, html, moved

Start = Callable[..., Site]
Plan = Callable[..., CrawlPlan]


def text(body: str, kind: str = "text/plain") -> Answer:
    return Answer(body.encode(), headers=(("Content-Type", kind),))


def test_a_forbidden_part_is_never_fetched_and_said_so(start_site: Start, plan_for: Plan) -> None:
    site = start_site(
        {
            "/robots.txt": text("User-agent: guidewatch\nDisallow: /private/\n"),
            "/": html("start", "/private/a", "/open"),
            "/private/a": html("hidden"),
            "/open": html("open"),
        }
    )
    sink = ListSink()
    summary = run_crawl(plan_for(site), sink)
    assert sink.outcomes() == {"/": "page", "/private/a": "refused: robots", "/open": "page"}
    assert "/private/a" not in site.asked()
    assert site.asked().count("/robots.txt") == 1
    assert (summary.pages, summary.finished, summary.ended_because) == (2, True, "frontier dry")
    assert summary.reasons == {"refused: robots": 1}


def test_the_user_agent_with_contact_is_on_the_wire(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/": html("start")})
    run_crawl(plan_for(site, contact="monitor@example.org"), ListSink())
    agents = {headers["User-Agent"] for _, headers in site.seen}
    assert agents == {"guidewatch/0.1 (+monitor@example.org)"}
    assert not any("Cookie" in headers or "Referer" in headers for _, headers in site.seen)


def test_redirects_end_as_duplicates_of_the_final_page(start_site: Start, plan_for: Plan) -> None:
    site = start_site(
        {
            "/": html("start", "/old", "/direct"),
            "/old": moved("/older", 301),
            "/older": moved("/final"),
            "/final": html("the final page", "/next"),
            "/next": html("next"),
            "/direct": moved("/"),
        }
    )
    sink = ListSink()
    run_crawl(plan_for(site), sink)
    assert sink.outcomes() == {
        "/": "page",
        "/old": "duplicate: redirect",
        "/older": "duplicate: redirect",
        "/final": "page",
        "/next": "page",
        "/direct": "duplicate: redirect",
    }
    events = {event.url: event for event in sink.events}
    final = events[site.url("/final")]
    assert isinstance(final, PageFound)
    assert final.redirected_from == (site.url("/old"), site.url("/older"))
    for path, target in (("/old", "/final"), ("/older", "/final"), ("/direct", "/")):
        event = events[site.url(path)]
        assert isinstance(event, UrlEnded)
        assert event.duplicate_of == page_id(site.url(target))


def test_redirects_that_lead_nowhere_end_once(start_site: Start, plan_for: Plan) -> None:
    site = start_site(
        {
            "/": html("start", "/loop", "/ftp", "/gone", "/self?utm_source=x"),
            "/loop": moved("/loop2"),
            "/loop2": moved("/loop"),
            "/ftp": moved("ftp://example.org/"),
            "/gone": moved("/missing"),
            "/self?utm_source=x": moved("/self"),
            "/self": html("the same page"),
        }
    )
    sink = ListSink()
    run_crawl(plan_for(site), sink)
    outcomes = sink.outcomes()
    assert outcomes["/loop"] == outcomes["/loop2"] == "failed: too many redirects"
    assert outcomes["/ftp"] == "failed: status 302"
    assert outcomes["/gone"] == "duplicate: redirect"
    assert outcomes["/missing"] == "failed: status 404"
    assert sorted(path for path, outcome in outcomes.items() if outcome == "page") == ["/", "/self"]


def test_every_url_of_a_chain_that_is_too_long_ends_once(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/": html("start", "/hop0", "/hop3"), "/hop9": html("the end of the chain")})
    site.routes.update({f"/hop{n}": moved(f"/hop{n + 1}") for n in range(9)})
    sink = ListSink()
    summary = run_crawl(plan_for(site), sink)
    outcomes = sink.outcomes()
    assert set(outcomes) == set(site.asked()) - {"/robots.txt"} == {"/", *(f"/hop{n}" for n in range(10))}
    assert {outcomes[f"/hop{n}"] for n in range(3)} == {"failed: too many redirects"}
    assert summary.finished
    assert sum(summary.outcomes.values()) == len(sink.events) == 11


def test_a_chain_without_end_is_left(start_site: Start, plan_for: Plan) -> None:
    site = start_site(
        {"/": html("start", "/0")}, fallback=lambda path: moved(f"/{int(path[1:]) + 1}") if path[1:].isdigit() else None
    )
    sink = ListSink()
    summary = run_crawl(plan_for(site, max_depth=3), sink)
    outcomes = sink.outcomes()
    assert set(outcomes) == set(site.asked()) - {"/robots.txt"}
    assert Counter(outcomes.values()) == {"page": 1, "failed: too many redirects": 18}
    assert (summary.finished, summary.beyond_depth) == (True, 1)


def test_a_chain_that_comes_back_or_ends_in_no_url_leaves_out_no_hop(start_site: Start, plan_for: Plan) -> None:
    site = start_site(
        {
            "/": html("start", "/back?utm_source=x", "/far"),
            "/back?utm_source=x": moved("/cookie"),
            "/cookie": moved("/back"),
            "/back": html("back again"),
            "/far": moved("/farther"),
            "/farther": moved(f"/{'x' * 3_000}"),
        }
    )
    sink = ListSink()
    run_crawl(plan_for(site), sink)
    outcomes = sink.outcomes()
    assert outcomes.pop("/far") == outcomes.pop("/farther") == "refused: url too long"
    assert outcomes.pop("/cookie") == "duplicate: redirect"
    assert sorted(outcomes.values()) == ["page", "page"]


def test_every_failure_has_its_reason(start_site: Start, plan_for: Plan, unused_port: int) -> None:
    site = start_site(
        {
            "/": html("start", "/404", "/500", "/slow", "/big", "/empty", "/pic", f"http://127.0.0.1:{unused_port}/"),
            "/500": Answer(b"broken", 500),
            "/slow": Answer(b"x" * 100, drip_s=0.2),
            "/big": Answer(b"<p>" + b"x" * 300_000),
            "/empty": Answer(b""),
            "/pic": Answer(b"\x89PNG\r\n\x1a\n\0\0", headers=(("Content-Type", "image/png"),)),
        }
    )
    sink = ListSink()
    allowed = frozenset({site.key, f"127.0.0.1:{unused_port}"})
    run_crawl(plan_for(site, timeout_s=1.0, max_bytes=100_000, concurrency_per_host=8, allow_private=allowed), sink)
    outcomes = {event.url: f"{event.outcome}: {event.reason}" for event in sink.events if isinstance(event, UrlEnded)}
    assert outcomes == {
        site.url("/404"): "failed: status 404",
        site.url("/500"): "failed: status 500",
        site.url("/slow"): "failed: timeout",
        site.url("/big"): "failed: too large",
        site.url("/empty"): "unsupported: empty",
        site.url("/pic"): "unsupported: media type image/png",
        f"http://127.0.0.1:{unused_port}/": "failed: connection refused",
    }
    assert site.asked().count("/500") == 3
    assert site.asked().count("/slow") == 3
    assert site.asked().count("/404") == 1


def test_a_body_that_swells_when_unpacked_is_too_large(start_site: Start, plan_for: Plan) -> None:
    packed = gzip.compress(b"<p>" + b"x" * 5_000_000)
    headers = (("Content-Type", "text/html"), ("Content-Encoding", "gzip"))
    site = start_site({"/": html("start", "/bomb"), "/bomb": Answer(packed, headers=headers)})
    sink = ListSink()
    run_crawl(plan_for(site, max_bytes=100_000), sink)
    assert sink.outcomes() == {"/": "page", "/bomb": "failed: too large"}


def test_robots_that_cannot_be_had_forbid_all(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/": html("start"), "/robots.txt": Answer(b"broken", 503)})
    sink = ListSink()
    run_crawl(plan_for(site), sink)
    assert sink.outcomes() == {"/": "refused: robots unavailable"}
    assert set(site.asked()) == {"/robots.txt"}


def test_sitemaps_and_feeds_lead_to_pages(start_site: Start, plan_for: Plan) -> None:
    site = start_site({})
    one = f"<urlset><url><loc>{site.url('/mapped')}</loc></url></urlset>"
    head = '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
    site.routes.update(
        {
            "/robots.txt": text(f"Sitemap: {site.url('/index.xml')}"),
            "/index.xml": text(f"<sitemapindex><sitemap><loc>{site.url('/one.xml.gz')}</loc></sitemap></sitemapindex>"),
            "/one.xml.gz": Answer(gzip.compress(one.encode()), headers=(("Content-Type", "application/gzip"),)),
            "/": Answer(f"<head>{head}</head><p>start".encode()),
            "/feed.xml": text("<rss><channel><item><link>/entry</link></item></channel></rss>", "application/rss+xml"),
            "/mapped": html("in the sitemap"),
            "/entry": html("in the feed"),
        }
    )
    sink = ListSink()
    run_crawl(plan_for(site), sink)
    assert sink.outcomes() == {
        "/index.xml": "unsupported: sitemap",
        "/one.xml.gz": "unsupported: sitemap",
        "/": "page",
        "/feed.xml": "unsupported: feed",
        "/mapped": "page",
        "/entry": "page",
    }


def test_the_same_text_is_a_duplicate_of_the_first(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/": html("start", "/a", "/b"), "/a": html("one and the same"), "/b": html("one and  the same")})
    sink = ListSink()
    run_crawl(plan_for(site), sink)
    assert sink.outcomes() == {"/": "page", "/a": "page", "/b": "duplicate: same text"}
    (repeated,) = [event for event in sink.events if isinstance(event, UrlEnded)]
    assert repeated.duplicate_of == page_id(site.url("/a"))
    assert repeated.evidence is not None


def test_a_page_whose_server_lies_about_its_charset_is_read(start_site: Start, plan_for: Plan) -> None:
    russian = "Эта страница рассказывает о музее, о его истории и о посетителях. " * 4
    site = start_site(
        {
            "/": Answer(
                f"<p>{russian}</p>".encode("windows-1251"), headers=(("Content-Type", "text/html; charset=utf-8"),)
            )
        }
    )
    sink = ListSink()
    run_crawl(plan_for(site), sink)
    (page,) = sink.events
    assert isinstance(page, PageFound)
    assert page.text == russian.strip()
    assert page.charset == "windows-1251"


def test_an_endless_calendar_is_left_and_the_rest_is_crawled(start_site: Start, plan_for: Plan) -> None:
    def calendar(path: str) -> Answer | None:
        if not path.startswith("/calendar/"):
            return None
        number = int(path.rsplit("/", 1)[1])
        return html(f"Events of month {number}. There are no events.", f"/calendar/{number + 1}", "/")

    site = start_site({"/": html("start", "/calendar/1", "/about"), "/about": html("about us")}, fallback=calendar)
    sink = ListSink()
    summary = run_crawl(plan_for(site, max_depth=10_000), sink)
    outcomes = sink.outcomes()
    assert summary.ended_because == "frontier dry"
    assert summary.reasons["refused: trap"] == 1
    assert outcomes["/about"] == "page"
    assert 10 < len(outcomes) < 40


def test_limits_of_pages_hosts_and_depth_are_kept(start_site: Start, plan_for: Plan, tmp_path: Path) -> None:
    def tree(path: str) -> Answer:
        return html(f"the page {path}", *(f"{path.rstrip('/')}/{n}" for n in range(3)))

    site, other = start_site({}, fallback=tree), start_site({}, fallback=tree)
    summary = run_crawl(plan_for(site, max_pages=7, data_dir=tmp_path / "a"), ListSink())
    assert (summary.pages, summary.ended_because, summary.finished) == (7, "limit reached", True)

    sink = ListSink()
    run_crawl(plan_for(site, other, max_pages_per_host=4, data_dir=tmp_path / "b"), sink)
    hosts = [event.host for event in sink.events if isinstance(event, PageFound) or event.outcome == "duplicate"]
    assert (hosts.count(site.key), hosts.count(other.key)) == (4, 4)

    sink = ListSink()
    summary = run_crawl(plan_for(site, max_depth=1, data_dir=tmp_path / "c"), sink)
    assert sorted({event.depth for event in sink.events}) == [0, 1]
    assert (summary.pages, summary.beyond_depth) == (4, 9)


def test_an_exception_while_reading_ends_that_url_only(
    start_site: Start, plan_for: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = crawlers.reading.extract_text

    def breaks(body: bytes, **values: str) -> object:
        if b"break me" in body:
            raise KeyError("unforeseen")
        return real(body, **values)

    monkeypatch.setattr(crawlers.reading, "extract_text", breaks)
    site = start_site({"/": html("start", "/bad", "/good"), "/bad": text("break me"), "/good": text("good")})
    sink = ListSink()
    run_crawl(plan_for(site), sink)
    assert sink.outcomes() == {"/": "page", "/bad": "failed: error: KeyError", "/good": "page"}


def test_a_failing_sink_stops_the_crawl_and_loses_nothing(start_site: Start, plan_for: Plan) -> None:
    site = start_site({}, fallback=lambda path: html(f"page {path}", *(f"/{n}" for n in range(12))))
    failing = FailingSink(good=5)
    summary = run_crawl(plan_for(site), failing)
    assert (summary.finished, summary.pages) == (False, 5)
    assert summary.ended_because == "sink: OSError: the disk is full"
    sink = ListSink()
    again = run_crawl(plan_for(site, crawl_id="another name"), sink)
    assert (again.crawl_id, again.resumed, again.finished) == ("test", True, True)
    ended = [event.url for event in failing.events + sink.events]
    assert sorted(ended) == sorted(site.url(path) for path in ["/", *(f"/{n}" for n in range(12))])


def test_urls_that_are_too_long_are_dropped_and_counted(start_site: Start, plan_for: Plan) -> None:
    long = "x" * 3_000
    site = start_site(
        {"/": html("start", f"/{long}", "/moved"), "/moved": moved(f"/{long}")},
        fallback=lambda _: html("fetched after all"),
    )
    sink = ListSink()
    summary = run_crawl(plan_for(site), sink)
    assert sink.outcomes() == {"/": "page", "/moved": "refused: url too long"}
    assert not any(long in path for path in site.asked())
    assert (summary.too_long, summary.finished) == (1, True)


def test_a_page_is_told_only_when_its_evidence_is_on_the_disk(
    start_site: Start, plan_for: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: dict[int, int] = {}
    real = os.fsync

    def fsync(number: int) -> None:
        real(number)
        found = os.fstat(number)
        on_disk[found.st_ino] = found.st_size

    class Looks(ListSink):
        def put(self, event: PageFound | UrlEnded) -> Future[None]:
            assert event.evidence is not None
            file = (tmp_path / "data" / "warc" / event.evidence.warc).stat()
            assert on_disk.get(file.st_ino, 0) > event.evidence.offset
            return super().put(event)

    monkeypatch.setattr(os, "fsync", fsync)
    site = start_site({}, fallback=lambda path: html(f"page {path}", *(f"/{n}" for n in range(12))))
    sink = Looks()
    summary = run_crawl(plan_for(site), sink)
    assert (len(sink.events), summary.finished) == (13, True)


def test_a_finished_crawl_is_followed_by_a_new_one(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/": html("start", "/a"), "/a": html("a")})
    first, second = ListSink(), ListSink()
    run_crawl(plan_for(site), first)
    summary = run_crawl(plan_for(site, crawl_id="next"), second)
    assert (summary.crawl_id, summary.resumed) == ("next", False)
    assert first.outcomes() == second.outcomes()
    assert {event.id for event in first.events}.isdisjoint(event.id for event in second.events)


def test_progress_is_told_while_it_runs(start_site: Start, plan_for: Plan) -> None:
    site = start_site({}, fallback=lambda path: Answer(html(f"page {path}", "/1", "/2", "/3").body, wait_s=0.3))
    told: list[CrawlProgress] = []
    run_crawl(plan_for(site), ListSink(), on_progress=told.append)
    assert len(told) >= 2
    assert told[-1].pages == 4
    assert [progress.pages for progress in told] == sorted(progress.pages for progress in told)


def test_a_data_folder_that_cannot_be_used_is_one_clear_line(start_site: Start, plan_for: Plan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderError, match="cannot be used") as caught:
        run_crawl(plan_for(start_site({}), data_dir=tmp_path / "file"), ListSink())
    assert "\n" not in str(caught.value)
