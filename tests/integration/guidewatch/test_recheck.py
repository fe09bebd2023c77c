"""Items are looked at again on a real site: every state, once each, with a history."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawlers.options import RunOptions
from crawlers.plan import CrawlPlan
from crawlers.run import run_crawl
from events import PageFound, PageJudged, Verdict, page_id
from guidewatch.embedded import EmbeddedSink
from guidewatch.rechecking import RecheckSink, due_items
from storage import LedgerQuery
from storage.sqlite import SqliteStore
from tests.integration.crawlers.conftest import start_site
from tests.integration.crawlers.site import Answer, Site, html, moved

__all__ = ["start_site"]

Start = Callable[..., Site]
BEGAN = datetime(2026, 11, 1, 12, tzinfo=UTC)


def judge(pages: Sequence[PageFound]) -> list[PageJudged]:
    """Flag every page whose text does not say that it is harmless."""
    judged = []
    for page in pages:
        flagged = "harmless" not in page.text
        fields = {name: getattr(page, name) for name in page.__struct_fields__ if name in PageJudged.__struct_fields__}
        fields |= {"schema": "judged/1.1", "text": page.text if flagged else "", "title": page.title if flagged else ""}
        verdict = Verdict(
            flagged=flagged,
            score=0.9 if flagged else 0.1,
            threshold=0.5,
            language="en",
            outcome="flagged" if flagged else "not_flagged",
            model="test",
        )
        judged.append(PageJudged(**{**fields, "verdict": verdict}))
    return judged


class Installation:
    """A data folder with its store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = SqliteStore(folder / "guidewatch.sqlite")
        self.store.setup()
        self.made = 0

    def sink(self) -> EmbeddedSink:
        self.made += 1
        return EmbeddedSink(judge, self.store, dead_letters=self.folder / "dead.jsonl", wait_s=0.01)

    def plan(self, urls: Sequence[str], **values: Any) -> CrawlPlan:
        given = {"crawl_id": "c", "delay_s": 0.0, "timeout_s": 2.0, "allow_private": frozenset("*"), "focus": "off"}
        return CrawlPlan(seeds=tuple(urls), data_dir=self.folder, **{**given, **values})

    def crawl(self, *urls: str) -> None:
        with closing(self.sink()) as sink:
            assert run_crawl(self.plan(urls), sink, options=RunOptions(clock=lambda: BEGAN)).finished

    def recheck(self, days: float, **options: Any) -> RecheckSink:
        now = BEGAN + timedelta(days=days)
        items = due_items(self.store, now - timedelta(hours=12))
        plan = self.plan([item.url for item in items], crawl_id=f"again-{days}", max_depth=0, frontier="recheck")
        with closing(RecheckSink(self.store, self.sink)) as sink:
            run_crawl(plan, sink, options=RunOptions(clock=lambda: now, **options))
        return sink

    def states(self) -> dict[str, tuple[str | None, bool | None]]:
        rows = self.store.ledger(LedgerQuery(limit=1_000)).rows
        return {"/" + row.url.split("/", 3)[3]: (row.check_state, row.online) for row in rows if row.check_state}

    def history(self, url: str) -> list[tuple[str, str]]:
        return [(check.state, check.reason) for check in self.store.checks(page_id(url))]


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    made.store.close()


def test_every_item_has_one_state_and_nothing_else_is_touched(start_site: Start, installed: Installation) -> None:
    paths = ["/same", "/edited", "/removed", "/parked", "/broken", "/locked", "/private", "/moved", "/home"]
    site = start_site({path: html(f"the text of {path}", "/never-followed") for path in paths})
    installed.crawl(*(site.url(path) for path in paths))
    rows_before = {row.page_id: row.outcome for row in installed.store.ledger(LedgerQuery(limit=100)).rows}
    del site.routes["/removed"]
    site.routes |= {
        "/edited": html("quite another text"),
        "/parked": html("This domain is for sale. Buy this domain."),
        "/broken": Answer(b"", 500),
        "/locked": Answer(b"", 403),
        "/robots.txt": Answer(
            f"User-agent: *\nDisallow: /private\nSitemap: {site.url('/map.xml')}".encode(),
            headers=(("Content-Type", "text/plain"),),
        ),
        "/moved": moved("/here"),
        "/here": html("the text of /moved"),
        "/home": moved("/"),
        "/": html("a harmless front page"),
    }
    site.seen.clear()
    sink = installed.recheck(1)
    assert installed.states() == {
        "/same": ("online", True),
        "/edited": ("changed", True),
        "/removed": ("gone", False),
        "/parked": ("gone", False),
        "/broken": ("unreachable", None),
        "/locked": ("refused", None),
        "/private": ("refused", None),
        "/moved": ("online", True),
        "/home": ("changed", True),
    }
    assert dict(sink.states) == {"online": 2, "changed": 2, "gone": 2, "unreachable": 1, "refused": 2}
    assert not {"/never-followed", "/map.xml", "/private"} & set(site.asked())
    edited = installed.store.item(page_id(site.url("/edited")))
    assert edited is not None
    assert (edited.text.split("\n")[0], edited.changed_at) == ("quite another text", BEGAN + timedelta(1))
    assert installed.history(site.url("/moved")) == [("online", "moved")]
    assert installed.history(site.url("/home")) == [("changed", "redirect")]
    rows = {row.page_id: row.outcome for row in installed.store.ledger(LedgerQuery(limit=100)).rows}
    assert {page: rows[page] for page in rows_before} == rows_before
    assert rows[page_id(site.url("/"))] == "not_flagged"


