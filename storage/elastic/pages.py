"""What is held of pages, and changing it while others do the same.

There are no transactions, so the order of writes and of reads carries the promises. Every write names the state that it
is based on (``if_seq_no``) or says that there was none (``create``); whoever loses reads again and decides again. The
entry in the histories is written before the ledger, and that before the item. After its own writes everybody reads what
the others may have written first, and settles ledger and item with it: of two writers, at least the later one sees
both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from storage.elastic import documents
from storage.elastic.bulk import BACK_OFF_S, Answer, Bulk, Operation
from storage.elastic.client import RETRY_AFTER_S, Connection
from storage.elastic.entries import Entry, entry_document, entry_of, mark_of
from storage.elastic.getting import Found, Gets, Key
from storage.elastic.indices import FIRST, Indices, Kind, month_of
from storage.merge import Held, settled
from storage.port import StoreUnavailableError

_ATTEMPTS = 20
_HELD: tuple[Kind, ...] = ("histories", "ledger", "items")
"""In the order of writing."""


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What was held of a page, and which state of each document that was.

    ``place`` is where its documents are, or None if there are none.
    """

    held: Held
    entry: Entry
    place: str | None
    found: dict[Kind, Found]


class Outcome(msgspec.Struct, kw_only=True):
    """What became of the pages of a call."""

    touched: set[str] = msgspec.field(default_factory=set)
    """Pages of which at least one document was written."""
    rejected: dict[str, str] = msgspec.field(default_factory=dict)
    """Reasons, by page id."""
    places: dict[str, str | None] = msgspec.field(default_factory=dict)
    """Where the documents of each page are now."""


