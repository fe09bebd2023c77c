"""The port on SQLite."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from events import OUTCOMES, LabelRecorded, PageJudged, UrlEnded
from storage.admission import admit
from storage.batch import Account
from storage.checks import UNKNOWN_PAGE, admit_checks, with_checks
from storage.intervals import filled, start_of
from storage.merge import Held, with_event, with_labels, with_report
from storage.port import UpsertReport
from storage.queries import (
    Bucket,
    CountField,
    Interval,
    ItemPage,
    ItemQuery,
    LedgerPage,
    LedgerQuery,
    TimeBucket,
)
from storage.retention import Removed, Retention
from storage.sqlite import checking, queries, removing, rows, writing
from storage.sqlite.clustering import cluster
from storage.sqlite.database import Database
from storage.values import CHECK_STATES, Check, Item

_PAGE = 500
_PERMANENT = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, OverflowError)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SqliteStore:
    """Items, ledger and decisions in one file; implements `storage.port.Store`.

    Parameters
    ----------
    path
        The file; `setup` makes it, in a folder that exists.
    clock
        Says when a row reaches the ledger (aware UTC).
    busy_timeout_s
        How long a call waits for another process that is writing before it raises `StoreUnavailableError`.
    read_only
        Read a store that may not be written, also where nothing beside it may be; no `setup`, and every write is
        refused.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], datetime] = _utc_now,
        busy_timeout_s: float = 15.0,
        read_only: bool = False,
    ) -> None:
        self._database = Database(path, busy_timeout_s=busy_timeout_s, read_only=read_only)
        self._clock = clock

    def setup(self) -> None:
        """Make the file, or bring it to this version's schema."""
        self._database.migrate()

    def upsert(self, judged: Sequence[PageJudged | UrlEnded]) -> UpsertReport:
        """Write ledger rows and items in one transaction."""
        events, refused = admit(judged)
        account, now = Account(refused), self._clock()
        with self._database.writing() as connection:
            found = writing.held(connection, (event.page_id for event in events))
            known = dict(found)
            for event in events:
                before = known[event.page_id]
                known[event.page_id] = _written(connection, account, before, with_event(before, event, now), event)
            cluster(connection, (one.item for page_id, one in known.items() if one.item and one is not found[page_id]))
        return account.report()

    def record_decisions(self, labels: Sequence[LabelRecorded]) -> UpsertReport:
        """Append decisions in one transaction."""
        taken, refused = admit(labels)
        account = Account(refused)
        with self._database.writing() as connection:
            known = writing.held(connection, (label.page_id for label in taken))
            for label in taken:
                before = known[label.page_id]
                new = all(label.id != one.id for one in before.labels)
                after = with_labels(before, [label]) if new else before
                known[label.page_id] = _written(connection, account, before, after, label)
        return account.report()

    def item(self, page_id: str) -> Item | None:
        """Return one item, or None."""
        with self._database.reading() as connection:
            found = connection.execute("SELECT * FROM items WHERE page_id = ?", (page_id,)).fetchall()
            return next(iter(writing.items_of(connection, found)), None)

    def search(self, query: ItemQuery) -> ItemPage:
        """Return the items that match."""
        where = queries.items_where(query)
        select, count = queries.search(query, where)
        with self._database.reading() as connection:
            (total,) = connection.execute(count, where.parameters).fetchone()
            found = connection.execute(select, [*where.parameters, query.limit, query.offset]).fetchall()
            return ItemPage(writing.items_of(connection, found), total)

    def items(self, query: ItemQuery, *, texts: bool = True) -> Iterator[Item]:
        """Yield items in pages, so that no transaction stays open between them."""
        last: tuple[str, str] = ("", "")
        while True:
            where = queries.items_where(query)
            where.add("(items.first_seen_at, items.page_id) > (?, ?)", *last)
            select = queries.walk(where, texts=texts)
            with self._database.reading() as connection:
                found = connection.execute(select, [*where.parameters, _PAGE]).fetchall()
                page = writing.items_of(connection, found)
            yield from page
            if len(found) < _PAGE:
                return
            last = (found[-1]["first_seen_at"], found[-1]["page_id"])

    def counts(self, field: CountField, query: ItemQuery, limit: int = 50) -> list[Bucket]:
        """Return items per value of ``field``."""
        where = queries.items_where(query)
        with self._database.reading() as connection:
            found = connection.execute(queries.counts(field, where), [*where.parameters, limit]).fetchall()
        return [Bucket(row["value"], row["count"]) for row in found]

    def counts_over_time(self, interval: Interval, query: ItemQuery) -> list[TimeBucket]:
        """Return items per interval of ``first_seen_at``."""
        where = queries.items_where(query)
        select = f"SELECT substr(first_seen_at, 1, 13), count(*) FROM {where.tables} WHERE {where} GROUP BY 1"  # noqa: S608
        counted: Counter[datetime] = Counter()
        with self._database.reading() as connection:
            for hour, count in connection.execute(select, where.parameters):
                counted[start_of(datetime.fromisoformat(f"{hour}:00Z"), interval)] += count
        return filled(counted, interval)

    def ledger(self, query: LedgerQuery) -> LedgerPage:
        """Return ledger rows."""
        where = queries.ledger_where(query)
        order = queries.LEDGER_ORDER[query.sort]
        select = f"SELECT * FROM ledger WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608
        with self._database.reading() as connection:
            (total,) = connection.execute(f"SELECT count(*) FROM ledger WHERE {where}", where.parameters).fetchone()  # noqa: S608
            found = connection.execute(select, [*where.parameters, query.limit, query.offset])
            return LedgerPage([rows.ledger_row(row) for row in found], total)

    def ledger_counts(self, crawl_id: str | None = None) -> dict[str, int]:
        """Return rows per outcome."""
        where = queries.ledger_where(LedgerQuery(crawl_id=(crawl_id,) if crawl_id is not None else ()))
        select = f"SELECT outcome, count(*) FROM ledger WHERE {where} GROUP BY outcome"  # noqa: S608
        with self._database.reading() as connection:
            found = dict(connection.execute(select, where.parameters).fetchall())
        return {outcome: found.get(outcome, 0) for outcome in OUTCOMES}

    def decisions(self, since: datetime | None = None) -> Iterator[LabelRecorded]:
        """Yield decisions in pages, so that no transaction stays open between them."""
        decoder = msgspec.json.Decoder(LabelRecorded)
        select = "SELECT * FROM decisions WHERE (at, id) > (?, ?) ORDER BY at, id LIMIT ?"
        last = (rows.stamp(since) if since is not None else "", "")
        while True:
            with self._database.reading() as connection:
                found = connection.execute(select, (*last, _PAGE)).fetchall()
            yield from (decoder.decode(row["label"]) for row in found)
            if len(found) < _PAGE:
                return
            last = (found[-1]["at"], found[-1]["id"])

    def mark_reported(self, page_ids: Sequence[str], edition: str, at: datetime) -> None:
        """Note an edition in ledger and items, in one transaction."""
        with self._database.writing() as connection:
            for before in writing.held(connection, page_ids).values():
                writing.write(connection, before, with_report(before, edition, at))

    def record_checks(self, checks: Sequence[Check]) -> UpsertReport:
        """Add checks, and note the newest of each page in its row, in one transaction."""
        taken, refused = admit_checks(checks)
        account = Account(refused)
        with self._database.writing() as connection:
            for page_id, before in writing.held(connection, taken).items():
                if before.ledger is None:
                    account.rejected(page_id, UNKNOWN_PAGE)
                    continue
                after = with_checks(before, taken[page_id])
                checking.insert(connection, taken[page_id])
                writing.write(connection, before, after)
                account.done(page_id, changed=after is not before)
        return account.report()

    def checks(self, page_id: str, limit: int = 100) -> list[Check]:
        """Return the last checks of a page, oldest first."""
        with self._database.reading() as connection:
            return checking.of_page(connection, page_id, limit)

    def check_counts(self) -> dict[str, int]:
        """Return pages by the state of their last check."""
        with self._database.reading() as connection:
            found = checking.counts(connection)
        return {state: found.get(state, 0) for state in CHECK_STATES}

    def newest(self) -> datetime | None:
        """Return when the store last heard of any page."""
        with self._database.reading() as connection:
            (newest,) = connection.execute(removing.NEWEST).fetchone()
        return datetime.fromisoformat(newest) if newest else None

    def remove_old(self, retention: Retention, now: datetime, *, dry_run: bool = False) -> Removed:
        """Remove in many small transactions, then make the file smaller."""
        if dry_run:
            with self._database.reading() as connection:
                return removing.count(connection, retention)
        return removing.remove(self._database, retention, now)

    def refresh(self) -> None:
        """Do nothing: what is written is visible."""

    def health(self) -> str:
        """Return one line for people."""
        with self._database.reading() as connection:
            (items,) = connection.execute("SELECT count(*) FROM items").fetchone()
        return f"ok, {items} items in {self._database.path}"

    def close(self) -> None:
        """Close the connections."""
        self._database.close()


def _written(
    connection: sqlite3.Connection,
    account: Account,
    before: Held,
    after: Held,
    event: PageJudged | UrlEnded | LabelRecorded,
) -> Held:
    """Write the difference and return what is held now: ``before`` if the page can never be written."""
    if after is before:
        account.done(event.page_id, changed=False)
        return before
    try:
        writing.write(connection, before, after)
    except _PERMANENT as error:
        account.rejected(event.page_id, str(error))
        return before
    account.done(event.page_id, changed=True)
    return after
