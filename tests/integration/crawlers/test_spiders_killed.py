"""Three spiders under load, one of which dies, hangs or leaves: nothing is lost, doubled or hurried."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from crawlers.distributed.view import CrawlsView
from tests.integration.crawlers.hosts import Web, served
from tests.integration.crawlers.spiders import Fleet, hurried, overlaps, repeated

DELAY_S = 0.1
HANGS_S = 5.0
"""Longer than the session timeout of 3 s: the others have its partitions by then."""


def kill(process: subprocess.Popen[str]) -> Callable[[], None]:
    process.kill()
    return lambda: None


def leave(process: subprocess.Popen[str]) -> Callable[[], None]:
    process.terminate()
    return lambda: None


def hang(process: subprocess.Popen[str]) -> Callable[[], None]:
    process.send_signal(signal.SIGSTOP)
    until = time.monotonic() + HANGS_S
    return lambda: process.send_signal(signal.SIGCONT) if time.monotonic() > until else None


@pytest.mark.parametrize("fate", [kill, leave, hang])
def test_every_page_is_fetched_none_published_twice_and_no_host_hurried(
    kafka_bootstrap: str,
    kafka_prefix: str,
    tmp_path: Path,
    fate: Callable[[subprocess.Popen[str]], Callable[[], None]],
) -> None:
    fleet = Fleet(kafka_bootstrap, kafka_prefix, tmp_path)
    with served(Web(hosts=9, pages=40, pause_s=0.02)) as web, ExitStack() as stack:
        spiders = {name: stack.enter_context(fleet.process(name)) for name in ("s0", "s1", "s2")}
        for spider in spiders.values():
            assert spider.stdout is not None
            assert spider.stdout.readline() == "ready\n"
        fleet.start(web.url(0), delay_s=DELAY_S)
        meanwhile: Callable[[], None] | None = None

        def disturb(view: CrawlsView) -> None:
            nonlocal meanwhile
            if meanwhile is not None:
                meanwhile()
            elif len(web.fetches()) > 0.3 * len(web.urls):
                busiest = max(view.shares("crawl"), key=lambda share: share[1].open)[0]
                meanwhile = fate(spiders[view.progress[busiest].spider])

        state = fleet.ended(meanwhile=disturb)
        last = max(hit.left_s for hit in web.hits)
        assert time.monotonic() - last < 5, "a dry crawl ends within 5 s"
        assert meanwhile is not None
        for spider in spiders.values():
            if spider.poll() is None:
                spider.send_signal(signal.SIGCONT)
                _stop(spider)
        assert sorted(spider.returncode for spider in spiders.values()) == ([-9, 0, 0] if fate is kill else [0, 0, 0])
        events = fleet.published()
    assert web.fetches().keys() == web.urls
    assert repeated(events) == {}
    assert {event.url for event in events} == web.urls
    assert (state.because, state.outcomes) == ("frontier dry", {"page": len(web.urls)})
    on_their_way = 1 if fate is hang else 0
    """What a process was about to send when it was stopped, it sends when it wakes: nobody can call that back."""
    assert len(overlaps(web)) <= on_their_way, "no host was asked by two at once"
    assert len(hurried(web, DELAY_S)) <= 2 * on_their_way, "the delay was kept"
    assert max(web.fetches().values()) <= 2


def _stop(process: subprocess.Popen[str]) -> None:
    """End a spider, within 5 s and with a summary."""
    began = time.monotonic()
    process.terminate()
    out, _ = process.communicate(timeout=5)
    assert time.monotonic() - began < 5
    assert "outcomes" in json.loads(out.splitlines()[-1])
