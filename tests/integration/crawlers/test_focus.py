"""A focused crawl of a real site, with a sink that judges."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from crawlers.plan import CrawlPlan
from crawlers.run import run_crawl
from events import PageFound, UrlEnded
from tests.integration.crawlers.sinks import ListSink
from tests.integration.crawlers.site import Answer, Site, html, serve

KINDS = ("roses", "lathes")
PAGES = 160


class JudgingSink(ListSink):
    """Tells a score of each page: that of roses is high."""

    def put(self, event: PageFound | UrlEnded) -> Future[float | None]:
        super().put(event)
        future: Future[float | None] = Future()
        future.set_result((0.95 if "roses" in event.text else 0.02) if isinstance(event, PageFound) else None)
        return future


def page(kind: str, number: int) -> Answer:
    """Return page ``number`` of a kind, with links to others of both kinds, from all over the site."""
    onward = [(number + step) % PAGES for step in (1, 37, 59, 83, 101)]
    links = "".join(f'<p><a href="/{each}/{at}">{each}</a></p>' for at in onward for each in KINDS)
    own = "".join(chr(97 + int(digit)) for digit in str(number))
    news = " ".join(f"{own}{letter}{kind}" for letter in "uvwxyz")
    return Answer(f"<title>{kind}</title><p>All about {kind}: {news}</p>{links}".encode())


def garden() -> Site:
    """Return a site where pages of two kinds link to each other, `PAGES` of each."""
    routes = {f"/{kind}/{n}": page(kind, n) for kind in KINDS for n in range(PAGES)}
    return Site({"/": html("The way in", "/roses/0", "/lathes/0"), **routes})


def crawl(site: Site, sink: ListSink, folder: Path, **values: Any) -> Any:
    plan = CrawlPlan(
        seeds=(site.url(),), crawl_id="c", data_dir=folder, delay_s=0.0, concurrency=4, concurrency_per_host=4,
        allow_private=frozenset("*"), max_depth=1_000, **values,
    )  # fmt: skip
    return run_crawl(plan, sink)


def harvest(site: Site) -> float:
    asked = [path for path in site.asked() if path.count("/") == 2]
    return sum(path.startswith("/roses/") for path in asked) / len(asked)


@pytest.mark.parametrize(("focus", "least", "most"), [("off", 0.4, 0.6), ("soft", 0.75, 1.0), ("hard", 0.75, 1.0)])
def test_a_focused_crawl_fetches_what_the_verdicts_favour(
    tmp_path: Path, focus: str, least: float, most: float
) -> None:
    with serve(garden()) as site:
        summary = crawl(site, JudgingSink(), tmp_path, focus=focus, max_pages=100)
        assert least <= harvest(site) <= most
    assert summary.finished
    assert summary.harvest == pytest.approx(harvest(site), abs=0.02)


@pytest.mark.parametrize("focus", ["off", "soft"])
def test_soft_or_off_every_url_is_fetched_in_the_end(tmp_path: Path, focus: str) -> None:
    with serve(garden()) as site:
        summary = crawl(site, JudgingSink(), tmp_path, focus=focus, max_pages=5_000, max_pages_per_host=5_000)
    assert (summary.finished, summary.ended_because, summary.pages) == (True, "frontier dry", 2 * PAGES + 1)


def test_hard_refuses_what_promises_nothing_and_nothing_vanishes(tmp_path: Path) -> None:
    sink = JudgingSink()
    with serve(garden()) as site:
        summary = crawl(site, sink, tmp_path, focus="hard", max_pages=5_000, max_pages_per_host=5_000)
    refused = summary.reasons["refused: focus"]
    assert summary.finished
    assert refused > 20
    assert len(sink.outcomes()) == summary.pages + sum(summary.reasons.values())
    assert (
        sum(path.startswith("/lathes/") and how == "refused: focus" for path, how in sink.outcomes().items()) == refused
    )


def test_the_budget_of_a_host_holds(tmp_path: Path) -> None:
    with serve(garden()) as site:
        summary = crawl(site, JudgingSink(), tmp_path, focus="soft", max_pages=5_000, max_pages_per_host=50)
    assert summary.pages == 50
    assert set(summary.reasons) == {"refused: budget: host"}


def test_a_sink_without_verdicts_leaves_the_crawl_whole(tmp_path: Path) -> None:
    with serve(garden()) as site:
        summary = crawl(site, ListSink(), tmp_path, focus="soft", max_pages=5_000, max_pages_per_host=5_000)
    assert (summary.finished, summary.pages, summary.harvest) == (True, 2 * PAGES + 1, None)
