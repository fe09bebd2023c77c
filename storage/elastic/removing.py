"""Removing what is too old: texts from items, rows with all that is in their place, months that are empty (ADR 0024).

A row goes after its item and its checks, and its entry in the histories last, on the state that was read first: whoever
hears of the page meanwhile writes the entry again (`storage.elastic.pages`), and it stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from storage.elastic.bulk import Operation, SeqNo
from storage.elastic.client import Connection
from storage.elastic.entries import Entry, entry_document
from storage.elastic.getting import Found
from storage.elastic.indices import FIRST, MONTHLY, Indices, month_of
from storage.elastic.pages import Pages, Read
from storage.elastic.searching import Searcher
from storage.merge import Held
from storage.retention import HEARD_OF, Removed, Retention, row_is_due, text_is_due, without_text

_ALL: dict[str, Any] = {"match_all": {}}


class Removal:
    """Counts what is too old, or removes it.

    Parameters
    ----------
    connection, indices
        Where it is.
    pages
        Reads and changes them.
    """

    def __init__(self, connection: Connection, indices: Indices, pages: Pages) -> None:
        self._connection = connection
        self._indices = indices
        self._pages = pages
        self._searcher = Searcher(connection)

    def count(self, retention: Retention) -> Removed:
        """Return what `run` would remove."""
        texts = self._searcher.count(self._indices.read("items"), _texts(retention))
        rows = self._searcher.count(self._indices.read("ledger"), _rows(retention))
        return Removed(texts=texts, rows=rows, months=tuple(self._due_months(retention)) if rows else ())

    def run(self, retention: Retention, now: datetime) -> Removed:
        """Remove it. What somebody else writes meanwhile stays until the next time."""
        self._refresh()
        texts = sum(
            self._remove_texts(ids, retention, now)
            for ids in self._searcher.ids(self._indices.read("items"), _texts(retention))
        )
        rows = sum(
            self._remove_rows(ids, retention)
            for ids in self._searcher.ids(self._indices.read("ledger"), _rows(retention))
        )
        return Removed(texts=texts, rows=rows, months=tuple(self._drop_empty(now)))

    def _refresh(self) -> None:
        with self._connection.translated() as client:
            client.indices.refresh(index=[self._indices.read("items"), self._indices.read("ledger")])

    def _remove_texts(self, page_ids: Sequence[str], retention: Retention, now: datetime) -> int:
        removed: set[str] = set()

        def after(page_id: str, held: Held) -> Held:
            if held.item is None or not text_is_due(held.item, retention):
                return held
            removed.add(page_id)
            return msgspec.structs.replace(held, item=without_text(held.item, now))

        outcome = self._pages.change(page_ids, after)
        return len(removed - outcome.rejected.keys())

    def _remove_rows(self, page_ids: Sequence[str], retention: Retention) -> int:
        due = {
            page_id: read
            for page_id, read in self._pages.read(page_ids).items()
            if read.held.ledger is not None and row_is_due(read.held.ledger.row, retention)
        }
        left = self._send(
            [_gone(page_id, read.found["items"]) for page_id, read in due.items() if "items" in read.found]
        )
        self._remove_checks([page_id for page_id in due if page_id not in left])
        left |= self._send(
            [_gone(page_id, read.found["ledger"]) for page_id, read in due.items() if page_id not in left]
        )
        self._send([self._forgotten(page_id, read) for page_id, read in due.items() if page_id not in left])
        return len(due) - len(left)

    def _remove_checks(self, page_ids: Sequence[str]) -> None:
        query = {"terms": {"guidewatch.page_id": list(page_ids)}}
        for hits in self._searcher.states(self._indices.read("checks"), query):
            self._send([_gone(hit["_id"], _found(hit)) for hit in hits])

    def _forgotten(self, page_id: str, read: Read) -> Operation:
        """Return the write that leaves nothing of an entry but its decisions."""
        labels = read.entry.labels
        if "histories" in read.found and not labels:
            return _gone(page_id, read.found["histories"])
        document = entry_document(page_id, Entry(labels=labels), "")
        there = read.found.get("histories")
        if there is None:
            return Operation(index=self._indices.write("histories"), id=page_id, document=document, seq_no=None)
        return Operation(index=there.index, id=page_id, document=document, seq_no=there.seq_no)

    def _send(self, operations: Sequence[Operation]) -> set[str]:
        """Send them and return the ids of those that were not done."""
        answers = self._pages.bulk.send(operations)
        return {one.id for one, answer in zip(operations, answers, strict=True) if answer.result != "done"}

    def _months(self, client: Elasticsearch) -> dict[str, list[str]]:
        """Return the indices of each month, oldest month first."""
        months: dict[str, list[str]] = {}
        for kind in MONTHLY:
            for index in client.indices.get_alias(name=self._indices.read(kind)):
                parsed = self._indices.parsed(index)
                if parsed is not None and parsed[2] != FIRST:
                    months.setdefault(parsed[2], []).append(index)
        return dict(sorted(months.items()))

    def _due_months(self, retention: Retention) -> Iterator[str]:
        with self._connection.translated() as client:
            months = list(self._months(client))[:-1]
        for month in months:
            index = self._indices.write("ledger", month)
            if self._searcher.count(index, _ALL) == self._searcher.count(index, _rows(retention)):
                yield month

    def _drop_empty(self, now: datetime) -> Iterator[str]:
        """Delete the indices of past months that are empty, but for the newest, and yield their names."""
        with self._connection.translated() as client:
            months = list(self._months(client).items())[:-1]
            for month, indices in months:
                if month < month_of(now, now) and self._is_empty(client, indices):
                    client.indices.add_block(index=",".join(indices), block="write")
                    if self._is_empty(client, indices):
                        client.indices.delete(index=indices)
                        yield month
                    else:
                        client.indices.put_settings(index=indices, settings={"index.blocks.write": None})

    def _is_empty(self, client: Elasticsearch, indices: list[str]) -> bool:
        client.indices.refresh(index=indices)
        return self._searcher.count(",".join(indices), _ALL) == 0


def _texts(retention: Retention) -> dict[str, Any]:
    """Return which items have a text that is too old."""
    if retention.text_before is None:
        return {"match_none": {}}
    old = {"range": {"guidewatch.fetched_at": {"lt": retention.text_before}}}
    return {"bool": {"filter": [old], "must_not": [{"exists": {"field": "guidewatch.text_removed_at"}}]}}


def _rows(retention: Retention) -> dict[str, Any]:
    """Return which rows are too old."""
    if retention.ledger_before is None:
        return {"match_none": {}}
    young = [{"range": {f"guidewatch.{name}": {"gte": retention.ledger_before}}} for name in HEARD_OF]
    return {"bool": {"filter": [_ALL], "must_not": young}}


def _gone(name: str, there: Found) -> Operation:
    return Operation(index=there.index, id=name, document=None, seq_no=there.seq_no)


def _found(hit: dict[str, Any]) -> Found:
    return Found(source={}, index=hit["_index"], seq_no=SeqNo(hit["_seq_no"], hit["_primary_term"]))
