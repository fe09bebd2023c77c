"""A frontier that fails under a running crawl: one clear line, and nothing is lost."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

import crawlers.frontier.file
from crawlers.frontier import Frontier, FrontierFailedError
from crawlers.plan import CrawlPlan
from crawlers.run import run_crawl
from events import PageFound, UrlEnded
from guidewatch.errors import FAILED, status_of
from tests.integration.crawlers.sinks import ListSink
from tests.integration.crawlers.site import Answer, Site, html

Start = Callable[..., Site]
Plan = Callable[..., CrawlPlan]
CONNECT = sqlite3.connect
SECRET = "words that belong to a page only"


class Disk(sqlite3.Connection):
    """A connection whose statements that begin with ``fails`` find the disk full."""

    fails: str | None = None

    def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
        self._check(sql)
        return super().execute(sql, *values)

    def executemany(self, sql: str, *values: object) -> sqlite3.Cursor:
        self._check(sql)
        return super().executemany(sql, *values)  # type: ignore[call-overload]

    def _check(self, sql: str) -> None:
        if Disk.fails is not None and sql.startswith(Disk.fails):
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error


class FillingSink(ListSink):
    """Takes ``good`` events; then the disk of the frontier is full."""

    def __init__(self, good: int, fails: str) -> None:
        super().__init__()
        self._good = good
        self._fails = fails

    def put(self, event: PageFound | UrlEnded) -> Future[None]:
        if len(self.events) >= self._good:
            Disk.fails = self._fails
        return super().put(event)


@pytest.fixture(autouse=True)
def _disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        crawlers.frontier.file.sqlite3, "connect", lambda path, **values: CONNECT(path, factory=Disk, **values)
    )
    monkeypatch.setattr(Disk, "fails", None)


def star(path: str) -> Answer:
    return replace(html(f"the page {path}, {SECRET}", *(f"/{n}" for n in range(30))), wait_s=0.05)


@pytest.mark.parametrize(
    "statement", ["UPDATE urls SET state = 2", "UPDATE urls SET state = 1", "INSERT INTO contents", "COMMIT"]
)
def test_a_full_disk_ends_the_crawl_in_one_line_and_the_next_run_loses_nothing(
    start_site: Start, plan_for: Plan, caplog: pytest.LogCaptureFixture, statement: str
) -> None:
    site, filling = start_site({}, fallback=star), FillingSink(good=3, fails=statement)
    caplog.set_level(logging.DEBUG)
    began = time.monotonic()
    with pytest.raises(FrontierFailedError, match=r"frontier\.sqlite cannot be used .* free some space") as caught:
        run_crawl(plan_for(site, concurrency_per_host=2), filling)
    assert time.monotonic() - began < 5
    assert "\n" not in str(caught.value)
    assert status_of(caught.value) == FAILED
    assert SECRET not in caplog.text
    assert "Traceback" not in caplog.text

    Disk.fails = None
    sink = ListSink()
    summary = run_crawl(plan_for(site, crawl_id="another"), sink)
    assert (summary.crawl_id, summary.resumed, summary.finished) == ("test", True, True)
    assert summary.outcomes == {"page": 31}
    ids = {event.url: event.id for event in filling.events + sink.events}
    assert sorted(ids) == sorted(site.url(path) for path in ["/", *(f"/{n}" for n in range(30))])
    assert len({event.id for event in filling.events + sink.events}) == 31


def test_a_full_disk_while_leftovers_are_refused_ends_the_crawl_in_one_line(start_site: Start, plan_for: Plan) -> None:
    site, filling = start_site({}, fallback=star), FillingSink(good=8, fails="UPDATE urls SET state = 2")
    with pytest.raises(FrontierFailedError, match="free some space"):
        run_crawl(plan_for(site, max_pages=7), filling)
    Disk.fails = None
    sink = ListSink()
    summary = run_crawl(plan_for(site, max_pages=7), sink)
    assert (summary.finished, summary.outcomes) == (True, {"page": 7, "refused": 24})


def test_a_full_disk_when_a_sitemap_is_to_be_noted_fails_no_page(start_site: Start, plan_for: Plan) -> None:

    site = start_site({"/": html("start")})
    body = f"Sitemap: {site.url('/map.xml')}".encode()
    site.routes["/robots.txt"] = Answer(body, headers=(("Content-Type", "text/plain"),))
    real = site.seen

    class Watching(list[tuple[str, dict[str, str]]]):
        def append(self, seen: tuple[str, dict[str, str]]) -> None:
            super().append(seen)
            Disk.fails = "INSERT INTO urls"

    site.seen = Watching(real)
    sink = ListSink()
    with pytest.raises(FrontierFailedError, match="free some space"):
        run_crawl(plan_for(site), sink)
    assert sink.events == []


def test_a_damaged_frontier_is_one_line(start_site: Start, plan_for: Plan, tmp_path: Path) -> None:
    site = start_site({}, fallback=star)
    path = tmp_path / "data" / "crawl" / "frontier.sqlite"
    run_crawl(plan_for(site, max_pages=5), ListSink())
    content = bytearray(path.read_bytes())
    content[4_096:] = b"\xa5" * (len(content) - 4_096)
    path.write_bytes(content)
    with pytest.raises(FrontierFailedError, match="damaged: move it away") as caught:
        run_crawl(plan_for(site, max_pages=5), ListSink())
    assert str(path) in str(caught.value)
    path.unlink()
    assert run_crawl(plan_for(site, max_pages=5), ListSink()).finished
    Frontier(path).close()
