"""What is held of pages in three indices, and changing it while others do the same.

There are no transactions, so the order of writes and of reads carries the promises. Every write names the state that it
is based on (``if_seq_no``) or says that there was none (``create``); whoever loses reads again and decides again. The
ledger is written before the item, and the history before both. After its own writes everybody reads what the others may
have written first, and settles ledger and item with it: of two writers, at least the later one sees both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from storage.elastic import documents
from storage.elastic.bulk import Answer, Bulk, Operation, SeqNo
from storage.elastic.client import RETRY_AFTER_S, Connection
from storage.elastic.indices import Indices, Kind
from storage.elastic.queries import WITHOUT_SEARCH_FIELDS
from storage.merge import Held, settled
from storage.port import StoreRejectedError, StoreUnavailableError

_ATTEMPTS = 20
_GETS = 1_500
_HELD: tuple[Kind, ...] = ("histories", "ledger", "items")
"""In the order of writing."""


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What was held of a page, and which state of each document that was."""

    held: Held
    seq_nos: dict[Kind, SeqNo]


class Outcome(msgspec.Struct, kw_only=True):
    """What became of the pages of a call."""

    touched: set[str] = msgspec.field(default_factory=set)
    """Pages of which at least one document was written."""
    rejected: dict[str, str] = msgspec.field(default_factory=dict)
    """Reasons, by page id."""


class Pages:
    """Reads and changes pages.

    Parameters
    ----------
    connection
        Where the cluster is.
    indices
        What the indices are called.
    """

    def __init__(self, connection: Connection, indices: Indices) -> None:
        self._connection = connection
        self._indices = indices
        self.bulk = Bulk(connection)

    def change(self, page_ids: Iterable[str], changed: Callable[[str, Held], Held]) -> Outcome:
        """Write what ``changed(page id, what is held)`` returns for each page, then settle it.

        ``changed`` is called again for a page that somebody else has written meanwhile.

        Raises
        ------
        StoreUnavailableError
            Others write the same pages all the time.
        """
        wanted = list(dict.fromkeys(page_ids))
        outcome = Outcome()
        self._repeat(wanted, changed, outcome)
        written = [page_id for page_id in wanted if page_id in outcome.touched and page_id not in outcome.rejected]
        self._repeat(self._to_settle(written), lambda _, held: settled(held), outcome)
        return outcome

    def _repeat(self, page_ids: list[str], changed: Callable[[str, Held], Held], outcome: Outcome) -> None:
        pending = page_ids
        for _ in range(_ATTEMPTS):
            if not pending:
                return
            found = self.read(pending)
            after = {page_id: changed(page_id, one.held) for page_id, one in found.items()}
            pending = self._write(found, after, outcome)
        raise StoreUnavailableError(f"{len(pending)} pages are being changed by others all the time", RETRY_AFTER_S)

    def read(self, page_ids: Sequence[str]) -> dict[str, Read]:
        """Return what is held of each page, empty where nothing is."""
        found = self._get([(kind, page_id) for page_id in page_ids for kind in _HELD])
        return {
            page_id: _read({kind: found[kind, page_id] for kind in _HELD if (kind, page_id) in found})
            for page_id in page_ids
        }

    def _to_settle(self, page_ids: list[str]) -> list[str]:
        """Return the pages on which somebody has decided or that are items: most pages are neither."""
        kinds: tuple[Kind, ...] = ("histories", "items")
        found = self._get([(kind, page_id) for page_id in page_ids for kind in kinds], source=False)
        return list(dict.fromkeys(page_id for _, page_id in found))

    def _get(
        self, keys: Sequence[tuple[Kind, str]], *, source: Mapping[str, Any] | bool = WITHOUT_SEARCH_FIELDS
    ) -> dict[tuple[Kind, str], dict[str, Any]]:
        found: dict[tuple[Kind, str], dict[str, Any]] = {}
        names = {kind: self._indices.write(kind) for kind in _HELD}
        excludes = None if isinstance(source, bool) else source["excludes"]
        for start in range(0, len(keys), _GETS):
            chunk = keys[start : start + _GETS]
            docs = [{"_index": names[kind], "_id": page_id} for kind, page_id in chunk]
            with self._connection.translated() as client:
                answer = client.mget(docs=docs, source=bool(source), source_excludes=excludes)
            for key, doc in zip(chunk, answer["docs"], strict=True):
                if "error" in doc:
                    reason = doc["error"].get("reason", "no reason given")
                    raise StoreRejectedError(f"{names[key[0]]} cannot be read: {reason} (has it been set up?)")
                if doc["found"]:
                    found[key] = doc
        return found

    def _write(self, found: Mapping[str, Read], after: Mapping[str, Held], outcome: Outcome) -> list[str]:
        """Write the differences and return the pages that lost against another writer."""
        lost: set[str] = set()
        for kind in _HELD:
            operations = []
            for page_id, read in found.items():
                if page_id in lost or page_id in outcome.rejected:
                    continue
                operation = self._operation(kind, page_id, read, after[page_id])
                if operation is not None:
                    operations.append(operation)
            for operation, answer in zip(operations, self.bulk.send(operations), strict=True):
                self._note(operation.id, answer, outcome, lost)
        return list(lost)

    @staticmethod
    def _note(page_id: str, answer: Answer, outcome: Outcome, lost: set[str]) -> None:
        if answer.result == "done":
            outcome.touched.add(page_id)
        elif answer.result == "conflict":
            lost.add(page_id)
        else:
            outcome.rejected[page_id] = answer.reason

    def _operation(self, kind: Kind, page_id: str, read: Read, after: Held) -> Operation | None:
        document: dict[str, Any] | None = None
        before = read.held
        if kind == "histories":
            if after.labels == before.labels:
                return None
            document = documents.history_document(page_id, after.labels)
        elif kind == "ledger":
            if after.ledger is before.ledger or after.ledger is None:
                return None
            document = documents.ledger_document(after.ledger)
        else:
            if after.item is before.item:
                return None
            document = documents.item_document(after.item) if after.item is not None else None
        return Operation(index=self._indices.write(kind), id=page_id, document=document, seq_no=read.seq_nos.get(kind))


def _read(found: Mapping[Kind, dict[str, Any]]) -> Read:
    source = {kind: doc["_source"] for kind, doc in found.items()}
    held = Held(
        ledger=documents.ledger_of(source["ledger"]) if "ledger" in source else None,
        item=documents.item_of(source["items"]) if "items" in source else None,
        labels=documents.labels_of(source["histories"]) if "histories" in source else (),
    )
    return Read(held=held, seq_nos={kind: SeqNo(doc["_seq_no"], doc["_primary_term"]) for kind, doc in found.items()})
