from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawlers.frontier import Frontier, FrontierError, Kind, Link, State
from crawlers.identity import to_link
from events import content_id, page_id

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def link(path: str, depth: int = 0, host: str = "example.org") -> Link:
    made = to_link(f"https://{host}/{path}", depth)
    assert made is not None
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "crawl" / "frontier.sqlite"


@pytest.fixture
def frontier(path: Path) -> Iterator[Frontier]:
    made = Frontier(path)
    made.open_crawl("first", NOW)
    yield made
    made.close()


def test_the_file_and_its_folder_are_for_the_owner_only(path: Path, frontier: Frontier) -> None:
    frontier.add([link("a")])
    frontier.commit()
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_what_has_not_ended_is_listed_page_by_page_and_stays(frontier: Frontier) -> None:
    frontier.add([link(name) for name in "abcd"])
    done, _ = frontier.load("example.org", 2)
    frontier.finish([(done.id, "page", True)])
    first = frontier.left(0, 2)
    assert [row.url[-1] for row in first] == ["b", "c"]
    assert [row.url[-1] for row in frontier.left(first[-1].id, 2)] == ["d"]
    assert frontier.count(State.QUEUED) == 2


def test_that_a_crawl_is_ending_survives_the_process(path: Path) -> None:
    frontier = Frontier(path)
    frontier.open_crawl("first", NOW)
    assert frontier.ending("first") is None
    frontier.begin_ending("first", "limit reached")
    frontier.close()
    again = Frontier(path)
    assert again.open_crawl("second", NOW) == ("first", True)
    assert again.ending("first") == "limit reached"
    again.close()


def test_a_url_is_taken_once_however_it_is_written(frontier: Frontier) -> None:
    assert len(frontier.add([link("a"), link("b")])) == 2
    assert frontier.add([link("a?utm_source=x"), link("b#part")]) == []


def test_rows_come_by_priority_then_in_order(frontier: Frontier) -> None:
    frontier.add([link("deep", 2), link("one", 1), link("two", 1), link("seed", 0)])
    assert [row.url[20:] for row in frontier.load("example.org", 3)] == ["seed", "one", "two"]
    assert [row.url[20:] for row in frontier.load("example.org", 3)] == ["deep"]
    assert frontier.load("example.org", 3) == []


def test_a_row_knows_the_page_it_was_found_on(frontier: Frontier) -> None:
    frontier.add([link("parent")])
    (parent,) = frontier.load("example.org", 1)
    frontier.add([link("child", 1)], parent.id)
    (child,) = frontier.load("example.org", 1)
    assert child.parent_url == parent.url


def test_what_was_in_flight_is_queued_again_by_the_next_run(path: Path) -> None:
    frontier = Frontier(path)
    frontier.open_crawl("first", NOW)
    frontier.add([link("a"), link("b")])
    first, _ = frontier.load("example.org", 2)
    frontier.finish([(first.id, "page", True)])
    frontier.close()
    again = Frontier(path)
    assert again.open_crawl("second", NOW) == ("first", True)
    assert [row.url[-1] for row in again.load("example.org", 9)] == ["b"]
    assert again.add([link("a")]) == []
    assert again.spent_by_host() == {"example.org": 1}
    again.close()


def test_a_crawl_that_ended_makes_room_for_a_new_one(path: Path, frontier: Frontier) -> None:
    frontier.add([link("a")])
    frontier.first_with(content_id("same"), page_id("https://example.org/a"))
    frontier.end_crawl("first", "frontier dry", NOW)
    assert frontier.open_crawl("second", NOW) == ("second", False)
    assert len(frontier.add([link("a")])) == 1
    assert frontier.first_with(content_id("same"), page_id("https://example.org/z")) is None