def test_a_page_has_a_history_and_only_what_is_due_is_asked(start_site: Start, installed: Installation) -> None:
    site = start_site({"/a": html("the text of a"), "/b": html("the text of b")})
    installed.crawl(site.url("/a"), site.url("/b"))
    installed.recheck(1)
    kept = site.routes.pop("/a")
    assert dict(installed.recheck(2).states) == {"online": 1, "gone": 1}
    site.routes["/a"] = kept
    assert dict(installed.recheck(3).states) == {"online": 2}
    assert installed.history(site.url("/a")) == [("online", ""), ("gone", "status 404"), ("online", "")]
    assert due_items(installed.store, BEGAN + timedelta(2.9)) == []
    assert len(due_items(installed.store, BEGAN + timedelta(3))) == 2
    assert len(due_items(installed.store, BEGAN + timedelta(3), limit=1)) == 1
    assert installed.made == 1, "nothing was judged but in the first crawl"


def test_what_is_not_modified_is_what_it_was_found_to_be(start_site: Start, installed: Installation) -> None:
    def tagged(text: str, tag: str) -> Answer:
        return Answer(html(text).body, headers=(("Content-Type", "text/html"), ("ETag", f'"{tag}"')))

    site = start_site({"/a": tagged("the text of a", "1")}, conditional=True)
    installed.crawl(site.url("/a"))
    installed.recheck(1)
    site.routes["/a"] = tagged("This domain is for sale. Buy this domain.", "2")
    installed.recheck(2)
    installed.recheck(3)
    assert installed.history(site.url("/a")) == [("online", ""), ("gone", "parked"), ("gone", "parked")]
    assert [check.status for check in installed.store.checks(page_id(site.url("/a")))] == [304, 200, 304]


def test_all_pages_of_a_parked_host_are_gone_though_they_have_one_text(
    start_site: Start, installed: Installation
) -> None:
    site = start_site({f"/{name}": html(f"the text of {name}") for name in "ab"})
    urls = [site.url(f"/{name}") for name in "ab"]
    installed.crawl(*urls)
    site.routes = {}
    site.fallback = lambda path: html("This domain is for sale. Buy this domain.")
    assert dict(installed.recheck(1).states) == {"gone": 2}
    assert [installed.history(url) for url in urls] == [[("gone", "parked")]] * 2


@pytest.mark.parametrize(("another", "state"), [(True, "gone"), (False, "unreachable")])
def test_a_name_that_does_not_resolve_is_gone_only_where_our_own_resolver_works(
    start_site: Start, installed: Installation, another: bool, state: str
) -> None:
    site = start_site({"/a": html("the text of a"), "/b": html("the text of b")})
    named = f"http://lost.example:{site.port}/a"
    lost = False

    async def lookup(host: str, port: int, family: socket.AddressFamily) -> list[Any]:
        if lost:
            raise OSError("no such name")
        found = {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
        return [found]

    with closing(installed.sink()) as sink:
        urls = [named, *([site.url("/b")] if another else [])]
        plan = installed.plan(urls, contact="who@example.org")
        assert run_crawl(plan, sink, options=RunOptions(clock=lambda: BEGAN, lookup=lookup)).pages == len(urls)
    lost = True
    now = BEGAN + timedelta(1)
    with closing(RecheckSink(installed.store, installed.sink)) as again:
        plan = installed.plan(urls, contact="who@example.org", crawl_id="2", max_depth=0, frontier="recheck")
        run_crawl(plan, again, options=RunOptions(clock=lambda: now, lookup=lookup))
    assert installed.history(named) == [(state, "dns")]
