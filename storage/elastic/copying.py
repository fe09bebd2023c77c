"""Copying an index to one of this version, again and again, each time only what was written since.

Documents go in the order of their sequence numbers. Every copy carries the sequence number of its original as its
version, so that an older one never overwrites a newer one, and the new index remembers how far it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from storage.elastic import documents
from storage.elastic.bulk import BACK_OFF_S, MAX_BYTES
from storage.elastic.checking import check_document, check_of
from storage.elastic.client import OVERLOADED, RETRY_AFTER_S, Connection
from storage.elastic.indices import Kind
from storage.elastic.queries import WITHOUT_SEARCH_FIELDS
from storage.elastic.searching import KEEP_ALIVE, Searcher
from storage.elastic.templates import template
from storage.port import StoreRejectedError, StoreUnavailableError

OnProgress = Callable[[str, int, int], None]
"""Takes the name of the new index, and how many of how many documents are there."""

_BATCH: Mapping[Kind, int] = {"items": 50}
_USUAL_BATCH = 500
_NOTED_EVERY = 20
"""Batches after which the new index is told how far it is."""

_ALL: dict[str, Any] = {"match_all": {}}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One index that is of an older version, and the one that its documents go to."""

    kind: Kind
    source: str
    target: str
    documents: int


class Copy:
    """Copies one index.

    Parameters
    ----------
    connection
        Where it is.
    step
        From where to where.
    on_progress
        Called after each batch.
    sleep
        Waits that many seconds.
    """

    def __init__(
        self,
        connection: Connection,
        step: Step,
        on_progress: OnProgress,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._searcher = Searcher(connection)
        self._step = step
        self._sleep = sleep
        self._on_progress = on_progress
        self._copied: dict[str, int] = {}
        self._done = 0
        # The entries keep their hashes; of an item, what is searched is made anew.
        self._wanted = {"source": WITHOUT_SEARCH_FIELDS if step.kind == "items" else True}

    def prepare(self) -> None:
        """Create the new index, or find out how far a run before this one has come."""
        source, target = self._step.source, self._step.target
        with self._connection.translated() as client:
            if not client.indices.exists(index=target):
                client.indices.create(index=target)
            settings = client.indices.get_settings(index=source)[source]["settings"]["index"]
            meta = client.indices.get_mapping(index=target)[target]["mappings"].get("_meta", {})
            self._done = int(client.count(index=target)["count"])
        shards = range(int(settings["number_of_shards"]))
        self._copied = {str(shard): -1 for shard in shards} | meta.get("copied", {})

    def catch_up(self) -> int:
        """Copy what was written since the last time; return how many documents that was."""
        with self._connection.translated() as client:
            client.indices.refresh(index=self._step.source)
        count = 0
        for shard in self._copied:
            for number, batch in enumerate(self._written_since(shard), 1):
                self._write([self._lines(hit) for hit in batch])
                self._copied[shard] = batch[-1]["_seq_no"]
                if number % _NOTED_EVERY == 0:
                    self._note()
                count += len(batch)
                self._done += len(batch)
                self._on_progress(self._step.target, min(self._done, self._step.documents), self._step.documents)
        if count:
            self._note()
        return count

    def drop_deleted(self) -> None:
        """Delete from the new index what is no longer in the old one."""
        source, target = self._step.source, self._step.target
        with self._connection.translated() as client:
            client.indices.refresh(index=[source, target])
        if self._searcher.count(target, _ALL) <= self._searcher.count(source, _ALL):
            return
        for ids in self._searcher.ids(target, _ALL):
            with self._connection.translated() as client:
                answer = client.mget(index=source, ids=ids, source=False)
            gone = [doc["_id"] for doc in answer["docs"] if not doc.get("found")]
            self._write([[_line({"delete": {"_index": target, "_id": name}})] for name in gone])

    def check(self) -> None:
        """Raise unless both have the same number of documents."""
        source, target = self._step.source, self._step.target
        with self._connection.translated() as client:
            client.indices.refresh(index=[source, target])
        there, here = self._searcher.count(source, _ALL), self._searcher.count(target, _ALL)
        if there != here:
            raise StoreUnavailableError(f"{target} has {here} documents and {source} {there}: run the migration again")

    def _written_since(self, shard: str) -> Iterator[list[dict[str, Any]]]:
        size = _BATCH.get(self._step.kind, _USUAL_BATCH)
        query = {"range": {"_seq_no": {"gt": self._copied[shard]}}}
        with self._searcher.moment(self._step.source, preference=f"_shards:{shard}") as moment:
            after: list[Any] | None = None
            while True:
                with self._connection.translated() as client:
                    found = _page(client, moment, self._wanted | {"size": size, "query": query, "search_after": after})
                if found:
                    yield found
                if len(found) < size:
                    return
                after = found[-1]["sort"]

    def _lines(self, hit: Mapping[str, Any]) -> list[bytes]:
        version = {"version": hit["_seq_no"] + 1, "version_type": "external_gte"}
        header = {"index": {"_index": self._step.target, "_id": hit["_id"], **version}}
        return [_line(header), _line(_again(self._step.kind, hit["_source"]))]

    def _write(self, operations: Sequence[list[bytes]]) -> None:
        pending = list(operations)
        for wait_s in (*BACK_OFF_S, None):
            pending = [lines for chunk in _chunks(pending) for lines in self._sent(chunk)]
            if not pending:
                return
            if wait_s is not None:
                self._sleep(wait_s)
        raise StoreUnavailableError(f"{self._step.target} takes no more documents now", RETRY_AFTER_S)

    def _sent(self, chunk: Sequence[list[bytes]]) -> list[list[bytes]]:
        """Send operations and return those that are to be sent again."""
        lines: list[Any] = [line for one in chunk for line in one]
        with self._connection.translated() as client:
            answer = client.bulk(operations=lines, filter_path="items.*.status,items.*.error,items.*._id")
        results: list[dict[str, Any]] = [next(iter(item.values())) for item in answer["items"]]
        return [one for one, result in zip(chunk, results, strict=True) if self._is_to_be_sent_again(result)]

    def _is_to_be_sent_again(self, result: Mapping[str, Any]) -> bool:
        if result["status"] < 300 or result["status"] in (404, 409):
            return False
        if result["status"] in OVERLOADED:
            return True
        reason = (result.get("error") or {}).get("reason", f"status {result['status']}")
        raise StoreRejectedError(f"document {result['_id']} of {self._step.source} does not fit: {reason}")

    def _note(self) -> None:
        version = template(self._step.kind)["version"]
        with self._connection.translated() as client:
            client.indices.put_mapping(index=self._step.target, meta={"version": version, "copied": self._copied})


def _again(kind: Kind, source: dict[str, Any]) -> dict[str, Any]:
    """Return a document as this version writes it."""
    if kind == "items":
        return documents.item_document(documents.item_of(source))
    if kind == "ledger":
        return documents.ledger_document(documents.ledger_of(source))
    if kind == "decisions":
        return documents.decision_document(documents.label_of(source))
    return check_document(check_of(source)) if kind == "checks" else source


def _page(client: Elasticsearch, moment: str, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    answer = client.search(
        pit={"id": moment, "keep_alive": KEEP_ALIVE},
        **wanted,
        sort=[{"_seq_no": "asc"}],
        seq_no_primary_term=True,
        track_total_hits=False,
        allow_partial_search_results=False,
    )
    hits: list[dict[str, Any]] = answer["hits"]["hits"]
    return hits


def _chunks(operations: Sequence[list[bytes]]) -> Iterator[list[list[bytes]]]:
    chunk: list[list[bytes]] = []
    size = 0
    for lines in operations:
        length = sum(map(len, lines))
        if chunk and size + length > MAX_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(lines)
        size += length
    if chunk:
        yield chunk


def _line(value: Any) -> bytes:
    return msgspec.json.encode(value)