def test_the_first_page_with_a_text_owns_it(frontier: Frontier) -> None:
    first, second = page_id("https://example.org/1"), page_id("https://example.org/2")
    text = content_id("some text")
    assert frontier.first_with(text, first) is None
    assert frontier.first_with(text, first) is None
    assert frontier.first_with(text, second) == first


def test_a_text_is_free_again_when_its_page_was_never_done(frontier: Frontier) -> None:
    frontier.add([link("1"), link("2")])
    done, lost = frontier.load("example.org", 2)
    frontier.first_with(content_id("kept"), done.page_id)
    frontier.first_with(content_id("lost"), lost.page_id)
    frontier.finish([(done.id, "page", True)])
    frontier.open_crawl("again", NOW)
    other = page_id("https://example.org/3")
    assert frontier.first_with(content_id("kept"), other) == done.page_id
    assert frontier.first_with(content_id("lost"), other) is None


def test_a_redirect_target_is_claimed_only_while_nobody_fetches_it(frontier: Frontier) -> None:
    frontier.add([link("queued"), link("flying", 1)])
    queued = frontier.claim(link("queued"))
    assert queued is not None
    assert queued.url.endswith("queued")
    assert frontier.claim(link("unseen")) is not None
    (flying,) = frontier.load("example.org", 5)
    assert frontier.claim(link("flying")) is None
    frontier.finish([(flying.id, "page", True)])
    assert frontier.claim(link("flying")) is None


def test_counts_are_by_state_and_outcome(frontier: Frontier) -> None:
    frontier.add([link("a"), link("b"), link("c"), link("x", host="other.example")])
    a, b = frontier.load("example.org", 2)
    frontier.finish([(a.id, "page", True), (b.id, "refused", False)])
    assert frontier.outcomes() == {"page": 1, "refused": 1}
    assert frontier.queued_by_host() == {"example.org": 1, "other.example": 1}
    assert (frontier.count(State.QUEUED), frontier.count(State.IN_FLIGHT), frontier.count(State.DONE)) == (2, 0, 2)


def test_shapes_are_remembered(frontier: Frontier) -> None:
    frontier.save_shapes({("example.org", "/0"): 3})
    frontier.save_shapes({("example.org", "/0"): 4})
    assert frontier.shapes() == {("example.org", "/0"): 4}


def test_the_kind_survives(frontier: Frontier) -> None:
    source = to_link("https://example.org/sitemap.xml", 0, kind=Kind.SOURCE)
    assert source is not None
    frontier.add([link("a"), source])
    assert [row.kind for row in frontier.load("example.org", 2)] == [Kind.SOURCE, Kind.PAGE]


def test_a_second_crawl_in_the_same_folder_is_refused(path: Path, frontier: Frontier) -> None:
    frontier.add([link("a")])
    with pytest.raises(FrontierError, match="another crawl"):
        Frontier(path)


def test_a_file_that_is_no_database_is_one_clear_line(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is not a database, " * 100)
    with pytest.raises(FrontierError, match="cannot be used"):
        Frontier(path)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FrontierError, match="cannot be used"):
        Frontier(tmp_path / "file" / "frontier.sqlite")


def test_links_keep_what_a_focused_crawl_knows_of_them(frontier: Frontier) -> None:
    (number, _), (other, _) = frontier.enqueue([link("a")._replace(features=b"abcd", distance=3), link("b")], None)
    assert frontier.cite([page_id("https://example.org/a")], 0.9, 0, 1)[0].cited == 0.9
    assert frontier.cite([page_id("https://example.org/a"), page_id("https://example.org/unknown")], 0.1, 5, 1) == []
    frontier.reprice([(number, 0.7)])
    assert frontier.prospect(number) == (number, "example.org", 0.7, b"abcd", 0, 1.0, 2)
    assert frontier.best("example.org", 9) == [(number, 0.7), (other, 0.0)]
    assert [each.id for each in frontier.prospects(number, 9)] == [other]


