"""The port on Elasticsearch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from events import OUTCOMES, LabelRecorded, PageJudged, UrlEnded
from storage.admission import admit
from storage.batch import Account
from storage.checks import UNKNOWN_PAGE, admit_checks, with_checks
from storage.elastic import checking, documents, queries
from storage.elastic.bulk import Operation
from storage.elastic.client import Connection
from storage.elastic.clustering import Clustering
from storage.elastic.indices import FIRST, KINDS, Indices
from storage.elastic.migrating import Migration
from storage.elastic.pages import Pages
from storage.elastic.removing import Removal
from storage.elastic.searching import Searcher
from storage.intervals import filled
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
from storage.retention import HEARD_OF, Removed, Retention
from storage.values import CHECK_STATES, Check, Item

_ITEMS_PAGE = 200
"""Items of one answer: each has its whole text."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ElasticStore:
    """Items and ledger in monthly indices, decisions in one; implements `storage.port.Store`.

    What is written is durable on return and found by `item`; searches see it after `refresh`, or a second later.

    Parameters
    ----------
    client_options
        Arguments of `elasticsearch.Elasticsearch`: ``hosts``, ``basic_auth``, ``ca_certs`` and so on.
    prefix
        Begins the name of every index, alias and template.
    clock
        Says when a row reaches the ledger (aware UTC).
    """

    def __init__(
        self,
        client_options: Mapping[str, Any],
        *,
        prefix: str = "guidewatch",
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._indices = Indices(prefix)
        self._connection = Connection(client_options)
        self._pages = Pages(self._connection, self._indices, clock)
        self._clustering = Clustering(self._connection, self._indices, self._pages)
        self._searcher = Searcher(self._connection)
        self._clock = clock

    def setup(self) -> None:
        """Create or upgrade index templates, indices and aliases."""
        with self._connection.translated() as client:
            self._indices.setup(client, self._clock())
        self._clustering.adopt()

    def upsert(self, judged: Sequence[PageJudged | UrlEnded]) -> UpsertReport:
        """Write ledger rows, then items, then clusters; an event that changes nothing writes nothing.

        Clusters are settled also of items that are there already: the call that wrote them may not have come so far.
        """
        events, refused = admit(judged)
        now = self._clock()
        of_page: dict[str, list[int]] = {}
        for number, event in enumerate(events):
            of_page.setdefault(event.page_id, []).append(number)
        changed: set[int] = set()

        def after(page_id: str, held: Held) -> Held:
            for number in of_page[page_id]:
                before, held = held, with_event(held, events[number], now)
                if held is not before:
                    changed.add(number)
            return held

        outcome = self._pages.change(of_page, after)
        flagged = {event.page_id for event in events if isinstance(event, PageJudged) and event.verdict.flagged}
        if flagged:
            self._clustering.settle(sorted(flagged))
        return _report(refused, [event.page_id for event in events], changed, outcome.rejected)

    def record_decisions(self, labels: Sequence[LabelRecorded]) -> UpsertReport:
        """Write the decisions, then the history of their pages, then ledger and items."""
        admitted, refused = admit(labels)
        taken, rejected = self._write_decisions(admitted)
        of_page: dict[str, list[int]] = {}
        for number, label in enumerate(taken):
            of_page.setdefault(label.page_id, []).append(number)
        changed: set[int] = set()

        def after(page_id: str, held: Held) -> Held:
            seen = {label.id for label in held.labels}
            for number in of_page[page_id]:
                if taken[number].id not in seen:
                    seen.add(taken[number].id)
                    changed.add(number)
            return with_labels(held, [taken[number] for number in of_page[page_id]])

        outcome = self._pages.change(of_page, after)
        return _report([*refused, *rejected], [label.page_id for label in taken], changed, outcome.rejected)

    def item(self, page_id: str) -> Item | None:
        """Return one item, or None."""
        return self._pages.read([page_id])[page_id].held.item

    def search(self, query: ItemQuery) -> ItemPage:
        """Return the items that match."""
        ask = self._searcher.firsts if query.one_per_cluster else self._searcher.hits
        found = ask(self._indices.read("items"), queries.items_query(query), queries.items_sort(query), _span(query))
        return ItemPage([documents.item_of(source) for source in found.sources], found.total)

    def items(self, query: ItemQuery, *, texts: bool = True) -> Iterator[Item]:
        """Yield every item that matches, all from one moment."""
        sort = queries.items_sort(msgspec.structs.replace(query, sort="oldest"))
        source = queries.WITHOUT_SEARCH_FIELDS if texts else queries.WITHOUT_TEXTS
        walk = self._searcher.walk(self._indices.read("items"), queries.items_query(query), sort, _ITEMS_PAGE, source)
        yield from map(documents.item_of, walk)

    def counts(self, field: CountField, query: ItemQuery, limit: int = 50) -> list[Bucket]:
        """Return items per value of ``field``."""
        if limit < 1:
            return []
        found = self._searcher.buckets(
            self._indices.read("items"), queries.items_query(query), queries.by_value(field, limit)
        )
        return [Bucket(value, count) for value, count in found]

    def counts_over_time(self, interval: Interval, query: ItemQuery) -> list[TimeBucket]:
        """Return items per interval of ``first_seen_at``."""
        found = self._searcher.buckets(
            self._indices.read("items"), queries.items_query(query), queries.by_time(interval)
        )
        return filled({datetime.fromtimestamp(key / 1000, UTC): count for key, count in found}, interval)

    def ledger(self, query: LedgerQuery) -> LedgerPage:
        """Return ledger rows."""
        found = self._searcher.hits(
            self._indices.read("ledger"), queries.ledger_query(query), queries.LEDGER_SORT[query.sort], _span(query)
        )
        return LedgerPage([documents.row_of(source) for source in found.sources], found.total)

    def ledger_counts(self, crawl_id: str | None = None) -> dict[str, int]:
        """Return rows per outcome."""
        query = queries.ledger_query(LedgerQuery(crawl_id=(crawl_id,) if crawl_id is not None else ()))
        found = dict(
            self._searcher.buckets(self._indices.read("ledger"), query, queries.by_value("outcome", len(OUTCOMES)))
        )
        return {outcome: found.get(outcome, 0) for outcome in OUTCOMES}

    def decisions(self, since: datetime | None = None) -> Iterator[LabelRecorded]:
        """Yield decisions; those recorded before the call are all visible to it."""
        index = self._indices.read("decisions")
        with self._connection.translated() as client:
            client.indices.refresh(index=index)
        query = {"range": {"@timestamp": {"gte": since}}} if since is not None else {"match_all": {}}
        yield from map(documents.label_of, self._searcher.walk(index, query, queries.DECISIONS_SORT))

    def mark_reported(self, page_ids: Sequence[str], edition: str, at: datetime) -> None:
        """Note an edition in the ledger, then in the items."""
        self._pages.change(page_ids, lambda _, held: with_report(held, edition, at))

    def record_checks(self, checks: Sequence[Check]) -> UpsertReport:
        """Write a document for each check, then note the newest of each page in the ledger."""
        taken, refused = admit_checks(checks)
        known = {
            page_id: self._indices.write("checks", one.place or FIRST)
            for page_id, one in self._pages.read(list(taken)).items()
            if one.held.ledger is not None
        }
        refused += [(page_id, UNKNOWN_PAGE) for page_id in taken if page_id not in known]
        some = [(index, check) for page_id, index in known.items() for check in taken[page_id]]
        self._pages.bulk.send(checking.operations(some))
        outcome = self._pages.change(known, lambda page_id, held: with_checks(held, taken[page_id]))
        page_ids = [page_id for page_id in taken if page_id in known]
        changed = {number for number, page_id in enumerate(page_ids) if page_id in outcome.touched}
        return _report(refused, page_ids, changed, outcome.rejected)

    def checks(self, page_id: str, limit: int = 100) -> list[Check]:
        """Return the last checks of a page, oldest first."""
        index, query = self._indices.read("checks"), checking.of_page(page_id)
        found = self._searcher.hits(index, query, checking.NEWEST_FIRST, range(limit))
        return [checking.check_of(source) for source in reversed(found.sources)]

    def check_counts(self) -> dict[str, int]:
        """Return pages by the state of their last check."""
        by_state = queries.by_value("check_state", len(CHECK_STATES))
        found = dict(self._searcher.buckets(self._indices.read("ledger"), checking.CHECKED, by_state))
        return {state: found.get(state, 0) for state in CHECK_STATES}

    def newest(self) -> datetime | None:
        """Return when the store last heard of any page."""
        return self._searcher.newest(self._indices.read("ledger"), [f"guidewatch.{name}" for name in HEARD_OF])

    def migration(self) -> Migration:
        """Return what moves documents to indices of this version."""
        return Migration(self._connection, self._indices)

    def remove_old(self, retention: Retention, now: datetime, *, dry_run: bool = False) -> Removed:
        """Remove page by page, then the months in which nothing is left."""
        removal = Removal(self._connection, self._indices, self._pages)
        return removal.count(retention) if dry_run else removal.run(retention, now)

    def refresh(self) -> None:
        """Make everything written so far visible to search."""
        with self._connection.translated() as client:
            client.indices.refresh(index=[self._indices.read(kind) for kind in KINDS])

    def health(self) -> str:
        """Return one line for people."""
        with self._connection.translated() as client:
            status = client.cluster.health()["status"]
        return f"{status}, {self._searcher.count(self._indices.read('items'), {'match_all': {}})} items"

    def close(self) -> None:
        """Close the connections."""
        self._connection.client.close()

    def _write_decisions(self, labels: Sequence[LabelRecorded]) -> tuple[list[LabelRecorded], list[tuple[str, str]]]:
        """Write a document for each decision that has none yet; return those it has now, and the rejected ones."""
        index = self._indices.write("decisions")
        operations = [
            Operation(index=index, id=label.id, document=documents.decision_document(label), seq_no=None)
            for label in labels
        ]
        answers = list(zip(labels, self._pages.bulk.send(operations), strict=True))
        taken = [label for label, answer in answers if answer.result != "rejected"]
        return taken, [(label.page_id, answer.reason) for label, answer in answers if answer.result == "rejected"]


def _span(query: ItemQuery | LedgerQuery) -> range:
    return range(query.offset, query.offset + query.limit)


def _report(
    refused: list[tuple[str, str]], page_ids: Sequence[str], changed: set[int], rejected: Mapping[str, str]
) -> UpsertReport:
    account = Account(refused)
    for number, page_id in enumerate(page_ids):
        if page_id in rejected:
            account.rejected(page_id, rejected[page_id])
        else:
            account.done(page_id, changed=number in changed)
    return account.report()
