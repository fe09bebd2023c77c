"""The URLs of one crawl in SQLite: queued, in flight, done; and what must survive a ``kill -9`` with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from crawlers.frontier.citations import Citations, Cited
from crawlers.frontier.file import FrontierFile
from crawlers.frontier.rows import Kind, Lesson, Link, Prospect, Row, State

_SCHEMA = files("crawlers.frontier").joinpath("schema.sql").read_text(encoding="utf-8")
_COMMIT_AFTER = 2_000
_LATER_COLUMNS = {
    "features": "features BLOB",
    "cited": "cited REAL NOT NULL DEFAULT 0",
    "citing": "citing INTEGER NOT NULL DEFAULT 0",
    "distance": "distance INTEGER NOT NULL DEFAULT 0",
    "score": "score REAL",
}
"""Of ``urls``; an older version's frontier, taken up again, lacks them."""
_PROSPECTS = "SELECT id, host, priority, features FROM urls WHERE state = 0"
_COUNT = "UPDATE urls SET cited = ?, citing = ?, distance = ? WHERE id = ?"
_AT_ONCE = 500


class Frontier:
    """One connection, used from one thread.

    Changes gather in one transaction until `commit`; what is read is always current. A process that is killed loses
    what came after the last commit, and only in that order, so a page is never done before its links are there; and of
    queued URLs the citations since they were last repriced.

    Parameters
    ----------
    path
        The SQLite file; it and its folder are made where missing, for their owner only.

    Raises
    ------
    FrontierError
        The file cannot be opened, or another process crawls with it. A `FrontierFailedError` where it is damaged, or
        the disk full; all methods raise this, too, and what came after the last commit is then undone.
    """

    def __init__(self, path: Path) -> None:
        self._db = FrontierFile(path, _SCHEMA)
        known = {row[1] for row in self._db.execute("PRAGMA table_info(urls)")}
        for name, column in _LATER_COLUMNS.items():
            if name not in known:
                self._db.execute(f"ALTER TABLE urls ADD COLUMN {column}")
        self._next_id = 1
        self._numbers: dict[bytes, int] = {}
        """Row numbers of all URLs."""
        self._citations = Citations()
        self._changes = 0

    def open_crawl(self, crawl_id: str, at: datetime) -> tuple[str, bool]:
        """Take up the crawl that has not ended, or begin a new one named ``crawl_id`` on an empty frontier.

        Returns
        -------
        crawl_id, resumed
        """
        found = self._db.execute("SELECT crawl_id FROM crawls WHERE ended_at IS NULL")
        if not found:
            for table in ("urls", "contents", "shapes"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608
            self._db.execute(
                "INSERT INTO crawls (crawl_id, started_at) VALUES (?, ?) ON CONFLICT (crawl_id) DO UPDATE"
                " SET started_at = excluded.started_at, ended_at = NULL, ended_because = NULL",
                (crawl_id, at.isoformat()),
            )
        else:
            self._db.execute("UPDATE urls SET state = 0 WHERE state = 1")
            self._db.execute("DELETE FROM contents WHERE page_id NOT IN (SELECT page_id FROM urls WHERE state = 2)")
        self._numbers = dict(self._db.execute("SELECT page_id, id FROM urls"))
        self._citations = Citations()
        for number, *counts in self._db.execute("SELECT id, cited, citing, distance FROM urls WHERE state = 0"):
            self._citations.queue(number, Cited(*counts))
        self._next_id = self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM urls")[0][0]
        self.commit()
        return (found[0][0], True) if found else (crawl_id, False)

    def add(self, links: Iterable[Link], parent: int | None = None) -> list[Link]:
        """Queue the links that are new, and return them; ``parent`` is the row number of the page they stood on."""
        return [link for _, link in self.enqueue(links, parent)]

    def enqueue(self, links: Iterable[Link], parent: int | None = None) -> list[tuple[int, Link]]:
        """Queue the links that are new, and return them with their row numbers."""
        new, fresh = [], []
        for link in links:
            key = bytes.fromhex(link.page_id)
            if key in self._numbers:
                continue
            number = self._numbers[key] = self._next_id
            self._next_id += 1
            self._citations.queue(number, Cited(distance=link.distance))
            fresh.append((number, link))
            url, _, host, depth, priority, kind, features, distance = link
            new.append((number, key, url, host, depth, parent, priority, int(kind), features or None, distance))
        if new:
            self._db.many(
                "INSERT INTO urls (id, page_id, url, host, depth, parent, priority, kind, features, distance)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                new,
            )
            self._changed(len(new))
        return fresh

    def knows(self, page_id: str) -> bool:
        """Return whether the URL is in the frontier, whatever its state."""
        return bytes.fromhex(page_id) in self._numbers

    def load(self, host: str, limit: int) -> list[Row]:
        """Mark up to ``limit`` queued URLs of ``host`` as in flight and return them, highest priority first."""
        found = self._db.execute(
            "SELECT u.id, u.page_id, u.url, u.host, u.depth, p.url, u.kind"
            " FROM urls u LEFT JOIN urls p ON p.id = u.parent"
            " WHERE u.state = 0 AND u.host = ? ORDER BY u.priority DESC, u.id LIMIT ?",
            (host, limit),
        )
        self._take([row[0] for row in found])
        self._changed(len(found))
        return [_row(row) for row in found]

    def left(self, after: int, limit: int) -> list[Row]:
        """Return up to ``limit`` URLs that have not ended, with row numbers above ``after``, in their order."""
        found = self._db.execute(
            "SELECT u.id, u.page_id, u.url, u.host, u.depth, p.url, u.kind"
            " FROM urls u LEFT JOIN urls p ON p.id = u.parent WHERE u.state < 2 AND u.id > ? ORDER BY u.id LIMIT ?",
            (after, limit),
        )
        return [_row(row) for row in found]

    def claim(self, link: Link, parent: int | None = None) -> Row | None:
        """Take a URL that a redirect led to, unless it is in flight or done; None where it is not ours to end."""
        key = bytes.fromhex(link.page_id)
        self.add([link], parent)
        found = self._db.execute("SELECT id, url, depth, kind FROM urls WHERE page_id = ? AND state = 0", (key,))
        if not found:
            return None
        number, url, depth, kind = found[0]
        self._take([number])
        self._changed()
        return Row(number, link.page_id, url, link.host, depth, None, Kind(kind))

    def finish(self, endings: Sequence[tuple[int, str, bool]]) -> None:
        """Mark rows as done: (row number, outcome, whether it counts against the page budgets)."""
        self._db.many(
            "UPDATE urls SET state = 2, outcome = ?, budgeted = ? WHERE id = ?",
            [(outcome, int(budgeted), number) for number, outcome, budgeted in endings],
        )
        self._changed(len(endings))

    def note_score(self, number: int, score: float) -> None:
        """Note the verdict on the page that a row led to."""
        self._db.execute("UPDATE urls SET score = ? WHERE id = ?", (score, number))
        self._changed()

    def best(self, host: str, limit: int) -> list[tuple[int, float]]:
        """Return (row number, priority) of up to ``limit`` queued URLs of ``host``, highest priority first."""
        return self._db.execute(
            "SELECT id, priority FROM urls WHERE state = 0 AND host = ? ORDER BY priority DESC, id LIMIT ?",
            (host, limit),
        )

    def prospect(self, number: int) -> Prospect | None:
        """Return a row as a focused crawl sees it, or None where it is not queued."""
        found = self._db.execute(_PROSPECTS + " AND id = ?", (number,))
        return self._prospect(found[0]) if found else None

    def prospects(self, after: int, limit: int) -> list[Prospect]:
        """Return up to ``limit`` queued rows with numbers above ``after``, in their order."""
        found = self._db.execute(_PROSPECTS + " AND id > ? ORDER BY id LIMIT ?", (after, limit))
        return [self._prospect(row) for row in found]

    def cite(self, page_ids: Sequence[str], score: float, distance: int, most: int) -> list[Prospect]:
        """Note that a page with ``score`` links to pages, now at most ``distance`` away.

        Returns
        -------
        list of Prospect
            The queued ones that were cited at most ``most`` times by now.
        """
        numbers = [self._numbers.get(bytes.fromhex(page_id), 0) for page_id in dict.fromkeys(page_ids)]
        some = [number for number in numbers if 0 < self._citations.cite(number, score, distance) <= most]
        cited: list[Prospect] = []
        for start in range(0, len(some), _AT_ONCE):
            few = some[start : start + _AT_ONCE]
            cited += map(
                self._prospect, self._db.execute(_PROSPECTS + f" AND id IN ({', '.join('?' * len(few))})", few)
            )
        return cited

    def reprice(self, links: Sequence[tuple[int, float]]) -> None:
        """Write down the priorities of queued rows anew, (row number, priority), and the citations behind them.

        However many they are, it counts as one change: without it a crawl still knows what to fetch.
        """
        self._db.many(
            "UPDATE urls SET priority = ?, cited = ?, citing = ?, distance = ? WHERE id = ? AND state = 0",
            [
                (priority, *self._citations.of(number), number)
                for number, priority in links
                if self._citations.is_queued(number)
            ],
        )
        self._changed()

    def lift(self, priority: float) -> None:
        """Give queued rows without features, as an unfocused run leaves them, at least this priority."""
        self._db.execute(
            "UPDATE urls SET priority = ? WHERE state = 0 AND features IS NULL AND priority < ?", (priority, priority)
        )
        self._changed()

    def begin(self, number: int) -> Row:
        """Mark a queued URL as in flight and return it."""
        found = self._db.execute(
            "SELECT u.id, u.page_id, u.url, u.host, u.depth, p.url, u.kind"
            " FROM urls u LEFT JOIN urls p ON p.id = u.parent WHERE u.id = ?",
            (number,),
        )
        self._take([number])
        self._changed()
        return _row(found[0])

    def lessons(self, limit: int) -> list[Lesson]:
        """Return the last ``limit`` judged pages, in the order in which they were found."""
        found = self._db.execute(
            "SELECT host, features, distance, cited, citing, score FROM urls"
            " WHERE score IS NOT NULL ORDER BY id DESC LIMIT ?",
            (limit,),
        )
        return [Lesson(host, features or b"", *rest) for host, features, *rest in reversed(found)]

    def first_with(self, content_id: str, page_id: str) -> str | None:
        """Return the page that had this text first, or None where it is ``page_id`` itself, which then owns it."""
        key = bytes.fromhex(content_id)
        found = self._db.execute("SELECT page_id FROM contents WHERE content_id = ?", (key,))
        if not found:
            self._db.execute("INSERT INTO contents VALUES (?, ?)", (key, bytes.fromhex(page_id)))
            self._changed()
            return None
        owner: str = found[0][0].hex()
        return None if owner == page_id else owner

    def shapes(self) -> dict[tuple[str, str], int]:
        """Return fruitless fetches by (host, shape), as last saved."""
        return {(host, shape): count for host, shape, count in self._db.execute("SELECT * FROM shapes")}

    def save_shapes(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Save fruitless fetches by (host, shape)."""
        self._db.many(
            "INSERT OR REPLACE INTO shapes VALUES (?, ?, ?)",
            [(host, shape, count) for (host, shape), count in counts.items()],
        )
        self._changed()

    def queued_by_host(self) -> dict[str, int]:
        """Return queued URLs by host."""
        return dict(self._db.execute("SELECT host, count(*) FROM urls WHERE state = 0 GROUP BY host"))

    def spent_by_host(self) -> dict[str, int]:
        """Return ended URLs that count against the budgets, by host."""
        return dict(self._db.execute("SELECT host, count(*) FROM urls WHERE budgeted = 1 GROUP BY host"))

    def outcomes(self) -> dict[str, int]:
        """Return ended URLs by outcome."""
        return dict(self._db.execute("SELECT outcome, count(*) FROM urls WHERE state = 2 GROUP BY outcome"))

    def count(self, state: State) -> int:
        """Return how many URLs are in ``state``."""
        number: int = self._db.execute("SELECT count(*) FROM urls WHERE state = ?", (int(state),))[0][0]
        return number

    def begin_ending(self, crawl_id: str, because: str) -> None:
        """Note that the crawl fetches nothing more: what it has left is only to be refused, by the next run if need be.

        The note survives the process.
        """
        self._db.execute("UPDATE crawls SET ended_because = ? WHERE crawl_id = ?", (because, crawl_id))
        self.commit()

    def ending(self, crawl_id: str) -> str | None:
        """Return why the crawl fetches nothing more, or None where it still may."""
        found = self._db.execute("SELECT ended_because FROM crawls WHERE crawl_id = ?", (crawl_id,))
        return found[0][0] if found else None

    def end_crawl(self, crawl_id: str, because: str, at: datetime) -> None:
        """Note that the crawl is over, so that the next run begins a new one."""
        self._db.execute(
            "UPDATE crawls SET ended_at = ?, ended_because = ? WHERE crawl_id = ?", (at.isoformat(), because, crawl_id)
        )
        self.commit()

    def commit(self) -> None:
        """Make all changes so far survive the process."""
        self._db.commit()
        self._changes = 0

    def close(self) -> None:
        """Write down all, put what is in flight back into the queue, commit, close; after an error, close without."""
        try:
            if not self._db.failed:
                self._db.many(_COUNT, ((*counts, number) for number, counts in self._citations.cited()))
                self._db.execute("UPDATE urls SET state = 0 WHERE state = 1")
        finally:
            self._db.close()

    def _take(self, numbers: Sequence[int]) -> None:
        """Mark queued rows as in flight, with what the judged pages up to now said of them."""
        self._db.many(
            "UPDATE urls SET state = 1, cited = ?, citing = ?, distance = ? WHERE id = ?",
            [(*self._citations.take(number), number) for number in numbers],
        )

    def _prospect(self, found: tuple[Any, ...]) -> Prospect:
        number, host, priority, features = found
        counts = self._citations.of(number)
        return Prospect(number, host, priority, features or b"", counts.distance, counts.cited, counts.citing)

    def _changed(self, count: int = 1) -> None:
        self._changes += count
        if self._changes >= _COMMIT_AFTER:
            self.commit()


def _row(found: tuple[Any, ...]) -> Row:
    number, key, url, host, depth, parent_url, kind = found
    return Row(number, key.hex(), url, host, depth, parent_url, Kind(kind))
