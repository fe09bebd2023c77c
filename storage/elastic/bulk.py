"""Bulk writes in which every document has its own answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from storage.elastic.client import OVERLOADED, RETRY_AFTER_S, Connection
from storage.port import StoreRejectedError, StoreUnavailableError

MAX_OPERATIONS = 1_000
MAX_BYTES = 8_000_000
BACK_OFF_S = (0.1, 0.3, 1.0, 3.0)
"""Waits before the same documents are sent again to an overloaded server."""

_BAD_DOCUMENT = frozenset({"document_parsing_exception", "mapper_parsing_exception"})
_OLD_MAPPING = "strict_dynamic_mapping_exception"
"""A field that the index does not know: of no document's making, so that none of them may end as a dead letter."""


class SeqNo(msgspec.Struct, frozen=True):
    """Which state of a document was read; a write on top of another state is a conflict."""

    number: int
    term: int


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One document to write, or to delete if ``document`` is None; ``seq_no`` None means it must not exist yet."""

    index: str
    id: str
    document: dict[str, Any] | None
    seq_no: SeqNo | None


class Answer(msgspec.Struct, frozen=True):
    """What became of one operation."""

    result: Literal["done", "conflict", "rejected"]
    reason: str = ""


class Bulk:
    """Sends operations and sorts the answers.

    Parameters
    ----------
    connection
        Where to.
    sleep
        Waits that many seconds.
    """

    def __init__(self, connection: Connection, sleep: Callable[[float], None] = time.sleep) -> None:
        self._connection = connection
        self._sleep = sleep

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
            overloaded: list[int] = []
            for chunk in _chunks(operations, pending):
                overloaded += self._send_chunk(chunk, answers)
            if not overloaded:
                return [answers[number] for number in range(len(operations))]
            if wait_s is not None:
                self._sleep(wait_s)
            pending = overloaded
        raise StoreUnavailableError(
            f"Elasticsearch at {self._connection.address} is overloaded: {len(pending)} documents not written",
            RETRY_AFTER_S,
        )

    def _send_chunk(self, chunk: list[tuple[int, list[bytes]]], answers: dict[int, Answer]) -> list[int]:
        lines: list[Any] = [line for _, two in chunk for line in two]
        with self._connection.translated() as client:
            found = client.bulk(operations=lines, require_alias=True, filter_path="items.*.status,items.*.error")
        overloaded = []
        for (number, _), item in zip(chunk, found["items"], strict=True):
            ((action, result),) = item.items()
            if result["status"] in OVERLOADED:
                overloaded.append(number)
            else:
                answers[number] = self._answer(action, result)
        return overloaded

    def _answer(self, action: str, result: dict[str, Any]) -> Answer:
        status, error = result["status"], result.get("error") or {}
        if status < 300 or (status == 404 and action == "delete" and not error):
            return Answer("done")
        reason = str(error.get("reason", f"status {status}"))
        if status == 409:
            return Answer("conflict", reason)
        if error.get("type") in _BAD_DOCUMENT or "immense term" in reason:
            cause = error.get("caused_by") or {}
            return Answer("rejected", f"{reason}: {cause['reason']}" if "reason" in cause else reason)
        hint = " (has it been set up?)" if status == 404 else ""
        if error.get("type") == _OLD_MAPPING:
            hint = " (it was set up by an older guidewatch: set it up again)"
        raise StoreRejectedError(f"Elasticsearch at {self._connection.address} refuses to write: {reason}{hint}")


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
    if operation.seq_no is not None:
        header |= {"if_seq_no": operation.seq_no.number, "if_primary_term": operation.seq_no.term}
    if operation.document is None:
        return [msgspec.json.encode({"delete": header})]
    action = "create" if operation.seq_no is None else "index"
    return [msgspec.json.encode({action: header}), msgspec.json.encode(operation.document)]
