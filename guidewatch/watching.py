"""The watch: each source is crawled when it is due, one after the other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crawlers.run import DataFolderError
from crawlers.sink import SinkUnavailableError
from crawlers.sources import RunBook, SourceRun, SourcesError, WatchedSource, in_order
from guidewatch.errors import UserMistakeError
from storage import StoreUnavailableError

if TYPE_CHECKING:
    from crawlers.progress import CrawlSummary

RUNS_FILE = Path("crawl") / "sources.json"
LONGEST_WAIT_S = 60.0
"""The file of sources is read again after so many seconds; a failed crawl is tried again."""


class Watch:
    """Crawls the sources that are due.

    Parameters
    ----------
    load
        Returns the sources as they stand in the file now.
    book
        The last run of each.
    crawl
        Crawls one source under this crawl id.
    clock
        Returns the time as aware UTC.
    wait
        Waits up to so many seconds; returns whether the watch is to end.
    say
        Tells people what happens.
    """

    def __init__(
        self,
        load: Callable[[], Sequence[WatchedSource]],
        book: RunBook,
        crawl: Callable[[WatchedSource, str], CrawlSummary],
        *,
        clock: Callable[[], datetime],
        wait: Callable[[float], bool],
        say: Callable[[str], None],
    ) -> None:
        self._load = load
        self._sources = tuple(load())
        self._book = book
        self._crawl = crawl
        self._clock = clock
        self._wait = wait
        self._say = say
        self._told: set[str] = set()

    def once(self) -> list[CrawlSummary]:
        """Crawl what is due now, each source once; return how the crawls ended."""
        now = self._clock()
        return self.all_of([source for at, source in in_order(self._sources, self._book.runs) if at <= now])

    def all_of(self, sources: Sequence[WatchedSource]) -> list[CrawlSummary]:
        """Crawl these sources, due or not, until the watch is to end; return how the crawls ended."""
        ended = []
        for source in sources:
            if self._wait(0):
                break
            ended.append(self._visit(source))
            if not ended[-1].finished:
                break
        return ended

    def forever(self) -> None:
        """Crawl each source when it is due, until the watch is to end."""
        while not self._wait(0):
            self._read_again()
            order = in_order(self._sources, self._book.runs)
            left_s = (order[0][0] - self._clock()).total_seconds() if order else LONGEST_WAIT_S
            if left_s > 0:
                if order:
                    self._tell(f"next: {order[0][1].name} at {order[0][0]:%Y-%m-%d %H:%M:%S} UTC")
                self._wait(min(left_s, LONGEST_WAIT_S))
                continue
            if not self._tried(order[0][1]):
                self._wait(LONGEST_WAIT_S)

    def _tried(self, source: WatchedSource) -> bool:
        """Crawl a source; return whether that came to an end. What may be better in a minute is only told."""
        try:
            summary = self._visit(source)
        except (DataFolderError, SinkUnavailableError, StoreUnavailableError) as error:
            self._tell(f"{source.name}: put off: {error}")
            return False
        if not summary.finished:
            self._tell(f"{source.name}: not finished ({summary.ended_because})")
        return summary.finished

    def _visit(self, source: WatchedSource) -> CrawlSummary:
        crawl_id, started_at = _crawl_id(source, self._clock()), self._clock()
        before = self._book.runs.get(source.key)
        run = SourceRun(url=source.url, crawl_id=crawl_id, started_at=started_at)
        if before is not None and not before.finished:
            run = msgspec.structs.replace(run, started_at=before.started_at, crawl_id=before.crawl_id)
        self._book.note(source.key, run)
        summary = self._crawl(source, run.crawl_id)
        ended = msgspec.structs.replace(
            run,
            crawl_id=summary.crawl_id,
            ended_at=self._clock(),
            finished=summary.finished,
            because=summary.ended_because,
            pages=summary.pages,
            not_due=summary.not_due,
        )
        self._book.note(source.key, ended)
        self._told.clear()
        return summary

    def _read_again(self) -> None:
        try:
            self._sources = tuple(self._load())
        except (SourcesError, ValueError) as error:
            self._tell(f"{error}; the sources stay as they were")

    def _tell(self, line: str) -> None:
        """Say a line, but not again and again."""
        if line not in self._told:
            self._told.add(line)
            self._say(line)


def _crawl_id(source: WatchedSource, at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S}-{source.key[:16]}"


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold the folder for one watch.

    Raises
    ------
    UserMistakeError
        Another watch has it.
    """
    folder = data / "crawl"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "watch.lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserMistakeError(f"another watch uses {data}: end it, or choose another --data folder") from error
        yield
    finally:
        os.close(descriptor)
