from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawlers.progress import CrawlSummary
from crawlers.run import DataFolderError
from crawlers.sources import RunBook, SourcesError, WatchedSource
from guidewatch.errors import UserMistakeError
from guidewatch.watching import Watch, only_one

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SIX = WatchedSource(url="https://six.example/", every=timedelta(hours=6), label="six")
DAY = WatchedSource(url="https://day.example/", every=timedelta(days=1), label="day")


def summary(crawl_id: str, *, finished: bool = True) -> CrawlSummary:
    return CrawlSummary(
        crawl_id=crawl_id,
        resumed=False,
        finished=finished,
        ended_because="frontier dry" if finished else "stopped",
        pages=3,
        outcomes={},
        reasons={},
        hosts=1,
        left_queued=0,
        beyond_depth=0,
        too_long=0,
        not_due=1,
        fetched=3,
        rate=1.0,
        elapsed_s=1.0,
    )


class World:
    """A clock that only waiting moves, crawls that take ten minutes, and an end after some hours."""

    def __init__(self, folder: Path, sources: list[WatchedSource], *, hours: float = 30.0) -> None:
        self.now = NOON
        self.sources = sources
        self.crawled: list[tuple[str, float]] = []
        self.ids: list[str] = []
        self.said: list[str] = []
        self.crawl: Callable[[WatchedSource, str], CrawlSummary] = self.finish
        self.folder = folder
        self.until = NOON + timedelta(hours=hours)

    def finish(self, source: WatchedSource, crawl_id: str) -> CrawlSummary:
        self.crawled.append((source.name, (self.now - NOON).total_seconds() / 3_600))
        self.ids.append(crawl_id)
        self.now += timedelta(minutes=10)
        return summary(crawl_id)

    def wait(self, seconds: float) -> bool:
        self.now += timedelta(seconds=seconds)
        return self.now >= self.until

    def watch(self) -> Watch:
        return Watch(
            self.load,
            RunBook(self.folder / "sources.json"),
            lambda source, crawl_id: self.crawl(source, crawl_id),
            clock=lambda: self.now,
            wait=self.wait,
            say=self.said.append,
        )

    def load(self) -> list[WatchedSource]:
        return self.sources


def test_each_source_is_crawled_when_it_is_due(tmp_path: Path) -> None:
    world = World(tmp_path, [SIX, DAY])
    world.watch().forever()
    assert [name for name, _ in world.crawled] == ["six", "day", "six", "six", "six", "six", "day"]
    assert [round(at, 1) for name, at in world.crawled if name == "six"] == [0, 6, 12, 18, 24]
    assert [round(at, 1) for name, at in world.crawled if name == "day"] == [0.2, 24.2]
    assert len(set(world.ids)) == len(world.ids)


def test_a_restart_keeps_the_schedule(tmp_path: Path) -> None:
    world = World(tmp_path, [SIX], hours=1)
    world.watch().forever()
    world.until = NOON + timedelta(hours=8)
    world.watch().forever()
    assert [round(at, 1) for _, at in world.crawled] == [0, 6]


def test_once_crawls_what_is_due_and_ends(tmp_path: Path) -> None:
    world = World(tmp_path, [SIX, DAY, WatchedSource(url="https://paused.example/", paused=True)])
    assert len(world.watch().once()) == 2
    assert world.watch().once() == []
    world.now = NOON + timedelta(hours=7)
    assert [one.crawl_id for one in world.watch().once()] == world.ids[2:]
    assert [name for name, _ in world.crawled] == ["six", "day", "six"]


def test_a_crawl_that_was_cut_off_is_taken_up_first_under_its_name(tmp_path: Path) -> None:
    world = World(tmp_path, [SIX, DAY])
    world.watch().once()
    world.now = NOON + timedelta(hours=25)
    world.crawl = lambda source, crawl_id: summary(crawl_id, finished=False)
    (cut_off,) = world.watch().once()
    world.crawl = world.finish
    world.watch().once()
    assert world.ids[2] == cut_off.crawl_id
    assert [name for name, _ in world.crawled] == ["six", "day", "six", "day"]


def test_a_killed_process_leaves_its_crawl_to_be_taken_up(tmp_path: Path) -> None:
    world = World(tmp_path, [SIX])

    def kill(source: WatchedSource, crawl_id: str) -> CrawlSummary:
        world.ids.append(crawl_id)
        raise KeyboardInterrupt

    world.crawl = kill
    with pytest.raises(KeyboardInterrupt):
        world.watch().once()
    world.crawl = world.finish
    world.watch().once()
    assert world.ids[0] == world.ids[1]


def test_a_folder_in_use_puts_a_crawl_off_and_is_told_once(tmp_path: Path) -> None:
    world = World(tmp_path, [SIX], hours=1)

    def busy(source: WatchedSource, crawl_id: str) -> CrawlSummary:
        if world.now < NOON + timedelta(minutes=30):
            raise DataFolderError("in use: another crawl runs")
        return world.finish(source, crawl_id)

    world.crawl = busy
    world.watch().forever()
    assert [round(at, 1) for _, at in world.crawled] == [0.5]
    assert [line for line in world.said if "put off" in line] == ["six: put off: in use: another crawl runs"]


def test_the_file_is_read_again_and_a_mistake_in_it_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, [SIX], hours=13)

    def load() -> list[WatchedSource]:
        if world.now < NOON + timedelta(hours=1):
            return [SIX]
        if world.now < NOON + timedelta(hours=7):
            raise SourcesError("sources.toml: not TOML")
        return [DAY]

    world.load = load  # type: ignore[method-assign]
    world.watch().forever()
    assert [name for name, _ in world.crawled] == ["six", "six", "day"]
    assert world.said.count("sources.toml: not TOML; the sources stay as they were") == 2


def test_a_mistake_at_the_start_ends_the_watch(tmp_path: Path) -> None:
    world = World(tmp_path, [])

    def load() -> list[WatchedSource]:
        raise SourcesError("sources.toml: not TOML")

    world.load = load  # type: ignore[method-assign]
    with pytest.raises(SourcesError):
        world.watch()


def test_two_watches_do_not_share_a_folder(tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(UserMistakeError, match="another watch"), only_one(tmp_path):
        raise AssertionError("both hold the folder")
    with only_one(tmp_path):
        pass
