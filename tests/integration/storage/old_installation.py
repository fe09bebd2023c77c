"""An installation as the first version left it: one index a kind, and mappings with fewer fields."""

from __future__ import annotations

from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from storage.elastic.documents import item_document, ledger_document
from storage.elastic.entries import hash_terms
from storage.elastic.indices import KINDS, Indices, Kind
from storage.elastic.templates import template
from storage.merge import Held

_LATER: dict[Kind, tuple[str, ...]] = {
    "items": ("text_removed_at",),
    "histories": ("place", "cluster"),
}


def set_up_as_before(client: Elasticsearch, prefix: str, without: dict[Kind, tuple[str, ...]] | None = None) -> None:
    """Create templates, indices and aliases as version 1 did, ``without`` these fields besides."""
    indices = Indices(prefix)
    for kind in KINDS:
        old = template(kind)
        old["version"] = old["template"]["mappings"]["_meta"]["version"] = 0
        fields = old["template"]["mappings"]["properties"]["guidewatch"]["properties"]
        if kind == "items":
            fields["search"]["properties"] = {name: fields["search"]["properties"][name] for name in ("title", "text")}
            fields["title"] = fields["text"] = {"type": "text"}
            fields["cluster"]["properties"]["hashes"] = {"type": "keyword", "doc_values": False}
        for name in (*_LATER.get(kind, ()), *(without or {}).get(kind, ())):
            del fields[name]
        alias = indices.read(kind)
        client.indices.put_index_template(
            name=alias,
            index_patterns=[f"{alias}-v*"],
            priority=200,
            version=0,
            template={**old["template"], "aliases": {alias: {}}},
        )
        client.indices.create(
            index=indices.index(kind, 0, "000001"), aliases={indices.write(kind): {"is_write_index": True}}
        )


def write_as_before(client: Elasticsearch, prefix: str, held: Held) -> None:
    """Write ledger, item and decisions of a page as version 1 did."""
    assert held.ledger is not None
    page_id = held.ledger.row.page_id
    client.index(index=f"{prefix}-ledger-write", id=page_id, document=ledger_document(held.ledger))
    if held.item is not None:
        document: dict[str, Any] = item_document(held.item)
        search, cluster = document["guidewatch"]["search"], document["guidewatch"]["cluster"]
        document["guidewatch"]["search"] = {name: search[name] for name in ("title", "text")}
        cluster["hashes"] = hash_terms(held.item.minhash)
        client.index(index=f"{prefix}-items-write", id=page_id, document=document)
    if held.labels:
        labels = {"page_id": page_id, "labels": msgspec.to_builtins(held.labels)}
        client.index(index=f"{prefix}-histories-write", id=page_id, document={"guidewatch": labels})
