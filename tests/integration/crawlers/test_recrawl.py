"""A second crawl of the same data folder asks only for what may have changed, and reaches all the same pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from crawlers.options import RunOptions
from crawlers.plan import CrawlPlan
from crawlers.run import run_crawl
from events import PageFound, UrlEnded
from tests.integration.crawlers.sinks import ListSink
from tests.integration.crawlers.site import Answer, Site, html, moved

Start = Callable[..., Site]
Plan = Callable[..., CrawlPlan]
BEGAN = datetime(2026, 11, 1, tzinfo=UTC)


def tagged(text: str, *links: str) -> Answer:
    page = html(text, *links)
    return Answer(page.body, headers=(("Content-Type", "text/html"), ("ETag", f'"{abs(hash(page.body))}"')))


def crawl(plan: CrawlPlan, days: float = 0.0) -> ListSink:
    """Crawl ``days`` after the first crawl."""
    sink = ListSink()
    summary = run_crawl(plan, sink, options=RunOptions(clock=lambda: BEGAN + timedelta(days=days)))
    assert summary.finished
    return sink


def test_what_was_not_modified_is_not_sent_again_and_still_leads_on(start_site: Start, plan_for: Plan) -> None:
    site = start_site(
        {"/": tagged("start", "/a"), "/a": tagged("the page a", "/b"), "/b": html("b without a tag")}, conditional=True
    )
    assert crawl(plan_for(site)).outcomes() == {"/": "page", "/a": "page", "/b": "page"}
    site.seen.clear()
    sink = crawl(plan_for(site, crawl_id="again"), 1)
    assert sink.outcomes() == {"/": "duplicate: not modified", "/a": "duplicate: not modified", "/b": "page"}
    (ended, *_) = [event for event in sink.events if isinstance(event, UrlEnded)]
    assert (ended.status, ended.content_id is not None, ended.evidence is not None) == (304, True, True)


def test_a_changed_page_says_what_it_was_and_how_much_is_new(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/": tagged("start", "/a"), "/a": tagged("the first text of a")}, conditional=True)
    (first,) = [event for event in crawl(plan_for(site)).events if event.url.endswith("/a")]
    assert isinstance(first, PageFound)
    assert (first.previous_content_id, first.changed_share) == (None, None)
    site.routes["/a"] = tagged("another text of a altogether")
    (second,) = [event for event in crawl(plan_for(site, crawl_id="2"), 1).events if event.url.endswith("/a")]
    assert isinstance(second, PageFound)
    assert second.previous_content_id == first.content_id
    assert second.changed_share == 1.0


def test_conditions_are_those_of_each_hop(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/": tagged("start", "/old"), "/old": moved("/new"), "/new": tagged("new")}, conditional=True)
    crawl(plan_for(site))
    site.seen.clear()
    assert crawl(plan_for(site, crawl_id="2"), 1).outcomes()["/new"] == "duplicate: not modified"
    asked = {path: headers.get("If-None-Match") for path, headers in site.seen}
    assert (asked["/robots.txt"], asked["/old"]) == (None, None)
    assert asked["/new"]


def test_pages_that_are_not_due_are_left_and_what_lies_behind_them_is_reached(
    start_site: Start, plan_for: Plan
) -> None:
    site = start_site({"/": html("start", "/a"), "/a": html("a", "/b"), "/b": html("b"), "/c": html("c")})
    crawl(plan_for(site))
    site.routes["/"] = html("start", "/a", "/c")
    site.seen.clear()
    assert crawl(plan_for(site, crawl_id="2", due_only=True), 0.5).outcomes() == {"/": "page", "/c": "page"}
    # A day after the first crawl, a and b are due; c, which was found half a day later, is not.
    assert set(crawl(plan_for(site, crawl_id="3", due_only=True), 1.1).outcomes()) == {"/", "/a", "/b"}
    # They were not changed, so that the next visit is a day and a half later.
    assert set(crawl(plan_for(site, crawl_id="4", due_only=True), 2.3).outcomes()) == {"/", "/c"}


def test_a_sitemap_says_which_pages_need_not_be_asked(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/a": html("a", "/behind"), "/b": html("b"), "/behind": html("behind a")})

    def sitemap(a: str, b: str) -> Answer:
        return Answer(
            f"<urlset><url><loc>{site.url('/a')}</loc><lastmod>{a}</lastmod></url>"
            f"<url><loc>{site.url('/b')}</loc><lastmod>{b}</lastmod></url></urlset>".encode()
        )

    site.routes["/map.xml"] = sitemap("2026-10-01", "2026-10-01")
    plan = {"seeds": (site.url("/map.xml"),), "source_seeds": frozenset([site.url("/map.xml")])}
    assert set(crawl(plan_for(site, **plan)).outcomes()) == {"/map.xml", "/a", "/b", "/behind"}
    site.routes["/map.xml"] = sitemap("2026-10-01", "2026-11-02")
    assert set(crawl(plan_for(site, crawl_id="2", **plan), 3).outcomes()) == {"/map.xml", "/b", "/behind"}
    # A sitemap that never tells of a change is not believed for ever.
    assert set(crawl(plan_for(site, crawl_id="3", **plan), 40).outcomes()) == {"/map.xml", "/a", "/b", "/behind"}


def test_a_page_that_failed_is_asked_for_all_of_it(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/": tagged("start", "/a"), "/a": tagged("a")}, conditional=True)
    crawl(plan_for(site))
    kept = site.routes.pop("/a")
    assert crawl(plan_for(site, crawl_id="2"), 1).outcomes()["/a"] == "failed: status 404"
    site.routes["/a"] = kept
    assert crawl(plan_for(site, crawl_id="3"), 2).outcomes()["/a"] == "page"


def test_a_page_that_was_refused_is_asked_for_all_of_it(start_site: Start, plan_for: Plan) -> None:
    """The ledger says by then that it was refused, and an answer 304 could not tell what it is."""
    site = start_site({"/": tagged("start", "/a", "/b"), "/a": tagged("a"), "/b": tagged("b")}, conditional=True)
    crawl(plan_for(site))
    site.routes["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /a", headers=(("Content-Type", "text/plain"),))
    second = crawl(plan_for(site, crawl_id="2", max_pages=1), 1).outcomes()
    assert (second["/a"], second["/b"]) == ("refused: budget: pages", "refused: budget: pages")
    third = crawl(plan_for(site, crawl_id="3"), 2).outcomes()
    assert (third["/"], third["/a"], third["/b"]) == ("duplicate: not modified", "refused: robots", "page")
    del site.routes["/robots.txt"]
    fourth = crawl(plan_for(site, crawl_id="4"), 3).outcomes()
    assert (fourth["/a"], fourth["/b"]) == ("page", "duplicate: not modified")


def test_the_copy_of_a_text_is_asked_for_all_of_it(start_site: Start, plan_for: Plan) -> None:
    """Its first address may have another text by now, and then the copy is the page to judge."""
    site = start_site({"/": tagged("start", "/a", "/b"), "/a": tagged("same"), "/b": tagged("same")}, conditional=True)
    crawl(plan_for(site))
    site.routes["/a"] = tagged("no longer")
    assert crawl(plan_for(site, crawl_id="2"), 1).outcomes() == {
        "/": "duplicate: not modified",
        "/a": "page",
        "/b": "page",
    }


def test_an_answer_304_to_an_unconditional_request_is_a_failure(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/": Answer(status=304, headers=())})
    assert crawl(plan_for(site)).outcomes() == {"/": "failed: status 304"}


def test_a_text_of_urls_is_a_sitemap(start_site: Start, plan_for: Plan) -> None:
    site = start_site({"/a": html("a")})
    site.routes["/"] = Answer(f"{site.url('/a')}\n".encode(), headers=(("Content-Type", "text/plain"),))
    assert crawl(plan_for(site)).outcomes() == {"/": "unsupported: sitemap", "/a": "page"}
