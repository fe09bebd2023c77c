from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawlers.focus import Focus, Mode
from crawlers.focus.features import features_of
from crawlers.frontier import Frontier, Kind, Link, Row
from crawlers.identity import to_link
from events import page_id

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def frontier(tmp_path: Path) -> Iterator[Frontier]:
    made = Frontier(tmp_path / "frontier.sqlite")
    made.open_crawl("first", NOW)
    yield made
    made.close()


def focus(frontier: Frontier, mode: Mode = "soft") -> Focus:
    return Focus(frontier, mode, per_host=99, host_budget=9_999, budget=9_999)


def link(path: str, anchor: str = "", host: str = "example.org") -> Link:
    made = to_link(f"https://{host}/{path}", 1)
    assert made is not None
    return made._replace(features=features_of(made.url, anchor, "", same_host=True))


def fetch(made: Focus) -> Row:
    row = made.queue.take()
    assert row is not None
    return row


def read(made: Focus, row: Row, *links: Link, known: tuple[str, ...] = ()) -> None:
    made.reach(row, row)
    made.enqueue(links, row.id)
    made.read(row, known, "", "")
    made.queue.release(row.host)


def test_seeds_are_fetched_before_all_links(frontier: Frontier) -> None:
    made = focus(frontier)
    made.enqueue([link("seed")], None)
    first = fetch(made)
    read(made, first, link("a"))
    made.enqueue([link("another")], None)
    assert fetch(made).url.endswith("/another")


def test_links_of_a_page_of_concern_are_raised_when_its_verdict_comes(frontier: Frontier) -> None:
    made = focus(frontier)
    made.enqueue([link("poor"), link("good")], None)
    poor, good = fetch(made), fetch(made)
    read(made, poor, link("p/1"), link("p/2"))
    read(made, good, link("g/1"), link("g/2"))
    made.judged(poor.page_id, 0.02)
    made.judged(good.page_id, 0.95)
    assert fetch(made).url.endswith("/g/1")


def test_a_queued_link_is_raised_when_a_page_of_concern_links_to_it_too(frontier: Frontier) -> None:
    made = focus(frontier)
    made.enqueue([link("poor"), link("good")], None)
    poor, good = fetch(made), fetch(made)
    read(made, poor, link("x/1"), link("y/2"))
    made.judged(poor.page_id, 0.02)
    read(made, good, known=(page_id("https://example.org/y/2"),))
    made.judged(good.page_id, 0.95)
    assert fetch(made).url.endswith("/y/2")


def test_it_tunnels_from_a_poor_page_to_a_good_one(frontier: Frontier) -> None:
    made = focus(frontier)
    made.enqueue([link("hub")], None)
    hub = fetch(made)
    read(made, hub, link("g/1"))
    made.judged(hub.page_id, 0.02)
    good = fetch(made)
    read(made, good, link("g/2"))
    made.judged(good.page_id, 0.95)
    found = frontier.prospects(0, 9)
    assert [(each.distance, each.cited) for each in found] == [(0, 0.95)]


def crawl_of_two_kinds(made: Focus, pages: int) -> None:
    """Fetch pages that say what they are, and of which the roses are of concern."""
    made.enqueue([link(f"{kind}/{n}", kind) for n in range(pages) for kind in ("roses", "lathes")], 0)
    for _ in range(2 * pages):
        row = fetch(made)
        read(made, row)
        made.judged(row.page_id, 0.95 if "roses" in row.url else 0.02)


def test_what_was_learnt_is_learnt_again_when_a_crawl_is_taken_up(frontier: Frontier) -> None:
    crawl_of_two_kinds(focus(frontier), 30)
    again = focus(frontier)
    again.enqueue([link("new/1", "lathes"), link("new/2", "roses")], 0)
    assert fetch(again).url.endswith("/new/2")


def test_a_new_crawl_knows_nothing_of_the_last_one(frontier: Frontier) -> None:
    crawl_of_two_kinds(focus(frontier), 30)
    frontier.end_crawl("first", "done", NOW)
    frontier.open_crawl("second", NOW)
    again = focus(frontier)
    again.enqueue([link("new/1", "lathes"), link("new/2", "roses")], 0)
    assert fetch(again).url.endswith("/new/1")


def test_hard_gives_up_links_that_promise_nothing_once_it_has_seen_enough(frontier: Frontier) -> None:
    made = focus(frontier, "hard")
    made.enqueue([link(f"{kind}/{n}", kind) for n in range(200) for kind in ("roses", "lathes")], 0)
    fetched = []
    while (row := made.queue.take()) is not None:
        fetched.append(row.url)
        read(made, row)
        made.judged(row.page_id, 0.95 if "roses" in row.url else 0.02)
    assert sum("roses" in url for url in fetched) == 200
    assert not made.queue.has_next()
    assert made.queue.queued == 400 - len(fetched) > 100


def test_soft_takes_the_same_links_last(frontier: Frontier) -> None:
    made = focus(frontier)
    crawl_of_two_kinds(made, 150)
    made.enqueue([link(f"lathes/x{n}", "lathes") for n in range(10)], 0)
    assert sum(made.queue.take() is not None for _ in range(11)) == 10


def test_hard_does_not_give_up_what_an_unfocused_run_has_left(frontier: Frontier) -> None:
    frontier.add([link(f"old/{n}")._replace(features=b"", priority=-3.0) for n in range(5)])
    made = focus(frontier, "hard")
    made.queue.add("example.org", 5)
    made.queue.least = 0.1
    assert [fetch(made).url[-5:] for _ in range(5)] == [f"old/{n}" for n in range(5)]


def test_sitemaps_are_fetched_after_links_that_promise_something(frontier: Frontier) -> None:
    made = focus(frontier)
    crawl_of_two_kinds(made, 30)
    made.enqueue([link("sitemap.xml")._replace(kind=Kind.SOURCE, features=b"")], 0)
    made.enqueue([link("roses/x", "roses"), link("lathes/x", "lathes")], 0)
    assert [fetch(made).url.rpartition("org/")[2] for _ in range(3)] == ["roses/x", "sitemap.xml", "lathes/x"]


def test_a_verdict_on_a_page_that_nobody_read_teaches_nothing(frontier: Frontier) -> None:
    made = focus(frontier)
    made.judged("0" * 32, 0.9)
    assert frontier.lessons(9) == []
