"""What the histories note of each page: where its documents are, who decided, and which cluster its item is in.

The entry of a page is the first document that is written of it, and all others go where it says. So a page is in one
place only, whoever writes at the same moment (ADR 0024).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from events import LabelRecorded
from storage.clusters import hashes
from storage.merge import ordered
from storage.values import Item


class Mark(msgspec.Struct, frozen=True):
    """The cluster of an item, and a digest of the signature by which others find it."""

    id: str
    since: datetime
    signature: str


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """``place`` is None of a page that has no documents yet, or has them where all were before there were months."""

    place: str | None = None
    labels: tuple[LabelRecorded, ...] = ()
    mark: Mark | None = None


def mark_of(item: Item | None) -> Mark | None:
    """Return what is to be noted of an item."""
    if item is None:
        return None
    signature = hashlib.blake2b(item.minhash.encode(), digest_size=8).hexdigest()
    return Mark(item.cluster_id, item.cluster_since, signature)


def entry_of(source: Mapping[str, Any]) -> Entry:
    """Return the entry in a document."""
    own = source["guidewatch"]
    labels = own["labels"]
    return Entry(
        place=own.get("place"),
        labels=ordered(msgspec.convert(labels, list[LabelRecorded])) if labels else (),
        mark=msgspec.convert(own["cluster"], Mark) if "cluster" in own else None,
    )


def entry_document(page_id: str, entry: Entry, minhash: str) -> dict[str, Any]:
    """Return the document of an entry; ``minhash`` is that of its item."""
    own: dict[str, Any] = {"page_id": page_id, "labels": msgspec.to_builtins(entry.labels)}
    if entry.place is not None:
        own["place"] = entry.place
    if entry.mark is not None:
        own["cluster"] = msgspec.to_builtins(entry.mark) | {"hashes": hash_terms(minhash)}
    return {"guidewatch": own}


def hash_terms(minhash: str) -> list[str]:
    """Return the hashes in a signature as terms, each with its place in it."""
    return [f"{place}:{value:08x}" for place, value in enumerate(hashes(minhash))]
