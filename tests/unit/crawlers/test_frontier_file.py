from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

import crawlers.frontier.file
from crawlers.frontier import Frontier, FrontierError, FrontierFailedError, Link, State
from crawlers.identity import to_link
from guidewatch.errors import FAILED, status_of

NOW = datetime(2026, 1, 2, tzinfo=UTC)
CONNECT = sqlite3.connect


def links(count: int, start: int = 0) -> list[Link]:
    made = [to_link(f"https://example.org/{'x' * 300}/{n}", 0) for n in range(start, start + count)]
    return [link for link in made if link is not None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "crawl" / "frontier.sqlite"


def fill_the_disk_at(pages: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a database takes so many pages, and is full then."""

    def connect(*arguments: object, **values: object) -> sqlite3.Connection:
        db = CONNECT(*arguments, **values)  # type: ignore[call-overload]
        db.execute(f"PRAGMA max_page_count={pages}")
        return db

    monkeypatch.setattr(crawlers.frontier.file.sqlite3, "connect", connect)


def damage(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(8_192)
        file.write(b"\xa5" * (size - 8_192))


def test_a_full_disk_is_one_line_that_says_which_file_and_what_to_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_the_disk_at(40, monkeypatch)
    frontier = Frontier(path)
    frontier.open_crawl("first", NOW)
    with pytest.raises(FrontierFailedError, match="the disk is full: free some space") as caught:
        frontier.add(links(1_000))
    frontier.close()
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert status_of(caught.value) == FAILED


def test_after_an_error_what_was_not_committed_is_undone_and_the_rest_is_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_the_disk_at(60, monkeypatch)
    frontier = Frontier(path)
    frontier.open_crawl("first", NOW)
    frontier.add(links(5))
    frontier.commit()
    (row, *_) = frontier.load("example.org", 5)
    frontier.finish([(row.id, "page", True)])
    with pytest.raises(FrontierFailedError):
        frontier.add(links(1_000, start=5))
    for use in (frontier.commit, frontier.outcomes, lambda: frontier.finish([(row.id, "page", True)])):
        with pytest.raises(FrontierFailedError, match="the disk is full"):
            use()
    frontier.close()
    again = Frontier(path)
    assert again.open_crawl("second", NOW) == ("first", True)
    assert (again.count(State.QUEUED), again.count(State.DONE)) == (5, 0)
    again.close()


def test_closing_that_cannot_save_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(sqlite3.Connection):
        full = False

        def execute(self, sql: str, *values: object) -> sqlite3.Cursor:
            if Refusing.full and sql == "COMMIT":
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
            return super().execute(sql, *values)

    monkeypatch.setattr(
        crawlers.frontier.file.sqlite3, "connect", lambda path, **values: CONNECT(path, factory=Refusing, **values)
    )
    frontier = Frontier(path)
    frontier.open_crawl("first", NOW)
    frontier.add(links(5))
    Refusing.full = True
    with pytest.raises(FrontierFailedError, match="the disk is full"):
        frontier.close()
    Refusing.full = False
    again = Frontier(path)
    again.open_crawl("second", NOW)
    assert again.count(State.QUEUED) == 0
    again.close()


def test_a_damaged_file_is_one_line_that_says_which_file_and_what_to_do(path: Path) -> None:
    frontier = Frontier(path)
    frontier.open_crawl("first", NOW)
    frontier.add(links(500))
    frontier.close()
    damage(path)
    again = Frontier(path)
    with pytest.raises(FrontierFailedError, match="damaged: move it away and start again") as caught:
        again.open_crawl("second", NOW)
    again.close()
    assert str(path) in str(caught.value)
    assert status_of(caught.value) == FAILED


def test_a_file_that_another_crawl_has_is_a_mistake_and_no_failure(path: Path) -> None:
    first = Frontier(path)
    first.open_crawl("first", NOW)
    with pytest.raises(FrontierError, match="another crawl") as caught:
        Frontier(path)
    assert not isinstance(caught.value, FrontierFailedError)
    first.close()
