"""A crawl always ends, and what a stop or a ``kill -9`` cut off is taken up again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from crawlers.plan import CrawlPlan
from crawlers.run import run_crawl
from events import PageFound
from tests.integration.crawlers.sinks import ListSink, SilentSink, rows
from tests.integration.crawlers.site import Answer, Site, html

Start = Callable[..., Site]
Plan = Callable[..., CrawlPlan]
StartCrawl = Callable[..., "subprocess.Popen[str]"]
LETTERS = str.maketrans("0123456789", "ghijklmnop")
PROGRAM = Path(__file__).with_name("crawl_process.py")


@pytest.fixture
def start_crawl() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts a crawl in a process of its own, which does not outlive the test."""
    started: list[subprocess.Popen[str]] = []

    def start(site: Site, folder: Path, **values: Any) -> subprocess.Popen[str]:
        started.append(_start_crawl(site, folder, **values))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _start_crawl(site: Site, folder: Path, **values: Any) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    options = {
        "seeds": [site.url()],
        "crawl_id": "killed",
        "data_dir": str(folder),
        "allow_private": [site.key],
        "delay_s": 0.0,
        "timeout_s": 60.0,
        **values,
    }
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), json.dumps(options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until(condition: Callable[[], bool], limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_crawl_within_5_s_while_a_server_drips(
    start_site: Start, start_crawl: StartCrawl, tmp_path: Path, number: signal.Signals
) -> None:
    site = start_site({"/": html("start", "/drip", "/waits", "/later"), "/later": html("later")})
    site.routes["/drip"] = Answer(b"<p>" + b"drop " * 2_000, drip_s=0.1)
    site.routes["/waits"] = Answer(b"<p>never", wait_s=40)
    process = start_crawl(site, tmp_path / "data", concurrency_per_host=2)
    wait_until(lambda: {"/drip", "/waits"} <= set(site.asked()))
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert (process.returncode, err) == (0, "")
    summary = json.loads(out)
    assert (summary["ended_because"], summary["finished"]) == (number.name, False)
    assert summary["left_queued"] == 3
    assert "/later" not in site.asked()

    site.routes["/drip"], site.routes["/waits"] = html("no drip now"), html("no wait now")
    out, err = start_crawl(site, tmp_path / "data").communicate(timeout=30)
    assert err == ""
    assert (json.loads(out)["resumed"], json.loads(out)["finished"]) == (True, True)
    assert sorted(rows(tmp_path / "data" / "events.sqlite")) == sorted(
        (site.url(path), "page") for path in ("/", "/drip", "/waits", "/later")
    )


def test_a_stop_from_another_thread_waits_for_no_delay_and_no_silent_sink(start_site: Start, plan_for: Plan) -> None:
    site = start_site({}, fallback=lambda path: html(f"page {path}", *(f"/{n}" for n in range(9))))
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    began = time.monotonic()
    summary = run_crawl(plan_for(site, delay_s=30.0), SilentSink(), stop=stop)
    assert time.monotonic() - began < 1.0 + 5
    assert (summary.ended_because, summary.finished, summary.pages) == ("stopped", False, 0)


def test_a_stop_takes_little_of_the_5_s_while_a_server_drips_and_the_sink_is_silent(
    start_site: Start, plan_for: Plan
) -> None:
    site = start_site({"/drip": Answer(b"<p>" + b"drop " * 2_000, drip_s=0.1)}, fallback=lambda path: html(path))
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    began = time.monotonic()
    seeds = (site.url("/drip"), site.url("/a"), site.url("/b"))
    run_crawl(plan_for(site, seeds=seeds, concurrency_per_host=3), SilentSink(), stop=stop)
    assert time.monotonic() - began < 1.0 + 2.8, "what owns the sink and the store has the rest"


def ended(folder: Path) -> list[str]:
    """Return the paths that the frontier holds as ended."""
    with contextlib.closing(sqlite3.connect(folder / "crawl" / "frontier.sqlite")) as db:
        return [urlsplit(url).path for (url,) in db.execute("SELECT url FROM urls WHERE state = 2")]


def test_kill_9_and_a_second_run_lose_and_double_nothing(
    start_site: Start, start_crawl: StartCrawl, tmp_path: Path
) -> None:
    def page(path: str) -> Answer | None:
        number = int(path[1:] or 0) if path[1:].isdigit() or path == "/" else -1
        if not 0 <= number < 400:
            return None
        links = [f"/{n}" for n in (number * 3 + 1, number * 3 + 2, number * 3 + 3) if n < 400]
        words = " ".join(sha256(f"{number} {n}".encode()).hexdigest().translate(LETTERS)[:9] for n in range(9))
        return Answer(html(words, *links, "/missing").body, wait_s=0.002)

    site = start_site({}, fallback=page)
    values = {"concurrency_per_host": 4, "max_depth": 50, "max_pages": 10_000, "max_pages_per_host": 10_000}
    over: dict[str, int] = {}
    for stop_after in (60, 200):
        process = start_crawl(site, tmp_path / "data", **values)
        wait_until(lambda limit=stop_after: len(set(site.asked())) > limit)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        asked = Counter(site.asked())
        over |= {path: asked[path] for path in ended(tmp_path / "data")}
    assert over
    out, err = start_crawl(site, tmp_path / "data", **values).communicate(timeout=60)
    assert err == ""
    summary = json.loads(out)
    assert (summary["resumed"], summary["finished"]) == (True, True)
    found = rows(tmp_path / "data" / "events.sqlite")
    expected = {site.url("/" if n == 0 else f"/{n}") for n in range(400)}
    assert {url for url, outcome in found if outcome == "page"} == expected
    assert len(found) == 401
    assert summary["outcomes"] == {"page": 400, "failed": 1}
    # Each kill lets what was under way be fetched once more: how much that is, the machine's load says.
    asked = Counter(path for path in site.asked() if path != "/robots.txt")
    assert over == {path: asked[path] for path in over}, "what had ended before a kill is never fetched again"
    times = asked.values()
    assert max(times) <= 3
    assert min(times) == 1


def test_a_resumed_crawl_keeps_to_the_limit_of_the_whole(start_site: Start, plan_for: Plan) -> None:
    site = start_site(
        {}, fallback=lambda path: Answer(html(f"page {path}", *(f"/{n}" for n in range(30))).body, wait_s=0.1)
    )
    stop = threading.Event()
    threading.Timer(0.8, stop.set).start()
    first, second = ListSink(), ListSink()
    summary = run_crawl(plan_for(site, max_pages=20), first, stop=stop)
    assert not summary.finished
    run_crawl(plan_for(site, max_pages=20), second)
    events = first.events + second.events
    assert len({event.url for event in events}) == len(events) == 31
    assert sum(isinstance(event, PageFound) for event in events) == 20
