"""A look at a frontier file from outside, while nobody crawls with it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from crawlers.frontier.file import FrontierError, FrontierFailedError
from crawlers.frontier.rows import State


class FrontierLook(NamedTuple):
    """The URLs of the crawl that a frontier holds."""

    crawl_id: str
    started_at: datetime
    ended: tuple[str, ...]
    """Page ids of those that have ended, in the order they were found."""
    waiting: int
    """How many have not: queued, or under way when the crawl was killed."""


def look(path: Path) -> FrontierLook | None:
    """Return what a frontier holds; None where there is no crawl in it.

    Raises
    ------
    FrontierError
        A crawl uses it now. A `FrontierFailedError` where it cannot be read.
    """
    try:
        with closing(_opened(path)) as db:
            crawls = db.execute("SELECT crawl_id, started_at FROM crawls ORDER BY started_at DESC LIMIT 1").fetchall()
            if not crawls:
                return None
            done = int(State.DONE)
            found = db.execute("SELECT page_id FROM urls WHERE state = ? ORDER BY id", (done,))
            ended = tuple(page_id.hex() for (page_id,) in found)
            (waiting,) = db.execute("SELECT count(*) FROM urls WHERE state <> ?", (done,)).fetchone()
            crawl_id, started_at = crawls[0]
            return FrontierLook(crawl_id, datetime.fromisoformat(started_at), ended, waiting)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise FrontierError(f"{path} is in use: a crawl runs with this data folder") from error
        raise FrontierFailedError(f"{path} cannot be read: {error}") from error
    except sqlite3.Error as error:
        raise FrontierFailedError(f"{path} cannot be read: {error}") from error


def _opened(path: Path) -> sqlite3.Connection:
    """Return a connection that writes nothing, also where nothing may be written beside the file."""
    left = path.with_name(f"{path.name}-wal").exists()
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro{'' if left else '&immutable=1'}", uri=True, timeout=0.5)
