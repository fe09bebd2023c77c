from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crawlers.frontier import Frontier, Link
from crawlers.frontier.looking import look
from events import page_id
from guidewatch import composition
from guidewatch.cli import app
from guidewatch.embedded_status import folder_status
from guidewatch.errors import CommandFailedError
from storage import Store
from tests.contract.samples import NOON, ended, judged, later

URLS = [f"https://a.example/{number}" for number in range(5)]


def crawled(folder: Path, done: int, *, close: bool = True) -> Frontier:
    """Make the frontier of a crawl of five URLs, of which so many have ended."""
    frontier = Frontier(folder / "crawl" / "frontier.sqlite")
    frontier.open_crawl("crawl-1", NOON)
    frontier.add(Link(url, page_id(url), "a.example", 0, 0.0) for url in URLS)
    for row in frontier.load("a.example", done):
        frontier.finish([(row.id, "page", True)])
    frontier.commit()
    if close:
        frontier.close()
    return frontier


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = composition.sqlite_store(tmp_path)
    yield made
    made.close()


def test_what_has_ended_is_in_the_ledger_and_the_rest_waits(tmp_path: Path, store: Store) -> None:
    crawled(tmp_path, 3)
    store.upsert([judged("x", url=URLS[0]), judged("y", url=URLS[1]), ended("z", url=URLS[2], outcome="failed")])
    found = folder_status(tmp_path, store)
    assert found["problems"] == []
    balance = found["balance"]
    assert (balance.found, balance.in_flight, balance.missing) == (5, 2, 0)
    assert balance.outcomes == {"flagged": 2, "failed": 1}


def test_a_url_that_has_ended_and_is_nowhere_is_a_problem(tmp_path: Path, store: Store) -> None:
    crawled(tmp_path, 3)
    store.upsert([judged("x", url=URLS[0]), judged("other", url="https://b.example/")])
    (problem,) = folder_status(tmp_path, store)["problems"]
    assert problem == "it does not balance: 2 URLs of crawl crawl-1 have ended and are not in the ledger"
    result = CliRunner().invoke(app, ["status", "--data", str(tmp_path), "--json"])
    assert isinstance(result.exception, CommandFailedError)
    assert json.loads(result.stdout)["problems"] == [problem]


def test_rows_that_retention_has_removed_are_no_problem(tmp_path: Path, store: Store) -> None:
    crawled(tmp_path, 3)
    assert folder_status(tmp_path, store, later(days=1))["problems"] == []
    assert folder_status(tmp_path, store, NOON)["problems"] != []


def test_while_a_crawl_runs_its_balance_is_not_told(tmp_path: Path, store: Store) -> None:
    frontier = crawled(tmp_path, 3, close=False)
    found = folder_status(tmp_path, store)
    frontier.close()
    assert found["problems"] == []
    assert "a crawl runs with this data folder" in found["note"]


def test_a_folder_without_a_crawl_has_no_balance(tmp_path: Path, store: Store) -> None:
    assert folder_status(tmp_path, store) == {"problems": [], "dead_letters": 0}
    Frontier(tmp_path / "crawl" / "frontier.sqlite").close()
    assert "balance" not in folder_status(tmp_path, store)


def test_a_damaged_frontier_is_a_problem(tmp_path: Path, store: Store) -> None:
    (tmp_path / "crawl").mkdir()
    (tmp_path / "crawl" / "frontier.sqlite").write_bytes(b"no database" * 1000)
    (problem,) = folder_status(tmp_path, store)["problems"]
    assert "cannot be read" in problem


def test_a_frontier_is_looked_at_where_nothing_may_be_written(tmp_path: Path) -> None:
    crawled(tmp_path, 1)
    before = sorted(path.name for path in (tmp_path / "crawl").iterdir())
    seen = look(tmp_path / "crawl" / "frontier.sqlite")
    assert seen is not None
    assert (seen.crawl_id, len(seen.ended), seen.waiting) == ("crawl-1", 1, 4)
    assert sorted(path.name for path in (tmp_path / "crawl").iterdir()) == before


def test_dead_letters_of_the_folder_are_counted(tmp_path: Path, store: Store) -> None:
    (tmp_path / "dead-letters.jsonl").write_text('{"reason":"x"}\n{"reason":"y"}\n')
    assert folder_status(tmp_path, store)["dead_letters"] == 2
