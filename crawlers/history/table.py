"""The visits of a data folder in SQLite, beside the frontier."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from crawlers.frontier.file import FrontierFile
from crawlers.history.visits import KnownLink, Visit

_SCHEMA = files("crawlers.history").joinpath("schema.sql").read_text(encoding="utf-8")
_COMMIT_AFTER = 2_000
_MOST_UNKNOWN = 10_000
_links = msgspec.json.Decoder(list[KnownLink])


class History:
    """One connection, used from one thread; one crawl at a time has it.

    Parameters
    ----------
    path
        The SQLite file; it and its folder are made where missing, for their owner only.

    Raises
    ------
    FrontierError
        The file cannot be opened, or another process crawls with it. A `FrontierFailedError` where it is damaged, or
        the disk full; all methods raise this, too.
    """

    def __init__(self, path: Path) -> None:
        self._db = FrontierFile(path, _SCHEMA)
        self._db.commit()
        self._changes = 0
        self._unknown: set[str] = set()
        """Some of the URLs of which nothing is known: each is asked for a few times."""

    def visit(self, page_id: str) -> Visit | None:
        """Return what is known of a URL, or None."""
        if page_id in self._unknown:
            return None
        found = self._db.execute("SELECT * FROM visits WHERE page_id = ?", (bytes.fromhex(page_id),))
        if found:
            return _visit(found[0])
        if len(self._unknown) >= _MOST_UNKNOWN:
            self._unknown.clear()
        self._unknown.add(page_id)
        return None

    def note(self, visit: Visit) -> None:
        """Remember a visit instead of what was known of its URL."""
        self._unknown.discard(visit.page_id)
        cells = (
            bytes.fromhex(visit.page_id),
            visit.first_at.isoformat(),
            visit.visited_at.isoformat(),
            visit.changed_at.isoformat() if visit.changed_at else None,
            visit.interval_s,
            visit.visits,
            visit.changes,
            bytes.fromhex(visit.content_id) if visit.content_id else None,
            visit.etag,
            visit.last_modified,
            visit.lines,
            zlib.compress(msgspec.json.encode(visit.links)) if visit.links is not None else None,
        )
        self._db.execute(f"INSERT OR REPLACE INTO visits VALUES ({', '.join('?' * len(cells))})", cells)  # noqa: S608
        self._changes += 1
        if self._changes >= _COMMIT_AFTER:
            self.commit()

    def doubt(self, page_ids: Iterable[str]) -> None:
        """Forget the validators of these pages, so that the next answer is a full one."""
        keys = [(bytes.fromhex(page_id),) for page_id in page_ids]
        self._db.many("UPDATE visits SET etag = '', last_modified = '' WHERE page_id = ?", keys)

    def commit(self) -> None:
        """Make all that was noted survive the process."""
        self._db.commit()
        self._changes = 0

    def close(self) -> None:
        """Commit and close; after an error, close without."""
        self._db.close()


class NoHistory:
    """For a crawl that several processes share: it remembers nothing of its visits."""

    def visit(self, page_id: str) -> Visit | None:  # noqa: ARG002 that of `History`
        """Return None: nothing is known."""
        return None

    def note(self, visit: Visit) -> None:
        """Forget it."""

    def doubt(self, page_ids: Iterable[str]) -> None:
        """Nothing is known."""

    def commit(self) -> None:
        """Nothing to make durable."""


def _visit(cells: tuple[Any, ...]) -> Visit:
    key, first_at, visited_at, changed_at, interval_s, visits, changes, content, etag, modified, lines, links = cells
    return Visit(
        page_id=key.hex(),
        first_at=datetime.fromisoformat(first_at),
        visited_at=datetime.fromisoformat(visited_at),
        changed_at=datetime.fromisoformat(changed_at) if changed_at else None,
        interval_s=interval_s,
        visits=visits,
        changes=changes,
        content_id=content.hex() if content else None,
        etag=etag,
        last_modified=modified,
        lines=lines,
        links=tuple(_links.decode(zlib.decompress(links))) if links is not None else None,
    )
