"""Documents from the values of the port, and back: ECS names where ECS has one, the rest under ``guidewatch``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from yarl import URL

from events import LabelRecorded
from storage.elastic.templates import ANALYZERS
from storage.likely import likely
from storage.merge import LedgerState
from storage.values import Item, LedgerRow
from storage.words import searchable

OPEN = "open"
"""What stands in ``guidewatch.decision`` while nobody has decided."""

_ELSEWHERE_IN_ITEM = frozenset({"url", "decision", "cluster_id", "cluster_since", "minhash"})
_SAME_IN_ITEM = tuple(name for name in Item.__struct_fields__ if name not in _ELSEWHERE_IN_ITEM)
_ELSEWHERE_IN_ROW = frozenset({"url", "status"})


def item_document(item: Item) -> dict[str, Any]:
    """Return the document of an item."""
    verdict = item.verdict
    fields = msgspec.to_builtins(item)
    own = {name: fields[name] for name in _SAME_IN_ITEM if fields[name] is not None}
    own |= {
        "score": verdict.score,
        "threshold": verdict.threshold,
        "language": verdict.language,
        "model": verdict.model,
        "reason": verdict.reason,
        **likely(verdict),
        "decision": item.decision or OPEN,
        "cluster": {"id": item.cluster_id, "since": fields["cluster_since"], "minhash": item.minhash},
        "search": _searched(item),
    }
    if verdict.context is not None:
        own["context"] = verdict.context
    return {
        "@timestamp": fields["first_seen_at"],
        "event": {"id": item.page_id},
        "url": _url(item.url),
        "guidewatch": own,
    }


def item_of(source: Mapping[str, Any]) -> Item:
    """Return the item in a document; without a title or a text where those were not asked for."""
    own = source["guidewatch"]
    fields = {"title": "", "text": ""} | {name: own[name] for name in _SAME_IN_ITEM if name in own}
    cluster = own.get("cluster") or {"id": own["content_id"], "since": own["first_seen_at"], "minhash": ""}
    fields |= {
        "url": source["url"]["full"],
        "decision": None if own["decision"] == OPEN else own["decision"],
        "cluster_id": cluster["id"],
        "cluster_since": cluster["since"],
        "minhash": cluster["minhash"],
    }
    return msgspec.convert(fields, Item)


def ledger_document(state: LedgerState) -> dict[str, Any]:
    """Return the document of a ledger row."""
    fields = msgspec.to_builtins(state)
    row = fields["row"]
    own = {name: value for name, value in row.items() if value is not None and name not in _ELSEWHERE_IN_ROW}
    own |= {
        "reported_in": fields["reported_in"],
        "judged_flagged": state.judged_flagged,
        "version": dict(zip(("fetched_at", "at"), fields["version"], strict=True)),
    }
    if state.judged_version is not None:
        own["judged_version"] = dict(zip(("fetched_at", "at"), fields["judged_version"], strict=True))
    document = {"@timestamp": row["found_at"], "url": _url(row["url"]), "guidewatch": own}
    if row["status"] is not None:
        document["http"] = {"response": {"status_code": row["status"]}}
    return document


def row_of(source: Mapping[str, Any]) -> LedgerRow:
    """Return the ledger row in a document."""
    status = source.get("http", {}).get("response", {}).get("status_code")
    return msgspec.convert(source["guidewatch"] | {"url": source["url"]["full"], "status": status}, LedgerRow)


def ledger_of(source: Mapping[str, Any]) -> LedgerState:
    """Return the row with what the store keeps beside it."""
    own = source["guidewatch"]
    judged = own.get("judged_version")
    fields = {
        "row": row_of(source),
        "version": (own["version"]["fetched_at"], own["version"]["at"]),
        "judged_version": (judged["fetched_at"], judged["at"]) if judged else None,
        "judged_flagged": own["judged_flagged"],
        "reported_in": own["reported_in"],
    }
    return msgspec.convert(fields, LedgerState)


def decision_document(label: LabelRecorded) -> dict[str, Any]:
    """Return the document of one decision."""
    fields = msgspec.to_builtins(label)
    names = ("page_id", "content_id", "decision", "reason", "context", "score", "model")
    own = {name: fields[name] for name in names if fields[name] is not None}
    own |= {"subject": fields["subjects"], "technique": fields["techniques"], "label": fields}
    return {
        "@timestamp": fields["at"],
        "event": {"id": label.id},
        "user": {"name": label.analyst},
        "guidewatch": own,
    }


def label_of(source: Mapping[str, Any]) -> LabelRecorded:
    """Return the decision in a document."""
    return msgspec.convert(source["guidewatch"]["label"], LabelRecorded)


def _searched(item: Item) -> dict[str, Any]:
    """Return the text as it is searched: folded for all languages alike, and for the analyzer of its own."""
    fields: dict[str, Any] = {"title": searchable(item.title), "text": searchable(item.text)}
    if item.verdict.language in ANALYZERS:
        fields[item.verdict.language] = {"title": item.title, "text": item.text}
    return fields


def _url(url: str) -> dict[str, str]:
    try:
        domain = URL(url).host
    except ValueError:
        domain = None
    return {"full": url, "domain": domain} if domain else {"full": url}
