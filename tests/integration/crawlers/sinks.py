"""Sinks for crawler tests."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import Future
from pathlib import Path

from events import PageFound, UrlEnded, encode


class ListSink:
    """Keeps events in memory; every event is encoded, as a real sink would."""

    def __init__(self) -> None:
        self.events: list[PageFound | UrlEnded] = []

    def put(self, event: PageFound | UrlEnded) -> Future[None]:
        encode(event)
        self.events.append(event)
        future: Future[None] = Future()
        future.set_result(None)
        return future

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def outcomes(self) -> dict[str, str]:
        """Return path → ``page`` or ``outcome: reason``; a URL that ended twice fails."""
        found: dict[str, str] = {}
        for event in self.events:
            path = "/" + event.url.split("/", 3)[3]
            assert path not in found, f"{path} ended twice"
            found[path] = "page" if isinstance(event, PageFound) else f"{event.outcome}: {event.reason}"
        return found


class FailingSink(ListSink):
    """Takes ``good`` events and fails from then on."""

    def __init__(self, good: int) -> None:
        super().__init__()
        self._good = good

    def put(self, event: PageFound | UrlEnded) -> Future[None]:
        if len(self.events) >= self._good:
            future: Future[None] = Future()
            future.set_exception(OSError("the disk is full"))
            return future
        return super().put(event)


class SilentSink(ListSink):
    """Takes events and never answers; its flush hangs as well."""

    def put(self, event: PageFound | UrlEnded) -> Future[None]:
        self.events.append(event)
        return Future()

    def flush(self) -> None:
        time.sleep(60)


class FileSink:
    """Writes events by id into SQLite in batches from a thread, as durable sinks do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._batch: list[tuple[PageFound | UrlEnded, Future[None]]] = []
        self._lock = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def put(self, event: PageFound | UrlEnded) -> Future[None]:
        future: Future[None] = Future()
        with self._lock:
            self._batch.append((event, future))
        return future

    def flush(self) -> None:
        while self._batch:
            time.sleep(0.01)

    def close(self) -> None:
        self._ended = True
        self._thread.join()

    def _work(self) -> None:
        db = sqlite3.connect(self._path, isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE IF NOT EXISTS events (id TEXT, url TEXT, outcome TEXT, PRIMARY KEY (url, outcome))")
        while not self._ended or self._batch:
            with self._lock:
                batch, self._batch = self._batch, []
            db.execute("BEGIN")
            for event, _ in batch:
                outcome = "page" if isinstance(event, PageFound) else event.outcome
                db.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?)", (event.id, event.url, outcome))
            db.execute("COMMIT")
            for _, future in batch:
                future.set_result(None)
            time.sleep(0.05)
        db.close()


def rows(path: Path) -> list[tuple[str, str]]:
    """Return (URL, outcome) of all events in the file of a `FileSink`."""
    db = sqlite3.connect(path)
    try:
        return list(db.execute("SELECT url, outcome FROM events"))
    finally:
        db.close()
