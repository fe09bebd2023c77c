"""Bulk writes in which every document has its own answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import msgspec
from elasticsearch import Elasticsearch

from storage.elastic.client import OVERLOADED, RETRY_AFTER_S, Connection
from storage.port import StoreRejectedError, StoreUnavailableError

MAX_OPERATIONS = 1_000
MAX_BYTES = 8_000_000
BACK_OFF_S = (0.1, 0.3, 1.0, 3.0)
"""Waits before the same documents are sent again to an overloaded server."""

SERVER_WAITS = "5s"
"""How long the server waits for a shard that is not there, before it says so."""

_BLOCKED = "cluster_block_exception"
_MISSING = "index_not_found_exception"
_API_BLOCK = (
    " (somebody has closed it to writers: is `guidewatch index migrate` or `retention` at work, or was it stopped?)"
)
_BAD_DOCUMENT = frozenset({"document_parsing_exception", "mapper_parsing_exception"})
_OLD_MAPPING = "strict_dynamic_mapping_exception"
"""A field that the index does not know: of no document's making, so that none of them may end as a dead letter."""


class SeqNo(msgspec.Struct, frozen=True):
    """Which state of a document was read; a write on top of another state is a conflict."""

    number: int
    term: int


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One document to write, or to delete if ``document`` is None; ``seq_no`` None means it must not exist yet.

    ``index`` is an alias for a new document, and for any other the very index that it was read from: numbers of states
    mean nothing in another one.
    """

    index: str
    id: str
    document: dict[str, Any] | None
    seq_no: SeqNo | None


class Answer(msgspec.Struct, frozen=True):
    """What became of one operation; ``blocked``: the index that it was read from takes no more writes, or is gone."""

    result: Literal["done", "conflict", "rejected", "blocked"]
    reason: str = ""


class Bulk:
    """Sends operations and sorts the answers.

    Parameters
    ----------
    connection
        Where to.
    create
        Creates what is behind these aliases, or raises: they are not there.
    sleep
        Waits that many seconds.
    """

    def __init__(
        self,
        connection: Connection,
        create: Callable[[Elasticsearch, set[str]], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connection = connection
        self._create = create
        self.sleep = sleep

    def send(self, operations: Sequence[Operation]) -> list[Answer]:
        """Return the answers, in the order of the operations; what is done is durable.

        Raises
        ------
        StoreUnavailableError
            The server is overloaded even after the last back-off; some of the operations may be done.
        StoreRejectedError
            The server refuses the write itself, and not only a document.
        """
        answers: dict[int, Answer] = {}
        pending = list(range(len(operations)))
        for wait_s in (*BACK_OFF_S, None):
            later = _Later()
            for chunk in _chunks(operations, pending):
                self._send_chunk(operations, chunk, answers, later)
            if later.missing:
                with self._connection.translated() as client:
                    self._create(client, later.missing)
            if not later.numbers:
                return [answers[number] for number in range(len(operations))]
            if wait_s is not None and later.reason:
                self.sleep(wait_s)
            pending = later.numbers
        raise self.refused(len(pending), later.reason or "their index is being created")

    def refused(self, count: int, reason: str) -> StoreUnavailableError:
        """Return the error of documents that cannot be written now."""
        where = f"Elasticsearch at {self._connection.address}"
        return StoreUnavailableError(f"{where} does not take {count} documents now: {reason}", RETRY_AFTER_S)

    def _send_chunk(
        self,
        operations: Sequence[Operation],
        chunk: list[tuple[int, list[bytes]]],
        answers: dict[int, Answer],
        later: _Later,
    ) -> None:
        lines: list[Any] = [line for _, two in chunk for line in two]
        with self._connection.translated() as client:
            found = client.bulk(operations=lines, timeout=SERVER_WAITS, filter_path="items.*.status,items.*.error")
        for (number, _), item in zip(chunk, found["items"], strict=True):
            ((action, result),) = item.items()
            kind = (result.get("error") or {}).get("type")
            new = operations[number].seq_no is None
            if kind == _MISSING and new:
                later.missing.add(operations[number].index)
                later.numbers.append(number)
            elif result["status"] in OVERLOADED or (kind == _BLOCKED and new):
                later.reason = _reason(result)
                later.numbers.append(number)
            else:
                answers[number] = self._answer(action, result)

    def _answer(self, action: str, result: dict[str, Any]) -> Answer:
        status, error = result["status"], result.get("error") or {}
        if status < 300 or (status == 404 and action == "delete" and not error):
            return Answer("done")
        reason = _reason(result)
        if status == 409:
            return Answer("conflict", reason)
        if error.get("type") in (_BLOCKED, _MISSING):
            return Answer("blocked", reason)
        if error.get("type") in _BAD_DOCUMENT or "immense term" in reason:
            cause = error.get("caused_by") or {}
            return Answer("rejected", f"{reason}: {cause['reason']}" if "reason" in cause else reason)
        hint = ""
        if error.get("type") == _OLD_MAPPING:
            hint = " (it was set up by an older guidewatch: set it up again)"
        raise StoreRejectedError(f"Elasticsearch at {self._connection.address} refuses to write: {reason}{hint}")


class _Later:
    """What is to be sent again, and why; ``missing`` is to be created first."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.missing: set[str] = set()
        self.reason = ""


def _reason(result: dict[str, Any]) -> str:
    reason = str((result.get("error") or {}).get("reason", f"status {result['status']}"))
    return f"{reason}{_API_BLOCK}" if "index write (api)" in reason else reason


def _chunks(operations: Sequence[Operation], numbers: Sequence[int]) -> Iterator[list[tuple[int, list[bytes]]]]:
    chunk: list[tuple[int, list[bytes]]] = []
    size = 0
    for number in numbers:
        lines = _lines(operations[number])
        length = sum(len(line) for line in lines)
        if chunk and (len(chunk) >= MAX_OPERATIONS or size + length > MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append((number, lines))
        size += length
    if chunk:
        yield chunk


def _lines(operation: Operation) -> list[bytes]:
    header: dict[str, Any] = {"_index": operation.index, "_id": operation.id}
    if operation.seq_no is None:
        header["require_alias"] = True
    else:
        header |= {"if_seq_no": operation.seq_no.number, "if_primary_term": operation.seq_no.term}
    if operation.document is None:
        return [msgspec.json.encode({"delete": header})]
    action = "create" if operation.seq_no is None else "index"
    return [msgspec.json.encode({action: header}), msgspec.json.encode(operation.document)]
