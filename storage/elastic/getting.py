"""Getting many documents by id, also from months of which there are no indices."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from storage.elastic.bulk import BACK_OFF_S, SeqNo
from storage.elastic.client import RETRY_AFTER_S, Connection
from storage.elastic.indices import FIRST, MONTHLY, Indices, Kind
from storage.elastic.queries import WITHOUT_SEARCH_FIELDS
from storage.port import StoreRejectedError, StoreUnavailableError

Key = tuple[Kind, str, str]
"""Kind, place and page id of a document."""

_GETS = 1_500
_ABSENT = "index_not_found_exception"
_NO_SHARD = "no_shard_available_action_exception"
_STARTING_S = BACK_OFF_S[:3]
_FINAL = frozenset({_ABSENT, "security_exception", "index_closed_exception"})


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A document, the very index that it is in, and its state."""

    source: dict[str, Any]
    index: str
    seq_no: SeqNo


class Gets:
    """Gets documents, as they are at this moment.

    Parameters
    ----------
    connection, indices
        Where they are.
    sleep
        Waits that many seconds.
    """

    def __init__(self, connection: Connection, indices: Indices, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self._connection = connection
        self._indices = indices
        self.old_place: str | None = FIRST
        """Where pages without an entry may be: those from before there were months, None once there are none."""

    def get(
        self, keys: Sequence[Key], *, fields: Mapping[Kind, list[str] | bool] | None = None
    ) -> dict[tuple[Kind, str], Found]:
        """Return the documents that are there, by kind and page id.

        Parameters
        ----------
        keys
            Which documents.
        fields
            What to return of each kind; otherwise all that is not only there to be searched.

        Raises
        ------
        StoreRejectedError
            The installation was not set up.
        StoreUnavailableError
            An index cannot be read now.
        """
        found: dict[tuple[Kind, str], Found] = {}
        for start in range(0, len(keys), _GETS):
            chunk = keys[start : start + _GETS]
            docs = [self._doc(key, fields) for key in chunk]
            answers = self._ask(docs, None if fields else WITHOUT_SEARCH_FIELDS["excludes"])
            for (kind, place, page_id), doc in zip(chunk, answers, strict=True):
                if "error" in doc:
                    self._note_absent(kind, place, doc["error"])
                elif doc["found"]:
                    found[kind, page_id] = _found(doc)
        return found

    def _ask(self, docs: Sequence[Mapping[str, Any]], excludes: list[str] | None) -> list[dict[str, Any]]:
        """Return the answers; an index that somebody has just created is waited for, a second or so."""
        answers = self._ask_once(docs, excludes)
        for wait_s in _STARTING_S:
            if not any(doc.get("error", {}).get("type") == _NO_SHARD for doc in answers):
                break
            self._sleep(wait_s)
            answers = self._ask_once(docs, excludes)
        return answers

    def _ask_once(self, docs: Sequence[Mapping[str, Any]], excludes: list[str] | None) -> list[dict[str, Any]]:
        with self._connection.translated() as client:
            answers: list[dict[str, Any]] = client.mget(docs=docs, source_excludes=excludes)["docs"]
        return answers

    def _doc(self, key: Key, fields: Mapping[Kind, list[str] | bool] | None) -> dict[str, Any]:
        kind, place, page_id = key
        doc = {"_index": self._indices.write(kind, place), "_id": page_id}
        return doc | {"_source": fields[kind]} if fields else doc

    def _note_absent(self, kind: Kind, place: str, error: Mapping[str, Any]) -> None:
        """Take it that a month without an index has no documents; raise what else is wrong."""
        name, reason = self._indices.write(kind, place), error.get("reason", "no reason given")
        if error.get("type") == _ABSENT and kind in MONTHLY:
            if place == FIRST:
                self.old_place = None
            return
        if error.get("type") in _FINAL:
            raise StoreRejectedError(f"{name} cannot be read: {reason} (has it been set up?)")
        raise StoreUnavailableError(f"{name} cannot be read now: {reason}", RETRY_AFTER_S)


def _found(doc: Mapping[str, Any]) -> Found:
    return Found(source=doc.get("_source", {}), index=doc["_index"], seq_no=SeqNo(doc["_seq_no"], doc["_primary_term"]))
