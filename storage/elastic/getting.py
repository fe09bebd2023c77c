"""Getting many documents by id, also from months of which there are no indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from storage.elastic.bulk import SeqNo
from storage.elastic.client import RETRY_AFTER_S, Connection
from storage.elastic.indices import FIRST, MONTHLY, Indices, Kind
from storage.elastic.queries import WITHOUT_SEARCH_FIELDS
from storage.port import StoreRejectedError, StoreUnavailableError

Key = tuple[Kind, str, str]
"""Kind, place and page id of a document."""

_GETS = 1_500
_ABSENT = "index_not_found_exception"
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
    """

    def __init__(self, connection: Connection, indices: Indices) -> None:
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
            with self._connection.translated() as client:
                answer = client.mget(docs=docs, source_excludes=None if fields else WITHOUT_SEARCH_FIELDS["excludes"])
            for (kind, place, page_id), doc in zip(chunk, answer["docs"], strict=True):
                if "error" in doc:
                    self._note_absent(kind, place, doc["error"])
                elif doc["found"]:
                    found[kind, page_id] = _found(doc)
        return found

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