def test_links_that_are_not_queued_are_not_repriced(frontier: Frontier) -> None:
    ((number, _),) = frontier.enqueue([link("a")], None)
    assert frontier.begin(number).url == "https://example.org/a"
    frontier.reprice([(number, 0.7)])
    assert frontier.cite([page_id("https://example.org/a")], 0.9, 0, 9) == []
    assert frontier.prospect(number) is None


def test_citations_of_what_is_queued_outlast_a_stop(path: Path) -> None:
    before = Frontier(path)
    before.open_crawl("first", NOW)
    _, (taken, _) = before.enqueue([link("a")._replace(distance=3), link("b")], None)
    before.cite([page_id("https://example.org/a"), page_id("https://example.org/b")], 0.25, 2, 1)
    before.begin(taken)
    before.cite([page_id("https://example.org/a"), page_id("https://example.org/b")], 0.5, 4, 1)
    before.close()
    again = Frontier(path)
    again.open_crawl("second", NOW)
    assert [(each.distance, each.cited, each.citing) for each in again.prospects(0, 9)] == [(2, 0.75, 2), (0, 0.25, 1)]
    again.close()


def test_a_page_that_links_twice_counts_once(frontier: Frontier) -> None:
    frontier.enqueue([link("a")], None)
    ((_, *_, cited, citing),) = frontier.cite([page_id("https://example.org/a")] * 2, 0.5, 0, 1)
    assert (cited, citing) == (0.5, 1)


def test_a_priority_outlasts_a_kill_with_the_citations_behind_it(path: Path, tmp_path: Path) -> None:
    before = Frontier(path)
    before.open_crawl("first", NOW)
    ((number, _),) = before.enqueue([link("a")._replace(features=b"abcd", distance=5)], None)
    before.cite([page_id("https://example.org/a")], 0.9, 0, 1)
    before.reprice([(number, 0.7)])
    before.commit()
    left = tmp_path / "left"
    left.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        shutil.copy(file, left)
    again = Frontier(left / path.name)
    again.open_crawl("second", NOW)
    assert again.prospect(number) == (number, "example.org", 0.7, b"abcd", 0, 0.9, 1)
    again.close()
    before.close()


def test_what_judged_pages_said_of_a_link_is_in_its_lesson(frontier: Frontier) -> None:
    ((number, _),) = frontier.enqueue([link("a")._replace(features=b"abcd", distance=3)], None)
    frontier.cite([page_id("https://example.org/a")], 0.25, 1, 1)
    frontier.begin(number)
    frontier.note_score(number, 0.8)
    assert frontier.lessons(9) == [("example.org", b"abcd", 1, 0.25, 1, 0.8)]


def test_verdicts_are_lessons_for_the_next_run_and_gone_with_the_crawl(path: Path) -> None:
    before = Frontier(path)
    before.open_crawl("first", NOW)
    ((number, _),) = before.enqueue([link("a")._replace(features=b"abcd")], None)
    before.note_score(number, 0.8)
    before.close()
    again = Frontier(path)
    assert again.open_crawl("second", NOW) == ("first", True)
    assert again.lessons(9) == [("example.org", b"abcd", 0, 0.0, 0, 0.8)]
    again.end_crawl("first", "done", NOW)
    again.open_crawl("second", NOW)
    assert again.lessons(9) == []
    again.close()


def test_a_frontier_of_an_earlier_version_is_taken_up(path: Path) -> None:
    before = Frontier(path)
    before.open_crawl("first", NOW)
    before.add([link("a")])
    before.close()
    with sqlite3.connect(path) as database:
        for column in ("features", "cited", "citing", "distance", "score"):
            database.execute(f"ALTER TABLE urls DROP COLUMN {column}")
    database.close()
    again = Frontier(path)
    assert again.open_crawl("second", NOW) == ("first", True)
    assert [row.url for row in again.load("example.org", 9)] == ["https://example.org/a"]
    assert again.lessons(9) == []
    again.close()