class Pages:
    """Reads and changes pages.

    Parameters
    ----------
    connection
        Where the cluster is.
    indices
        What the indices are called.
    clock
        Returns now, aware UTC.
    """

    def __init__(self, connection: Connection, indices: Indices, clock: Callable[[], datetime]) -> None:
        self._indices = indices
        self._clock = clock
        self._gets = Gets(connection, indices)
        self.bulk = Bulk(connection, indices.create_missing)

    def change(self, page_ids: Iterable[str], changed: Callable[[str, Held], Held]) -> Outcome:
        """Write what ``changed(page id, what is held)`` returns for each page, then settle it.

        ``changed`` is called again for a page that somebody else has written meanwhile.

        Raises
        ------
        StoreUnavailableError
            Others write the same pages all the time, or an index takes no writes.
        """
        wanted = list(dict.fromkeys(page_ids))
        outcome = Outcome()
        self._repeat(wanted, changed, outcome)
        written = [page_id for page_id in wanted if page_id in outcome.touched and page_id not in outcome.rejected]
        self._repeat(self._to_settle(written, outcome.places), lambda _, held: settled(held), outcome)
        return outcome

    def read(self, page_ids: Sequence[str]) -> dict[str, Read]:
        """Return what is held of each page, empty where nothing is."""
        noted = self._gets.get([("histories", FIRST, page_id) for page_id in page_ids])
        entries = {
            page_id: entry_of(noted["histories", page_id].source) if ("histories", page_id) in noted else Entry()
            for page_id in page_ids
        }
        places = {page_id: entry.place or self._gets.old_place for page_id, entry in entries.items()}
        keys: list[Key] = [(kind, place, page_id) for page_id, place in places.items() if place for kind in _HELD[1:]]
        found = noted | self._gets.get(keys)
        return {
            page_id: _read(entry, places[page_id], {k: found[k, page_id] for k in _HELD if (k, page_id) in found})
            for page_id, entry in entries.items()
        }

    def _repeat(self, page_ids: list[str], changed: Callable[[str, Held], Held], outcome: Outcome) -> None:
        pending, blocked, waits = page_ids, "", iter(BACK_OFF_S)
        for _ in range(_ATTEMPTS):
            if not pending:
                return
            found = self.read(pending)
            after = {page_id: changed(page_id, one.held) for page_id, one in found.items()}
            pending, blocked = self._write(found, after, outcome)
            if blocked:
                wait_s = next(waits, None)
                if wait_s is None:
                    raise self.bulk.refused(len(pending), blocked)
                self.bulk.sleep(wait_s)
        raise StoreUnavailableError(f"{len(pending)} pages are being changed by others all the time", RETRY_AFTER_S)

    def _to_settle(self, page_ids: list[str], places: Mapping[str, str | None]) -> list[str]:
        """Return the pages on which somebody has decided or that are items: most pages are neither."""
        entries: list[Key] = [("histories", FIRST, page_id) for page_id in page_ids]
        items: list[Key] = [("items", place, page_id) for page_id in page_ids if (place := places.get(page_id))]
        found = self._gets.get([*entries, *items], fields={"histories": ["guidewatch.labels"], "items": False})
        return list(
            dict.fromkeys(
                page_id
                for (kind, page_id), one in found.items()
                if kind == "items" or one.source["guidewatch"]["labels"]
            )
        )

    def _write(self, found: Mapping[str, Read], after: Mapping[str, Held], outcome: Outcome) -> tuple[list[str], str]:
        """Write the differences; return the pages that lost against another writer, and why if an index is blocked."""
        lost: set[str] = set()
        blocked = ""
        places = {page_id: self._place(one, after[page_id]) for page_id, one in found.items()}
        outcome.places |= places
        for kind in _HELD:
            operations = [
                operation
                for page_id, read in found.items()
                if page_id not in lost and page_id not in outcome.rejected
                if (operation := self._operation(kind, page_id, read, after[page_id], places[page_id])) is not None
            ]
            for operation, answer in zip(operations, self.bulk.send(operations), strict=True):
                _note(operation.id, answer, outcome, lost)
                blocked = answer.reason if answer.result == "blocked" else blocked
        return list(lost), blocked

    def _place(self, read: Read, after: Held) -> str | None:
        if read.place is not None or after.ledger is None:
            return read.place
        first_seen_at = after.item.first_seen_at if after.item is not None else after.ledger.version[0]
        return month_of(first_seen_at, self._clock())

    def _operation(self, kind: Kind, page_id: str, read: Read, after: Held, place: str | None) -> Operation | None:
        document: dict[str, Any] | None = None
        before = read.held
        if kind == "histories":
            entry = Entry(place=place, labels=after.labels, mark=mark_of(after.item))
            # A new row goes with a write of the entry, so that nobody removes the entry of an old one meanwhile.
            is_new = before.ledger is None and after.ledger is not None
            if entry == read.entry and not is_new:
                return None
            document = entry_document(page_id, entry, after.item.minhash if after.item is not None else "")
        elif kind == "ledger":
            if after.ledger is before.ledger or after.ledger is None:
                return None
            document = documents.ledger_document(after.ledger)
        else:
            if after.item is before.item:
                return None
            document = documents.item_document(after.item) if after.item is not None else None
        there = read.found.get(kind)
        if there is not None:
            return Operation(index=there.index, id=page_id, document=document, seq_no=there.seq_no)
        at = FIRST if kind == "histories" else place
        return Operation(index=self._indices.write(kind, at or FIRST), id=page_id, document=document, seq_no=None)


def _note(page_id: str, answer: Answer, outcome: Outcome, lost: set[str]) -> None:
    if answer.result == "done":
        outcome.touched.add(page_id)
    elif answer.result == "rejected":
        outcome.rejected[page_id] = answer.reason
    else:
        lost.add(page_id)


def _read(entry: Entry, place: str | None, found: dict[Kind, Found]) -> Read:
    held = Held(
        ledger=documents.ledger_of(found["ledger"].source) if "ledger" in found else None,
        item=documents.item_of(found["items"].source) if "items" in found else None,
        labels=entry.labels,
    )
    is_there = entry.place is not None or held.ledger is not None or held.item is not None
    return Read(held=held, entry=entry, place=place if is_there else None, found=found)
