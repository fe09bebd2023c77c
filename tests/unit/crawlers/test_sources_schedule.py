from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawlers.sources import RunBook, SourceRun, SourcesError, WatchedSource, due_at, in_order
from crawlers.sources.schedule import AT_ONCE

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
A = WatchedSource(url="https://a.example/", every=timedelta(hours=6))
B = WatchedSource(url="https://b.example/", every=timedelta(days=1))


def run(source: WatchedSource, started_at: datetime = NOON, *, finished: bool = True) -> SourceRun:
    return SourceRun(url=source.url, crawl_id="c", started_at=started_at, finished=finished)


def test_a_source_is_due_an_interval_after_its_last_crawl_began() -> None:
    assert due_at(A, run(A)) == NOON + timedelta(hours=6)


def test_one_that_was_never_crawled_or_cut_off_is_due_at_once_and_a_paused_one_never() -> None:
    assert due_at(A, None) == due_at(A, run(A, finished=False)) == AT_ONCE
    assert due_at(WatchedSource(url=A.url, paused=True), None) is None


def test_what_was_cut_off_goes_first_then_what_is_due_first() -> None:
    fresh = WatchedSource(url="https://c.example/")
    runs = {A.key: run(A), B.key: run(B, finished=False)}
    assert [source for _, source in in_order([A, fresh, B], runs)] == [B, fresh, A]


def test_runs_survive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "crawl" / "sources.json"
    book = RunBook(path)
    book.note(A.key, run(A))
    book.note(B.key, run(B, finished=False))
    assert RunBook(path).runs == {A.key: run(A), B.key: run(B, finished=False)}
    assert path.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in path.parent.iterdir()] == ["sources.json"]


def test_a_damaged_book_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "sources.json"
    path.write_text("{", "utf-8")
    with pytest.raises(SourcesError, match="move it away"):
        RunBook(path)
